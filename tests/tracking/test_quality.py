"""Warnings: a stable code, a sentence with the number, and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anchord.tracking.quality import Look, warnings


def looks(count: int = 20, **what: Any) -> list[Look]:
    plain: dict[str, Any] = {"brightness": 120.0, "faces": 1, "height": 0.4, "margin": 0.2, "sharpness": 0.9}
    return [Look(time_ms=100.0 * index, **(plain | what)) for index in range(count)]


def codes(found: list[Look], **more: Any) -> list[str]:
    return [warning.code for warning in warnings(found, **more)]


def test_a_good_clip_has_none() -> None:
    assert codes(looks()) == []


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ({"height": 0.12}, "face_small", "12% of the frame's height"),
        ({"faces": 2}, "several_faces", "20 of 20 samples"),
        ({"face_brightness": 30.0}, "dark", "mean 30 of 255"),
        ({"sharpness": 0.5}, "blurred", "sharpness 0.50"),
        ({"noise": 40.0}, "noisy", "by 40 of 255"),
        ({"margin": -0.05}, "face_cut", "20 of 20 samples (0.00–1.90 s)"),
    ],
)
def test_each_has_its_code_and_its_number(what: dict[str, Any], code: str, said: str) -> None:
    found = warnings(looks(**what))
    assert [warning.code for warning in found] == [code]
    assert said in found[0].message
    assert ": " in found[0].message, "and what to do"


def test_a_speaking_mouth_is_named() -> None:
    speaking = [look for pair in zip(looks(10), looks(10, mouth_open=0.4), strict=True) for look in pair]
    assert codes(speaking) == ["mouth_moves"]
    assert codes(looks(mouth_open=0.4)) == [], "a mouth that stays open does not move"


def test_a_second_face_in_one_sample_of_many_was_made_up() -> None:
    assert codes(looks(19) + looks(1, faces=2)) == []
    assert codes(looks(17) + looks(3, faces=2)) == ["several_faces"]


@pytest.mark.parametrize("roll", [-90.0, 35.0, 180.0])
def test_a_video_that_lies_on_its_side_is_named(roll: float) -> None:
    assert codes(looks(roll=roll)) == ["tilted"]


def test_a_head_laid_on_a_shoulder_is_not_tilted() -> None:
    assert codes(looks(10, roll=25.0) + looks(10, roll=-25.0)) == []


def test_large_turns_are_counted_from_where_the_head_usually_is() -> None:
    assert codes(looks(turn=(-30.0, 5.0))) == []
    assert codes(looks(18) + looks(2, turn=(40.0, 0.0))) == ["large_turns"]


def test_a_hand_is_named_with_its_times() -> None:
    hidden = {"mouth": np.arange(20) // 5 == 1, "eyes": np.zeros(20, bool)}
    (found,) = warnings(looks(), hidden=hidden)
    assert found.code == "face_covered"
    assert "the mouth (0.50–0.90 s)" in found.message


def test_a_loop_that_nearly_closes_is_named_with_its_jump() -> None:
    (found,) = warnings(looks(), almost_seam_px=2.34)
    assert found.code == "almost_loop"
    assert "2.3 px" in found.message


def test_nothing_is_said_about_a_face_that_was_never_seen() -> None:
    assert codes(looks(height=None, margin=None)) == ["no_face"]
