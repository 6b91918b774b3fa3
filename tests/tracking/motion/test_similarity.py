"""Shift, turn and scale as complex numbers."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from anchord.tracking.motion.similarity import Complex, Similarities, fitted, fitted_robustly, moved

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


def test_points_that_agree_moved_by_their_mean() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, (len(FACE), 2))
    moves = 4 - 2j + noise[:, 0] + 1j * noise[:, 1]
    start, end, spread = moved(FACE, FACE + moves, noise=1.0)
    assert end - start == pytest.approx(complex(moves.mean()))
    assert start == pytest.approx(complex(FACE.mean()))
    assert spread < 0.1


def test_where_half_of_the_points_move_otherwise_neither_half_wins() -> None:
    """A robust fit would side with one of them."""
    moves = np.where(np.arange(len(FACE)) % 2, 6j, 0)
    start, end, _ = moved(FACE, FACE + moves, noise=0.3)
    assert 1 < (end - start).imag < 5


def test_a_few_points_that_move_otherwise_hardly_count() -> None:
    moves = np.zeros(len(FACE), complex)
    moves[0] = 30
    start, end, _ = moved(FACE, FACE + moves, noise=0.3)
    assert abs(end - start) < 0.3


@hypothesis.settings(deadline=None)
@hypothesis.given(scales, angles, shifts)
def test_another_turn_leaves_the_point_where_it_was(scale: float, angle: float, shift: complex) -> None:
    there = similarity(scale, angle, shift)
    turned = there.with_turn(np.asarray(1 + 0.5j), about=50 + 40j)
    assert same(turned.of(FACE[4:5]), there.of(FACE[4:5]))
    assert same(turned.a, np.asarray(1 + 0.5j))
