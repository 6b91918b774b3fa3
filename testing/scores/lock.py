"""
How firmly anchors hold to a face whose motion is known. Pure.

An anchor ought to sit on one point of the face. Which one is its own affair: it is the median of where the
anchor sat on the face, so a constant offset costs nothing but coming loose from it does (``off_px`` says how
large the offset is).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testing.reading import Floats, Mask, Reading
from testing.truth import PARTS, Truth

# Shifts that are tried for the lag, frames.
_SHIFTS = np.arange(-4, 4.01, 0.25)
# A motion below this many target px has no lag that could be told.
_MOVES_PX = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """
    One part against the truth; None where it can't be told.

    Args:
        lock_px: rms distance from the point of the face that it sits on, target px.
        worst_px: the largest one.
        jitter_px: rms change of that distance's vector from one frame to the next.
        lag_frames: shift at which the anchor follows best; late is positive.
        seam_px: jump of the distance's vector across the end of a closed loop.
        wobble: standard deviation of its width over the face's true scale, %.
        roll_deg: rms error of its roll.
        off_px: from the middle of what it must cover to that point, in the film's first frame.
        shown: share of the frames with a face in which there is an anchor.
        frames: how many frames were judged.
    """

    lock_px: float
    worst_px: float
    jitter_px: float
    lag_frames: float | None
    seam_px: float | None
    wobble: float
    roll_deg: float
    off_px: float
    shown: float
    frames: int


def lock(truth: Truth, reading: Reading, part: str, judged: Mask | None = None) -> Lock | None:
    """
    Score *part* of a timeline.

    Args:
        truth: what the film shows.
        reading: the timeline.
        part: mouth or eyes.
        judged: (n,) which frames count; all with a face, if None.

    Returns:
        None where no frame can be judged.
    """
    counts = truth.has_face if judged is None else truth.has_face & judged
    values = reading.at(part, truth.times_ms)
    seen = counts & ~np.isnan(values[:, 0])
    if seen.sum() < 3:
        return None
    scale, offset = reading.placement(truth.size)
    matrices = _in_target(truth.places[part], scale, offset)
    centres = values[:, :2]
    error = _error(centres, matrices, seen)
    steps = np.diff(error, axis=0)[seen[1:] & seen[:-1]]
    size = values[:, 2] / _scale(matrices)
    roll = values[:, 4] - _roll(matrices)
    roll = roll[seen] - np.median(roll[seen])
    jump = error[0] - error[-1]
    length = np.hypot(*error[seen].T)
    first = _target_middle(truth, part, scale, offset)
    return Lock(
        lock_px=_rms(length),
        worst_px=float(length.max()),
        jitter_px=_rms(np.hypot(*steps.T)) if len(steps) else 0.0,
        lag_frames=_lag(truth, centres, matrices, seen),
        seam_px=float(np.hypot(*jump)) if truth.closed and seen[0] and seen[-1] else None,
        wobble=100 * float(np.std(size[seen]) / np.mean(size[seen])),
        roll_deg=_rms((roll + 180) % 360 - 180),
        off_px=float(np.hypot(*(_of(matrices[:1], _point(centres, matrices, seen))[0] - first))),
        shown=float(seen.sum() / max(counts.sum(), 1)),
        frames=int(seen.sum()),
    )


def _in_target(places: Floats, scale: Floats, offset: Floats) -> Floats:
    matrices = places * scale[None, :, None]
    matrices[:, :, 2] += offset
    return np.asarray(matrices)


def _of(matrices: Floats, point: Floats) -> Floats:
    return np.asarray(matrices[:, :, :2] @ point + matrices[:, :, 2])


def _point(centres: Floats, matrices: Floats, seen: Mask) -> Floats:
    """The point of the still that the anchor sits on."""
    back = np.linalg.solve(matrices[seen, :, :2], (centres - matrices[:, :, 2])[seen, :, None])[..., 0]
    return np.asarray(np.median(back, axis=0))


def _error(centres: Floats, matrices: Floats, seen: Mask) -> Floats:
    return np.asarray(centres - _of(matrices, _point(centres, matrices, seen)))


def _target_middle(truth: Truth, part: str, scale: Floats, offset: Floats) -> Floats:
    left, top, right, bottom = truth.boxes[part]
    return np.array([(left + right) / 2, (top + bottom) / 2]) * scale + offset


def _scale(matrices: Floats) -> Floats:
    return np.asarray(np.sqrt(np.abs(np.linalg.det(matrices[:, :, :2]))))


def _roll(matrices: Floats) -> Floats:
    """Degrees clockwise: the turn of the similarity nearest to each map."""
    turn = np.arctan2(matrices[:, 1, 0] - matrices[:, 0, 1], matrices[:, 0, 0] + matrices[:, 1, 1])
    return np.degrees(np.unwrap(turn))


def _lag(truth: Truth, centres: Floats, matrices: Floats, seen: Mask) -> float | None:
    """The shift of the truth that the anchor fits best, refined by a parabola."""
    moved = np.ptp(_of(matrices, _point(centres, matrices, seen)), axis=0)
    if float(np.hypot(*moved)) < _MOVES_PX:
        return None
    times = truth.times_ms
    step = float(np.median(np.diff(times)))
    # An open film says nothing of what was before it or is after it.
    inner = seen.copy()
    if not truth.closed:
        inner &= (times >= times[0] + 4 * step) & (times <= times[-1] - 4 * step)
    if inner.sum() < 3:
        return None
    costs = []
    for shift in _SHIFTS:
        at = times - shift * step
        period = truth.duration_ms if truth.closed else None
        shifted = np.stack(
            [np.interp(at, times, column, period=period) for column in matrices.reshape(-1, 6).T], axis=1
        ).reshape(-1, 2, 3)
        costs.append(float((_error(centres, shifted, inner)[inner] ** 2).sum()))
    best = int(np.clip(np.argmin(costs), 1, len(costs) - 2))
    before, here, after = costs[best - 1 : best + 2]
    bend = before - 2 * here + after
    return float(_SHIFTS[best] + (0.125 * (before - after) / bend if bend > 0 else 0.0))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def both(truth: Truth, reading: Reading, judged: Mask | None = None) -> dict[str, Lock]:
    """The parts that can be scored."""
    scores = {part: lock(truth, reading, part, judged) for part in PARTS}
    return {part: score for part, score in scores.items() if score is not None}
