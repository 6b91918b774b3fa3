"""One queue of due times for everything that is done later. Pure: time is an argument."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False, repr=False)
class Timers:
    """What is due when. Each thing is due once: a later time for it takes the place of an earlier."""

    _due_s: dict[Hashable, float] = field(default_factory=dict, init=False)
    # The same, soonest first, with entries among them that are no longer true.
    _soonest: list[tuple[float, int, Hashable]] = field(default_factory=list, init=False)
    # Things due at the same time come in the order in which they were set.
    _count: int = field(default=0, init=False)

    def set(self, what: Hashable, *, at_s: float) -> None:
        """*what* is due at *at_s*, and at no other time."""
        self._due_s[what] = at_s
        self._count += 1
        heapq.heappush(self._soonest, (at_s, self._count, what))
        if len(self._soonest) > 64 + 4 * len(self._due_s):  # mostly entries that were replaced
            self._soonest = [(due_s, i, what) for i, (what, due_s) in enumerate(self._due_s.items())]
            heapq.heapify(self._soonest)

    def set_by(self, what: Hashable, *, at_s: float) -> None:
        """*what* is due at *at_s*, unless it is due earlier already."""
        if at_s < self._due_s.get(what, float("inf")):
            self.set(what, at_s=at_s)

    def cancel(self, what: Hashable) -> None:
        """*what* is not due any more."""
        self._due_s.pop(what, None)

    def is_set(self, what: Hashable) -> bool:
        """Whether *what* is due at some time."""
        return what in self._due_s

    def pop_due(self, *, now_s: float) -> Hashable | None:
        """What has been due longest, which then is due no more; None if nothing is."""
        if self.wait_s(now_s=now_s) != 0.0:
            return None
        what = heapq.heappop(self._soonest)[2]
        del self._due_s[what]
        return what

    def wait_s(self, *, now_s: float) -> float | None:
        """Seconds until something is due, 0 if something is; None if nothing ever will be."""
        while self._soonest and self._due_s.get(self._soonest[0][2]) != self._soonest[0][0]:
            heapq.heappop(self._soonest)
        return max(0.0, self._soonest[0][0] - now_s) if self._soonest else None
