"""Touches and the time into settled packs. Pure: time is an argument."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field


@dataclass(slots=True)
class Settler:
    """
    Hold each pack back until nothing in it has changed for *settle_s* seconds.

    There is no longest wait, on purpose: a half-copied video is worse than a late one.
    """

    settle_s: float

    # Pack -> time of its last touch.
    _touched_s: dict[str, float] = field(default_factory=dict, init=False)
    # The same, oldest first, with touches among them that later ones have replaced.
    _oldest: list[tuple[float, str]] = field(default_factory=list, init=False)
    # Pack -> time of the first touch since it last stood still.
    _restless_since_s: dict[str, float] = field(default_factory=dict, init=False)

    def touch(self, pack: str, *, at_s: float) -> None:
        """Note that something in *pack* changed at *at_s* (monotonic clock)."""
        self._restless_since_s.setdefault(pack, at_s)
        self._touched_s[pack] = at_s
        heapq.heappush(self._oldest, (at_s, pack))

    def forget(self, pack: str) -> None:
        """*pack* stands still, or is gone."""
        self._touched_s.pop(pack, None)
        self._restless_since_s.pop(pack, None)

    def wait_s(self, *, now_s: float) -> float | None:
        """Seconds until a pack settles, 0 if one has; None if none is held back."""
        while self._oldest and self._touched_s.get(self._oldest[0][1]) != self._oldest[0][0]:
            heapq.heappop(self._oldest)
        if not self._oldest:
            return None
        return max(0.0, self._oldest[0][0] + self.settle_s - now_s)

    def pop_settled(self, *, now_s: float) -> str | None:
        """
        The settled pack that has been quiet longest, which is then no longer held; None if none is.

        Whoever finds that it does not stand still after all touches it again; else it is forgotten.
        """
        if self.wait_s(now_s=now_s) != 0.0:
            return None
        _, pack = heapq.heappop(self._oldest)
        del self._touched_s[pack]
        return pack

    def restless(self, *, now_s: float, longer_than_s: float) -> dict[str, float]:
        """Packs that have kept changing for longer than that, and for how long, s."""
        return {
            pack: now_s - since_s
            for pack, since_s in self._restless_since_s.items()
            if now_s - since_s > longer_than_s
        }

    @property
    def held(self) -> list[str]:
        """The packs that are held back."""
        return list(self._touched_s)
