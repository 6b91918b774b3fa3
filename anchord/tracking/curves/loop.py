"""Whether a clip's last frame leads back to its first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.tuning import TUNING

Floats = NDArray[np.float64]

# Samples at each end whose motion is carried across.
_END = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """
    Where a loop's end meets its beginning.

    Args:
        jump: how far the first frame is from where the last ones lead, in distances of the eyes'
            corners; None where an end shows no face.
        is_closed: whether that is no more than the clip's own unsteadiness.
        is_almost: whether it jumps, but so little that a loop was meant.
    """

    jump: float | None
    is_closed: bool
    is_almost: bool


def seam(times_ms: Floats, known: NDArray[np.bool_], curves: Sequence[Floats], duration_ms: float) -> Seam:
    """
    Measure the seam.

    Args:
        times_ms: (n,) rising; the last must be the last frame's.
        known: (n,) which samples have a face.
        curves: for each part (n, c), all columns in distances of the eyes' corners.
        duration_ms: when the first frame comes again, after its first time.
    """
    if len(known) < 4 * _END or not (known[:_END].all() and known[-_END:].all()):
        return Seam(jump=None, is_closed=False, is_almost=False)
    around = np.concatenate([times_ms[-_END:], times_ms[:_END] + duration_ms])
    jump = max(_jump(around, np.concatenate([curve[-_END:], curve[:_END]])) for curve in curves)
    usual = [
        _jump(times_ms[i - _END : i + _END], curve[i - _END : i + _END])
        for curve in curves
        for i in range(_END, len(known) - _END + 1)
        if known[i - _END : i + _END].all()
    ]
    unsteady = 1.5 * float(np.percentile(usual, 95)) if usual else 0.0
    is_closed = jump <= np.clip(unsteady, TUNING.unseen, TUNING.unexplained)
    return Seam(jump=jump, is_closed=bool(is_closed), is_almost=not is_closed and jump <= TUNING.almost)


def _jump(times_ms: Floats, values: Floats) -> float:
    """How far the second half is from where the motion on both sides of the middle leads."""
    before, after = _END - 1, _END
    speed_before = (values[before] - values[0]) / (times_ms[before] - times_ms[0])
    speed_after = (values[-1] - values[after]) / (times_ms[-1] - times_ms[after])
    across = (speed_before + speed_after) / 2 * (times_ms[after] - times_ms[before])
    return float(np.linalg.norm((values[after] - values[before] - across)[:2]))
