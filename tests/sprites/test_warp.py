"""Pixels moved, blurred and packed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord import png
from anchord.sprites import warp
from anchord.sprites.warp import Floats, Points

SIZE = (40, 30)


def ramp(size: tuple[int, int] = SIZE) -> Floats:
    """Red grows to the right, green downwards: each pixel says where it came from."""
    grid = warp.grid_of(size)
    return np.concatenate([grid, np.full((*grid.shape[:2], 1), 7.0)], axis=2).astype(np.float32)


@given(st.integers(0, 10_000))
def test_a_spline_leads_each_point_where_it_should_go(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0)), axis=-1).reshape(-1, 2) * 20
    to = at + rng.uniform(-4, 4, at.shape)
    assert np.abs(warp.spline(at, to)(at) - to).max() < 0.01


def test_a_spline_keeps_what_is_straight() -> None:
    at: Points = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10], [4, 7]])
    turn = np.array([[0.9, -0.2], [0.2, 1.1]])
    moved = warp.spline(at, at @ turn.T + 3)
    far = np.array([[25.0, -8], [5, 40]])
    assert np.allclose(moved(far), far @ turn.T + 3, atol=1e-2)


def test_a_smooth_move_is_the_same_on_the_coarse_grid() -> None:
    grid = warp.grid_of(SIZE)
    wavy = warp.everywhere(lambda points: points + 2 * np.sin(points / 15), grid)
    assert np.abs(wavy - (grid + 2 * np.sin(grid / 15)))[4:-4, 4:-4].max() < 0.05


def test_a_pixel_s_middle_is_at_a_half() -> None:
    grid = warp.grid_of(SIZE)
    assert np.allclose(warp.sampled(ramp(), grid), ramp(), atol=1e-3)
    assert np.allclose(
        warp.sampled(ramp(), grid + 0.25)[4:-4, 4:-4, 0], grid[4:-4, 4:-4, 0] + 0.25, atol=0.05
    )


def test_a_cut_shows_what_its_matrix_leads_to() -> None:
    pixels = np.round(ramp()).astype(np.uint8)
    matrix = np.array([[1.0, 0, 8], [0, 1.0, 5]])
    found = warp.cut_out(pixels, matrix, (10, 10))
    assert np.allclose(found, pixels[5:15, 8:18], atol=0.01)
    beyond = warp.cut_out(pixels, np.array([[1.0, 0, 100], [0, 1.0, 100]]), (4, 4), outside=9)
    assert (beyond == 9).all()


def test_a_cut_of_a_far_larger_picture_shows_its_mean_and_no_pattern() -> None:
    board = np.indices((400, 400)).sum(axis=0) % 2 * 200
    pixels = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    found = warp.cut_out(pixels, np.array([[8.0, 0, 0], [0, 8.0, 0]]), (40, 40))
    assert abs(float(found[4:-4, 4:-4].mean()) - 100) < 3
    assert float(found[4:-4, 4:-4].std()) < 3


def test_a_polygon_is_filled_inside_and_nowhere_else() -> None:
    square = np.array([[10.0, 8], [20, 8], [20, 18], [10, 18]])
    found = warp.filled(square, SIZE, 0.5)
    assert found.shape == SIZE[::-1]
    assert found[12, 15] == pytest.approx(1, abs=0.02)
    assert found[2, 2] == 0
    # OpenCV draws the outline too: up to two thirds of a pixel more on each side.
    assert float(found.sum()) == pytest.approx(11.3**2, rel=0.05)


@given(st.floats(-3, 4), st.floats(0, 1))
def test_a_soft_step_never_goes_back(at: float, further: float) -> None:
    low, high = (float(warp.smooth(np.array(value))) for value in (at, at + further))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 3), (6, 9, 4)])
def test_what_is_packed_is_what_the_parent_takes(shape: tuple[int, ...]) -> None:
    """The parent reads nothing but the plainest kind of PNG."""
    pixels = np.random.default_rng(0).uniform(-20, 280, shape)
    found = png.decode(warp.packed(pixels))
    assert (found.height, found.width) == shape[:2]
    assert found.channels == (shape[2] if len(shape) == 3 else 1)
