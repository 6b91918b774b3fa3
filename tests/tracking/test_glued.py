"""From film to anchors: glued to the skin, by the motion that the film was made with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest

from anchord import timeline
from anchord.demo.film import Matrix, Pixels, Pose, breathing, encode, even_times_ms, film
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from tests.films import FAST, looseness_px

Extract = Callable[..., dict[str, Any]]


@pytest.fixture
def extracted(finder: FaceFinder, tmp_path: Path) -> Extract:
    def run(pictures: Iterable[tuple[float, Pixels]], **settings: Any) -> dict[str, Any]:
        file = encode(tmp_path / "idle.webm", pictures, options=FAST)
        with file.open("rb") as stream:
            made = extract(stream, file.name, ExtractSettings(**settings), Limits(), finder)
        document: dict[str, Any] = json.loads(timeline.encode(made))
        jsonschema.validate(document, timeline.schema())
        return document

    return run


def rms(document: dict[str, Any], part: str, motion: Callable[[float], Matrix] = breathing) -> float:
    return float(np.sqrt((looseness_px(document, part, motion) ** 2).mean()))


def spread(document: dict[str, Any], part: str, key: str) -> float:
    return float(np.ptp([sample[part][key] for sample in document["frames"]]))


def test_anchors_are_glued_to_a_breathing_face_and_the_loop_closes(extracted: Extract) -> None:
    document = extracted(film(times_ms=even_times_ms(15, 4)), sample_rate=1)
    for part in ("mouth", "eyes"):
        assert rms(document, part) < 0.12, part
    assert document["loop"]["closed"] is True
    assert document["loop"]["seam_px"] < 0.5
    assert document["quality"]["jitter_px"] < 0.1


def test_following_pixels_is_never_worse_than_landmarks_alone(extracted: Extract) -> None:
    pictures = list(film(times_ms=even_times_ms(15, 4), grain=6))
    auto, alone = (extracted(pictures, sample_rate=1, follow=follow) for follow in ("auto", "landmarks"))
    for part in ("mouth", "eyes"):
        assert rms(auto, part) < rms(alone, part), part


def test_between_samples_the_pixels_are_followed(extracted: Extract) -> None:
    def fast(t_s: float) -> Matrix:
        return Pose(x=256 + 12 * np.sin(2 * np.pi * t_s)).matrix()

    pictures = list(film(fast, times_ms=even_times_ms(30, 2)))
    every, few = (extracted(pictures, sample_rate=5, follow_every_frame=follow) for follow in (True, False))
    assert len(every["frames"]) > len(few["frames"])
    assert every["quality"]["samples"] == few["quality"]["samples"], "landmarks are found as often"
    assert {sample["status"] for sample in every["frames"]} == {"tracked"}
    for part in ("mouth", "eyes"):
        assert rms(every, part, fast) < 0.2, part


def test_a_closed_loop_is_not_sampled_out_of_turn_and_an_open_one_to_its_last_frame(
    extracted: Extract,
) -> None:
    """The last frame says where the clip leads; where that is the first one, a player wraps."""

    def going(t_s: float) -> Matrix:
        return Pose(x=220 + 20 * t_s + 3 * np.sin(t_s)).matrix()

    closed = extracted(film(times_ms=even_times_ms(15, 4)), sample_rate=4, follow_every_frame=False)
    assert [sample["frame"] for sample in closed["frames"]] == list(range(0, 60, 4))
    opened = extracted(film(going, times_ms=even_times_ms(15, 4)), sample_rate=4, follow_every_frame=False)
    assert opened["loop"]["closed"] is False
    assert [sample["frame"] for sample in opened["frames"]] == [*range(0, 60, 4), 59]


def test_a_hand_over_the_mouth_is_marked_and_the_anchor_goes_with_the_eyes(extracted: Extract) -> None:
    def covered() -> Iterable[tuple[float, Pixels]]:
        for index, (time_ms, pixels) in enumerate(film(times_ms=even_times_ms(15, 3))):
            if 15 <= index < 27:
                hand = np.zeros(pixels.shape[:2], np.uint8)
                for finger in range(8):
                    cv2.ellipse(hand, (260, 275 + 26 * finger), (140, 14), 0, 0, 360, 255, -1)
                share = cv2.GaussianBlur(hand, (7, 7), 0)[..., None] / 255
                skin = np.array([190, 140, 110]) * (1 + 0.1 * np.sin(np.arange(512) / 9))[None, :, None]
                pixels = (pixels * (1 - share) + share * skin).astype(np.uint8)
            yield time_ms, pixels

    document = extracted(covered(), sample_rate=1)
    hidden = {sample["frame"] for sample in document["frames"] if "mouth" in sample.get("hidden", ())}
    assert set(range(16, 26)) <= hidden <= set(range(12, 30))
    assert "face_covered" in [warning["code"] for warning in document["quality"]["warnings"]]
    assert rms(document, "mouth") < 0.6
    assert rms(document, "eyes") < 0.2


def test_extras_are_there_when_asked_for_and_not_otherwise(extracted: Extract) -> None:
    pictures = list(film(lambda t: Pose(roll_deg=10 * t).matrix(), times_ms=even_times_ms(10, 1)))
    extras = ("pose", "signals", "left_eye", "right_eye", "light")
    plain = extracted(pictures, sample_rate=1)
    assert not set(extras) & set(plain["frames"][0])
    full = extracted(pictures, sample_rate=1, include=extras)["frames"]
    assert set(extras) <= set(full[0])
    turned = full[9]["pose"]["roll"] - full[0]["pose"]["roll"]
    assert turned == pytest.approx(9, abs=2), "clockwise, as roll"
    assert full[9]["mouth"]["roll"] - full[0]["mouth"]["roll"] == pytest.approx(9, abs=0.3)
    assert full[0]["left_eye"]["cx"] > full[0]["right_eye"]["cx"], "the person's own left"
    assert full[0]["light"]["r"] == pytest.approx(1, abs=0.05)
    assert 0.5 < full[0]["signals"]["eye_open_left"] <= 1


def test_light_follows_the_light(extracted: Extract) -> None:
    def dimmed() -> Iterable[tuple[float, Pixels]]:
        for index, (time_ms, pixels) in enumerate(film(times_ms=even_times_ms(10, 1))):
            yield time_ms, (pixels * (1.0 if index < 5 else 0.6)).astype(np.uint8)

    frames = extracted(dimmed(), sample_rate=1, include=("light",))["frames"]
    assert frames[9]["light"]["g"] / frames[0]["light"]["g"] == pytest.approx(0.6, abs=0.05)


def test_boxes_change_with_the_faces_size_alone(extracted: Extract) -> None:
    document = extracted(film(times_ms=even_times_ms(15, 2)), sample_rate=1)
    scale = [np.hypot(*breathing(s["time_ms"] / 1000)[:, 0]) for s in document["frames"]]
    for part in ("mouth", "eyes"):
        widths = np.array([sample[part]["w"] for sample in document["frames"]]) / scale
        assert np.std(widths) / np.mean(widths) < 0.002, part
    assert spread(document, "mouth", "roll") > 0.5
