"""Eight ways in which a picture may lie."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from anchord.tracking.video.orientation import Orientation, matrix_of_turn

ALL = [
    Orientation(rotation=turn, is_mirrored=mirror) for turn in (0, 90, 180, 270) for mirror in (False, True)
]


def by_matrix(pixels: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Each stored pixel where the matrix puts it: the standard's own words, pixel by pixel."""
    height, width = pixels.shape[:2]
    places = {}
    for y in range(height):
        for x in range(width):
            places[a * x + c * y, b * x + d * y] = pixels[y, x]
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    shown = np.zeros((height, width) if a else (width, height), pixels.dtype)
    for (x, y), value in places.items():
        shown[y - top, x - left] = value
    return shown


@pytest.mark.parametrize("scale", [1, 65536, -(-1 << 14)])
def test_a_picture_is_shown_where_its_matrix_puts_it(scale: int) -> None:
    pixels = np.arange(6).reshape(2, 3)
    found = set()
    for a, b, c, d in [
        (x, 0, 0, y) for x in (1, -1) for y in (1, -1)
    ] + [(0, x, y, 0) for x in (1, -1) for y in (1, -1)]:  # fmt: skip
        matrix = [scale * a, scale * b, 0, scale * c, scale * d, 0, 0, 0, 1 << 30]
        orientation = Orientation.of_matrix(matrix)
        np.testing.assert_array_equal(orientation.shown(pixels), by_matrix(pixels, a, b, c, d))
        assert orientation.is_sideways == (not a)
        found.add(orientation)
    assert found == set(ALL)


@pytest.mark.parametrize("degrees", [-270, -180, -90, 0, 90, 180, 270])
def test_the_matrix_of_a_turn_turns_by_it(degrees: int) -> None:
    assert Orientation.of_matrix(matrix_of_turn(degrees)) == Orientation(rotation=degrees % 360)


@hypothesis.given(st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=9, max_size=9))
def test_any_other_matrix_is_none(matrix: list[int]) -> None:
    """Nothing that stands in a file may fail here."""
    assert Orientation.of_matrix(matrix) in ALL


@pytest.mark.parametrize(
    "matrix", [(0, 0, 0, 0), (1, 1, -1, 1), (2, 0, 0, 1), (1, 0.5, 0, 1), (0.985, 0.174, -0.174, 0.985)]
)
def test_what_is_no_quarter_turn_is_passed_over(matrix: tuple[float, ...]) -> None:
    a, b, c, d = matrix
    assert Orientation.of_matrix((a, b, 0, c, d, 0, 0, 0, 1)) == Orientation()


def test_without_a_matrix_it_is_upright() -> None:
    assert Orientation.of_matrices([]) == Orientation()
