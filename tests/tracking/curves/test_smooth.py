"""Noise out, motion in, and nothing late."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from anchord.tracking.curves.smooth import Piece, outliers, pieces, smoothed

TIMES = np.arange(120) * 1000 / 30
ALL = np.ones(120, bool)
ONE = (slice(0, 1),)


def nod(times_ms: np.ndarray, hz: float, height: float = 5.0) -> np.ndarray:
    return height * np.sin(2 * np.pi * hz * times_ms / 1000)[:, None]


def noise(sigma: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma, (120, 1))


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean()))


@hypothesis.settings(deadline=None, max_examples=25)
@hypothesis.given(
    st.floats(-10, 10),
    st.floats(-5, 5),
    st.floats(-2, 2),
    st.lists(st.floats(10, 120), min_size=12, max_size=40),
)
def test_a_parabola_is_left_as_it_is_also_on_uneven_times(
    start: float, speed: float, bend: float, steps: list[float]
) -> None:
    times = np.cumsum(steps)
    t = (times - times[0]) / 1000
    values = (start + speed * t + bend * t**2)[:, None]
    cut = pieces(times, np.ones(len(times), bool), None)
    made = smoothed(values, np.ones(len(times)), cut, ONE, 150.0)
    assert np.abs(made.values - values).max() < 1e-4


def test_a_still_face_is_averaged_hard() -> None:
    made = smoothed(noise(0.3), np.ones(120), pieces(TIMES, ALL, None), ONE, None)
    assert made.width_ms[0] > 300
    assert rms(made.values) < 0.1


@pytest.mark.parametrize("hz", [0.25, 1.0, 2.0])
def test_a_moving_face_is_not_flattened_and_nothing_is_late(hz: float) -> None:
    true = nod(TIMES, hz)
    made = smoothed(true + noise(0.1), np.ones(120), pieces(TIMES, ALL, None), ONE, None)
    assert rms(made.values - true) < 0.1
    shifted = [rms(made.values[5:-5] - nod(TIMES - lag, hz)[5:-5]) for lag in (-10, 0, 10)]
    assert shifted[1] == min(shifted)


def test_the_quicker_the_motion_the_narrower_the_bell() -> None:
    widths = [
        smoothed(nod(TIMES, hz) + noise(0.2), np.ones(120), pieces(TIMES, ALL, None), ONE, None).width_ms[0]
        for hz in (0.1, 0.5, 2.0)
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1]


def test_off_means_off() -> None:
    values = noise(1)
    assert (smoothed(values, np.ones(120), pieces(TIMES, ALL, None), ONE, 0).values == values).all()


def test_nothing_is_averaged_across_a_gap() -> None:
    known = ALL.copy()
    known[50:60] = False
    step = np.where(np.arange(120) < 55, 0.0, 100.0)[:, None]
    made = smoothed(step, np.ones(120), pieces(TIMES, known, None), ONE, 300.0)
    assert np.abs(made.values[known] - step[known]).max() < 1e-6


def test_a_closed_loop_is_averaged_across_its_end() -> None:
    true = nod(TIMES, 0.25)
    cut = pieces(TIMES, ALL, 4000.0)
    assert [piece.period_ms for piece in cut] == [4000.0]
    made = smoothed(true + noise(0.3), np.ones(120), cut, ONE, 190.0)
    turned = smoothed(np.roll(true + noise(0.3), 60, axis=0), np.ones(120), cut, ONE, 190.0)
    assert np.allclose(np.roll(made.values, 60, axis=0), turned.values, atol=1e-9)


def test_a_loop_with_a_gap_goes_on_from_its_last_piece_to_its_first() -> None:
    known = ALL.copy()
    known[40:50] = False
    cut = pieces(TIMES, known, 4000.0)
    assert [list(piece.index[[0, -1]]) for piece in cut] == [[50, 39]]
    assert (np.diff(cut[0].times_ms) > 0).all()


def test_an_outlier_is_found_and_its_neighbours_are_not() -> None:
    values = nod(TIMES, 0.5) + noise(0.05)
    values[30] += 6
    values[77] -= 4
    out = outliers(values, pieces(TIMES, ALL, None), least=0.5)
    assert np.flatnonzero(out).tolist() == [30, 77]


def test_quick_motion_is_no_outlier() -> None:
    assert not outliers(nod(TIMES, 2.0), pieces(TIMES, ALL, None), least=0.5).any()


def test_a_handful_of_samples_is_left_alone() -> None:
    few = Piece(index=np.arange(3), times_ms=TIMES[:3])
    values = np.array([[0.0], [9.0], [0.0]])
    assert (smoothed(values, np.ones(3), [few], ONE, None).values == values).all()
