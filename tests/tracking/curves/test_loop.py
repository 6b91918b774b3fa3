"""Does the end lead back to the beginning?"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.tracking.curves.loop import seam

TIMES = np.linspace(0, 3900, 40)
KNOWN = np.ones(40, bool)


def sway(drift: float = 0.0, noise: float = 0.0) -> NDArray[np.float64]:
    """In distances of the eyes' corners: a tenth to each side."""
    angle = 2 * np.pi * TIMES / 4000
    curve = np.stack([0.1 * np.sin(angle) + drift * TIMES / 4000, 0.05 * np.cos(angle)], axis=1)
    curve = np.concatenate([curve, np.zeros((40, 2))], axis=1)
    return np.asarray(curve + np.random.default_rng(1).normal(0, noise, curve.shape), np.float64)


def test_a_loop_is_known_by_where_its_end_leads() -> None:
    found = seam(TIMES, KNOWN, [sway()], 4000.0)
    assert found.is_closed
    assert found.jump == pytest.approx(0, abs=0.005)


def test_a_still_clip_is_a_loop() -> None:
    assert seam(TIMES, KNOWN, [np.zeros((40, 4))], 4000.0).is_closed


def test_a_small_jump_is_almost_a_loop_and_has_its_size() -> None:
    found = seam(TIMES, KNOWN, [sway(drift=0.03)], 4000.0)
    assert not found.is_closed
    assert found.is_almost
    assert found.jump == pytest.approx(0.03, abs=0.01)


def test_a_large_jump_was_never_meant_to_close() -> None:
    found = seam(TIMES, KNOWN, [sway(drift=0.5)], 4000.0)
    assert not found.is_closed
    assert not found.is_almost


def test_an_end_without_a_face_tells_nothing() -> None:
    known = KNOWN.copy()
    known[-1] = False
    found = seam(TIMES, known, [sway()], 4000.0)
    assert found.jump is None
    assert not found.is_closed


def test_noise_does_not_open_a_loop() -> None:
    assert seam(TIMES, KNOWN, [sway(noise=0.002)], 4000.0).is_closed
