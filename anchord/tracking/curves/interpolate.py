"""What a curve does between its samples, and what a player makes of it. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 40


def between(times_ms: Floats, values: Floats, wanted_ms: Floats, period_ms: float | None = None) -> Floats:
    """
    A smooth curve through samples, read at other times.

    Cubic Hermite pieces whose slopes are those of the parabolas through three neighbours, and at the ends
    those of the straight line to the only one; outside the samples it stands still. The page reads a
    timeline like this.

    Args:
        times_ms: (n,) rising.
        values: (n, c).
        wanted_ms: (m,) any.
        period_ms: where the curve repeats, after which time.

    Returns:
        (m, c)
    """
    if period_ms is not None:
        wanted_ms = times_ms[0] + np.mod(wanted_ms - times_ms[0], period_ms)
        times_ms = np.concatenate([times_ms[-2:] - period_ms, times_ms, times_ms[:2] + period_ms])
        values = np.concatenate([values[-2:], values, values[:2]])
    if len(times_ms) < 3:
        return np.stack([np.interp(wanted_ms, times_ms, column) for column in values.T], axis=1)
    steps = np.diff(times_ms)[:, None]
    secants = np.diff(values, axis=0) / steps
    slopes = np.empty_like(values)
    slopes[1:-1] = (secants[:-1] * steps[1:] + secants[1:] * steps[:-1]) / (steps[:-1] + steps[1:])
    slopes[0], slopes[-1] = secants[0], secants[-1]
    k = np.clip(np.searchsorted(times_ms, wanted_ms, side="right") - 1, 0, len(times_ms) - 2)
    step = steps[k]
    u = np.clip((wanted_ms - times_ms[k])[:, None] / step, 0, 1)
    result: Floats = (
        (1 + 2 * u) * (1 - u) ** 2 * values[k]
        + u * (1 - u) ** 2 * step * slopes[k]
        + u**2 * (3 - 2 * u) * values[k + 1]
        + u**2 * (u - 1) * step * slopes[k + 1]
    )
    return result


def for_straight_lines(
    times_ms: Floats,
    values: Floats,
    frame_times_ms: Floats,
    curve: Floats,
    period_ms: float | None = None,
) -> Floats:
    """
    Values for a player that draws straight lines between samples.

    Chords of a curve lie on its inner side; these values are such that over all *frames* the lines
    lie nearest to the curve (least squares), which halves what a player is off at a sample rate of 3.

    Args:
        times_ms: (n,) of the samples, rising.
        values: (n, c) on the curve.
        frame_times_ms: (m,) of every frame between the first and the last sample, or of the loop.
        curve: (m, c) what is right in these frames.
        period_ms: where the curve repeats, after which time.

    Returns:
        (n, c)
    """
    count = len(times_ms)
    if count < 3:
        return values
    ends = np.append(times_ms, times_ms[0] + period_ms) if period_ms is not None else times_ms
    left = np.clip(np.searchsorted(ends, frame_times_ms, side="right") - 1, 0, len(ends) - 2)
    share = np.clip((frame_times_ms - ends[left]) / (ends[left + 1] - ends[left]), 0, 1)
    right = (left + 1) % count

    def gathered(of_left: Floats, of_right: Floats) -> Floats:
        return np.asarray(np.bincount(left, of_left, count) + np.bincount(right, of_right, count), np.float64)

    diagonal = np.maximum(gathered((1 - share) ** 2, share**2), 1e-9)[:, None]
    result: Floats = values.copy()
    # Each line's frames pull at both its ends, but most at the nearer one: Jacobi's steps converge fast.
    for _ in range(_STEPS):
        off = curve - ((1 - share)[:, None] * result[left] + share[:, None] * result[right])
        pull = np.stack(
            [gathered((1 - share) * column, share * column) for column in off.T],
            axis=1,
        )
        # Damped: the neighbour moves as well.
        result += 0.7 * pull / diagonal
    return result
