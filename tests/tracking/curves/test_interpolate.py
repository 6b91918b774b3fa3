"""What a player makes of samples."""

from __future__ import annotations

import numpy as np

from anchord.tracking.curves.interpolate import between, for_straight_lines

FRAMES = np.arange(120) * 1000 / 30


def circle(times_ms: np.ndarray, period_ms: float = 2000.0) -> np.ndarray:
    angle = 2 * np.pi * times_ms / period_ms
    return 20 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).sum(axis=1).mean()))


def drawn(times_ms: np.ndarray, values: np.ndarray, period_ms: float) -> np.ndarray:
    times = np.append(times_ms, times_ms[0] + period_ms)
    closed = np.concatenate([values, values[:1]])
    return np.stack([np.interp(FRAMES, times, column) for column in closed.T], axis=1)


def test_the_curve_goes_through_its_samples() -> None:
    times = FRAMES[::3]
    assert np.allclose(between(times, circle(times), times), circle(times))


def test_between_samples_it_follows_the_motion() -> None:
    times = FRAMES[::3]
    assert rms(between(times, circle(times), FRAMES, 4000.0) - circle(FRAMES)) < 0.1


def test_outside_its_samples_it_stands_still() -> None:
    times = np.array([100.0, 200, 300, 400])
    values = times[:, None] / 100
    assert between(times, values, np.array([0.0, 900])).ravel().tolist() == [1.0, 4.0]


def test_straight_lines_then_lie_nearer_to_the_motion() -> None:
    times = FRAMES[::3]
    plain = rms(drawn(times, circle(times), 4000.0) - circle(FRAMES))
    fit = for_straight_lines(times, circle(times), FRAMES, circle(FRAMES), 4000.0)
    assert rms(drawn(times, fit, 4000.0) - circle(FRAMES)) < 0.65 * plain


def test_where_every_frame_is_a_sample_nothing_changes() -> None:
    assert np.allclose(
        for_straight_lines(FRAMES, circle(FRAMES), FRAMES, circle(FRAMES), 4000.0), circle(FRAMES), atol=1e-9
    )


def test_a_straight_motion_is_left_as_it_is() -> None:
    times = FRAMES[::4]
    values = times[:, None] * 0.01
    frames = FRAMES[times[-1] >= FRAMES]
    assert np.allclose(for_straight_lines(times, values, frames, frames[:, None] * 0.01), values, atol=1e-9)
