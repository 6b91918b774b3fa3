"""Shift, turn and scale as complex numbers."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from anchord.tracking.similarity import Complex, Similarities, fitted, fitted_robustly

FACE = np.array([0, 100, 100 + 80j, 80j, 50 + 40j, 20 + 10j, 70 + 66j, 11 + 70j], complex)

scales = st.floats(0.2, 5)
angles = st.floats(-3.1, 3.1)
shifts = st.complex_numbers(max_magnitude=1000, allow_nan=False)


def similarity(scale: float, angle: float, shift: complex) -> Similarities:
    return Similarities(a=np.asarray(scale * np.exp(1j * angle)), b=np.asarray(shift + 0j))


def same(one: Complex, other: Complex) -> bool:
    return bool(np.allclose(one, other, atol=1e-6))


@hypothesis.settings(deadline=None)
@hypothesis.given(scales, angles, shifts)
def test_what_moved_the_points_is_found_again(scale: float, angle: float, shift: complex) -> None:
    true = similarity(scale, angle, shift)
    found = fitted(FACE, true.of(FACE))
    assert same(found.a, true.a)
    assert same(found.b, true.b)


@hypothesis.settings(deadline=None)
@hypothesis.given(scales, angles, shifts)
def test_the_inverse_undoes_it(scale: float, angle: float, shift: complex) -> None:
    there = similarity(scale, angle, shift)
    assert same(there.inverse().after(there).of(FACE), FACE)


def test_turning_clockwise_on_the_screen_is_a_positive_angle() -> None:
    """y points down: to the right becomes downwards."""
    quarter = similarity(1, np.pi / 2, 0)
    assert same(quarter.of(np.array([1 + 0j])), np.array([1j]))


def test_many_are_fitted_at_once() -> None:
    moved = np.stack([similarity(1.5, 0.2, 3 + 4j).of(FACE), similarity(0.5, -1, -7j).of(FACE)])
    assert same(fitted(FACE, moved).of(FACE), moved)


@pytest.mark.parametrize("strays", [1, 2, 3])
def test_points_that_go_their_own_way_do_not_count(strays: int) -> None:
    true = similarity(1.1, 0.1, 5 - 3j)
    seen = true.of(FACE).copy()
    seen[:strays] += 25
    found, weights, sigma = fitted_robustly(FACE, seen, floor=0.05)
    assert same(found.of(FACE[strays:]), true.of(FACE[strays:])) or abs(found.b - true.b) < 0.05
    assert (weights[:strays] < 0.01).all()
    assert sigma < 1
