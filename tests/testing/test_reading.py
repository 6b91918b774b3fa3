"""What a reader makes of a timeline. That it is what the page makes of it is tested beside the page."""

from __future__ import annotations

import numpy as np
import pytest

from testing.perfect import document
from testing.reading import Reading
from tests.testing.made import truth


def test_samples_are_given_back_at_their_times() -> None:
    known = truth()
    made = document(known, every=4)
    for how in ("page", "straight"):
        reading = Reading(made, how)
        read = reading.at("eyes", np.array([frame["time_ms"] for frame in made["frames"]]))
        assert read[:, 0] == pytest.approx([frame["eyes"]["cx"] for frame in made["frames"]])


def test_a_closed_loop_is_read_across_its_end_and_an_open_one_is_held() -> None:
    for motion, moves in (("sway", True), ("drift", False)):
        made = document(truth(motion), every=10)
        reading = Reading(made)
        last = made["frames"][-1]
        after = reading.at("mouth", np.array([last["time_ms"] + 150]))[0, 0]
        assert (abs(after - last["mouth"]["cx"]) > 0.5) == moves


def test_in_a_gap_there_is_no_anchor() -> None:
    made = document(truth())
    made["quality"]["gaps"] = [[1000.0, 1500.0]]
    read = Reading(made).at("mouth", np.array([900.0, 1200.0, 1600.0]))
    assert np.isnan(read[:, 0]).tolist() == [False, True, False]


def test_first_versions_have_neither_centre_nor_roll() -> None:
    made = document(truth("still"), every=30)
    for frame in made["frames"]:
        for part in ("mouth", "eyes"):
            for key in ("cx", "cy", "roll"):
                del frame[part][key]
    read = Reading(made).at("mouth", np.array([500.0]))[0]
    assert read[[0, 1, 4]] == pytest.approx([256, 380, 0])


def test_a_video_lies_in_the_target_as_its_fit_says() -> None:
    made = document(truth("still"))
    made["target"] = {"width": 512, "height": 640, "fit": "contain"}
    scale, offset = Reading(made).placement((640, 360))
    assert scale.tolist() == [0.8, 0.8]
    assert offset.tolist() == [0, 176]
    made["target"]["fit"] = "fill"
    scale, offset = Reading(made).placement((640, 360))
    assert scale.tolist() == pytest.approx([0.8, 640 / 360])
    assert offset.tolist() == [0, 0]
