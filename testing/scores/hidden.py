"""
What is said to be hidden against what is: per part and in time. Pure.

A frame *must* be marked where half of the part is covered, *must not* where nothing is, and a player does not
mind either in between. Where there is no anchor, or none that was seen, nothing false is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testing.reading import Floats, Mask, Reading
from testing.truth import Truth

#: Share of a part from which on it must be marked, and up to which it must not.
MUST, MUST_NOT = 0.5, 0.02
#: A part that is covered for less long need not be marked, ms.
SHORTEST_MS = 400.0
#: So long before and after something covers it a part may be marked, ms: samples are coarse.
FRINGE_MS = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """
    One part.

    Args:
        hands: how often it must be marked.
        found: how many of these were marked for half of their time or more.
        late_ms: the longest from where it must be marked to where it is.
        overlong_ms: the longest that it stays marked after nothing covers it any more.
        false_ms: marked though nothing is near it.
        alarms: how many stretches that is.
        clear_ms: how long it must not be marked.
    """

    hands: int
    found: int
    late_ms: float
    overlong_ms: float
    false_ms: float
    alarms: int
    clear_ms: float


def hidden(truth: Truth, reading: Reading, part: str) -> Hidden:
    """Score *part*."""
    times, cover = truth.times_ms, truth.covered[part]
    lasts_ms = np.diff(np.append(times, times[0] + truth.duration_ms))
    marked = reading.hidden(part, times)
    # What is not shown, or shown where nobody says that it was seen, is no false promise.
    silent = ~reading.is_tracked(times)
    touched = (cover > MUST_NOT) | ~truth.has_face
    near = _widened(touched, times, FRINGE_MS)
    false = marked & ~near & ~silent
    hands = found = 0
    late_ms = 0.0
    for first, last in stretches(cover >= MUST):
        if lasts_ms[first : last + 1].sum() < SHORTEST_MS - 1:
            continue
        hands += 1
        here = (marked | silent)[first : last + 1]
        found += bool(np.average(here, weights=lasts_ms[first : last + 1]) >= 0.5)
        if here.any():
            late_ms = max(late_ms, float(times[first + int(here.argmax())] - times[first]))
    overlong_ms = 0.0
    for _, last in stretches(touched):
        after = marked[last + 1 :]
        until = last + int(after.argmin()) if len(after) and not after.all() else len(times) - 1
        overlong_ms = max(overlong_ms, float(times[until] - times[last]))
    return Hidden(
        hands=hands,
        found=found,
        late_ms=late_ms,
        overlong_ms=overlong_ms,
        false_ms=float(lasts_ms[false].sum()),
        alarms=len(stretches(false)),
        clear_ms=float(lasts_ms[~near].sum()),
    )


def stretches(mask: Mask) -> list[tuple[int, int]]:
    """First and last index of each run of a mask."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _widened(mask: Mask, times_ms: Floats, by_ms: float) -> Mask:
    wide = mask.copy()
    for first, last in stretches(mask):
        wide |= (times_ms >= times_ms[first] - by_ms) & (times_ms <= times_ms[last] + by_ms)
    return wide
