"""Presentation times into what a player makes of them: rate, length, evenness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Frame times in containers are rounded to 1 ms; anything beyond this is a rate that really varies.
_UNEVEN_MS = 2.0
_UNEVEN_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When the frames of a video are shown."""

    fps: float
    #: (n,) presentation times of all frames that are shown.
    times_ms: NDArray[np.float64]
    duration_ms: float
    start_ms: float
    variable_frame_rate: bool


def timing(times_ms: Sequence[float], *, end_ms: float, named_fps: float | None) -> Timing:
    """
    The timing of a video.

    Args:
        times_ms: presentation times, rising; at least one.
        end_ms: when the last frame ends, as far as the file says so.
        named_fps: the rate that the container names.
    """
    times = np.array(times_ms)
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    uneven = float(np.abs(steps - step).max()) if len(steps) else 0.0
    end = end_ms if end_ms > times[-1] else times[-1] + (step or 1000 / 30)
    measured = 1000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 1000 / (end - times[0])
    # A container's rate is exact where times are rounded to 1 ms, but only where it is true.
    is_true = named_fps is not None and abs(named_fps - measured) < 0.005 * measured
    return Timing(
        fps=named_fps if named_fps is not None and is_true else float(measured),
        times_ms=times,
        duration_ms=float(end - times[0]),
        start_ms=float(times[0]),
        variable_frame_rate=uneven > max(_UNEVEN_MS, _UNEVEN_SHARE * step),
    )
