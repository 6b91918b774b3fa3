"""The score of a known motion reads what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from testing.perfect import document
from testing.reading import Floats, Reading
from testing.scores.lock import Lock, lock
from testing.truth import Truth
from tests.testing.made import truth


def scored(known: Truth, part: str = "mouth", **wrong: object) -> Lock:
    score = lock(known, Reading(document(known, **wrong)), part)  # type: ignore[arg-type]
    assert score is not None
    return score


def slow(rms_px: float, frames: int = 120) -> Floats:
    """An error that wanders once around in a film."""
    turn = 2 * np.pi * np.arange(frames) / frames
    return rms_px * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def test_what_is_right_has_no_error() -> None:
    score = scored(truth())
    assert score.lock_px == pytest.approx(0, abs=1e-9)
    assert score.jitter_px == pytest.approx(0, abs=1e-9)
    assert score.seam_px == pytest.approx(0, abs=1e-9)
    assert score.lag_frames == pytest.approx(0, abs=0.01)
    assert score.wobble == pytest.approx(0, abs=1e-9)
    assert score.roll_deg == pytest.approx(0, abs=1e-9)
    assert score.off_px == pytest.approx(0, abs=1e-9)
    assert score.shown == 1


@pytest.mark.parametrize("rms_px", [0.1, 0.5, 1.5])
def test_an_error_that_was_put_in_is_read(rms_px: float) -> None:
    assert scored(truth(), shift=slow(rms_px)).lock_px == pytest.approx(rms_px, rel=0.03)


def test_noise_is_read_as_jitter() -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, (120, 2))
    # Two independent frames differ by the square root of two times the noise, in both directions.
    assert scored(truth(), shift=noise).jitter_px == pytest.approx(0.1, rel=0.1)


def test_a_constant_offset_is_no_error_but_is_told() -> None:
    still = truth("still")
    score = scored(still, shift=np.full((120, 2), (3.0, 4.0)))
    assert score.lock_px == pytest.approx(0, abs=1e-9)
    assert score.off_px == pytest.approx(5)


@pytest.mark.parametrize("frames", [-1, 2])
def test_an_anchor_that_trails_is_late(frames: int) -> None:
    known = truth()
    there = np.array([[frame["mouth"]["cx"], frame["mouth"]["cy"]] for frame in document(known)["frames"]])
    late = np.roll(there, frames, axis=0) - there
    assert scored(known, shift=late).lag_frames == pytest.approx(frames, abs=0.1)


def test_a_lag_is_not_told_where_nothing_moves() -> None:
    assert scored(truth("still")).lag_frames is None


def test_a_jump_at_the_end_of_the_loop_is_read() -> None:
    drift = np.linspace(0, 1, 120)[:, None] * (0.6, 0.8)
    assert scored(truth(), shift=drift).seam_px == pytest.approx(1, rel=0.01)
    assert scored(truth("drift"), shift=drift).seam_px is None


def test_size_and_roll_are_read() -> None:
    wave = np.sin(2 * np.pi * np.arange(120) / 120)
    score = scored(truth(), grown=1 + 0.02 * wave, roll_deg=wave)
    assert score.wobble == pytest.approx(100 * 0.02 / np.sqrt(2), rel=0.02)
    assert score.roll_deg == pytest.approx(1 / np.sqrt(2), rel=0.02)


def test_frames_without_a_face_do_not_count_and_what_lies_in_a_gap_is_not_shown() -> None:
    known = truth(gap=(30, 59))
    wrong = np.zeros((120, 2))
    wrong[30:60] = 50
    assert scored(known, shift=wrong).lock_px == pytest.approx(0, abs=0.02)
    made = document(truth())
    made["quality"]["gaps"] = [[0.0, 990.0]]
    score = lock(truth(), Reading(made), "mouth")
    assert score is not None
    assert score.shown == pytest.approx(0.75)


def test_straight_lines_between_sparse_samples_cut_corners() -> None:
    made = document(truth("fast"), every=3)
    page, straight = (lock(truth("fast"), Reading(made, how), "eyes") for how in ("page", "straight"))
    assert page is not None
    assert straight is not None
    assert straight.lock_px > 1.5 * page.lock_px > 0
