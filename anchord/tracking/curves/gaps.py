"""What stands where no face was seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.timeline import Status

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """
    Which samples have an anchor, and what it rests on.

    Args:
        status: per sample; None where it is left out of the timeline.
        gaps_ms: (first, last) times of the stretches left out.
        longest_gap_ms: longest stretch without a face, from the frame after a face to the next one.
    """

    status: list[Status | None]
    gaps_ms: list[tuple[float, float]]
    longest_gap_ms: float


def stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def coverage(times_ms: Floats, has_face: NDArray[np.bool_], *, max_gap_ms: float) -> Coverage:
    """
    Mark each sample: a short stretch without a face is bridged, or held at the ends; a long one is
    left out, so that a page can hide the overlay there.

    Args:
        times_ms: (n,) rising.
        has_face: (n,).
        max_gap_ms: the longest stretch that is not left out.
    """
    status: list[Status | None] = ["tracked"] * len(times_ms)
    gaps_ms, longest_ms = [], 0.0
    step_ms = float(np.median(np.diff(times_ms))) if len(times_ms) > 1 else 0.0
    for first, last in stretches(~has_face):
        is_inside = first > 0 and last < len(times_ms) - 1
        # From the last face to the next one; at an end only as far as the samples go.
        length_ms = float(times_ms[min(last + 1, len(times_ms) - 1)] - times_ms[first]) + (
            0.0 if last < len(times_ms) - 1 else step_ms
        )
        longest_ms = max(longest_ms, length_ms)
        is_short = length_ms <= max_gap_ms and has_face.any()
        mark: Status | None = None
        if is_short:
            mark = "interpolated" if is_inside else "held"
        else:
            gaps_ms.append((float(times_ms[first]), float(times_ms[last])))
        status[first : last + 1] = [mark] * (last + 1 - first)
    return Coverage(status=status, gaps_ms=gaps_ms, longest_gap_ms=longest_ms)
