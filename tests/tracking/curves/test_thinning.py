"""As few frames as a page needs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.tracking.curves.interpolate import between
from anchord.tracking.curves.thinning import needed

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TIMES = np.linspace(0, 4000, 121)[:-1]
EVERY_THIRD = np.arange(120) % 3 == 0


def distance(off: Floats) -> Floats:
    return np.abs(off[:, 0])


def kept(values: Floats, period_ms: float | None = None, must: Mask = EVERY_THIRD) -> Mask:
    return needed(
        TIMES, values, must, distance, lambda kept: values[kept], tolerance_px=0.1, period_ms=period_ms
    )


def sway(size_px: float, period_ms: float) -> Floats:
    return size_px * np.sin(2 * np.pi * TIMES / period_ms)[:, None]


def test_a_calm_motion_needs_no_more_than_its_samples() -> None:
    found = kept(sway(3, 4000))
    found[-1] = False  # the end of an open clip is always written
    assert (found == EVERY_THIRD).all()


@pytest.mark.parametrize("period_ms", [None, 4000.0])
@pytest.mark.parametrize("size_px", [3.0, 15.0, 40.0])
def test_whatever_the_motion_a_page_is_right_on_every_frame(size_px: float, period_ms: float | None) -> None:
    values = sway(size_px, 500)
    found = kept(values, period_ms)
    read = between(TIMES[found], values[found], TIMES, period_ms)
    assert distance(values - read).max() <= 0.1
    assert (found >= EVERY_THIRD).all()


def test_more_are_written_where_it_moves_and_not_where_it_rests() -> None:
    values = sway(15, 500)
    values[60:] = values[60]
    found = kept(values)
    assert found[:60].sum() > 1.5 * 20
    assert found[66:117].sum() == EVERY_THIRD[66:117].sum()


def test_a_loop_without_a_sample_of_its_own_gets_one() -> None:
    assert kept(sway(0, 500), 4000.0, np.zeros(120, bool)).sum() == 1
