"""
Which packs a round looks at, where it need not look at all of them. Pure.

A root with a hundred thousand packs costs more to look at than to list. Listing tells which are new and which
are gone; file events tell of the rest, and have to be doubted only now and then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

#: So many of the packs that events tell of are looked at in each round, and all of them in turn. One look
#: takes 10 us of CPU time.
LOOKED_AT = 5000


@dataclass(slots=True)
class Rota:
    """Whose turn it is."""

    most: int = LOOKED_AT
    # Those of this turn that have not been looked at.
    _left: deque[str] = field(default_factory=deque, init=False)

    def pick(self, ids: Collection[str], seen: Collection[str], silent: Iterable[str]) -> list[str]:
        """
        Packs to be looked at now: the new ones, the *silent* ones, and as many others as may be.

        Args:
            ids: all packs that there are.
            seen: those that were looked at before, always in the same order.
            silent: those whose changes no event tells of.
        """
        chosen = dict.fromkeys(pack for pack in ids if pack not in seen)
        chosen |= dict.fromkeys(silent)
        for _ in range(min(self.most, len(seen))):
            if not self._left:
                self._left.extend(seen)
            chosen[self._left.popleft()] = None
        return [pack for pack in chosen if pack in ids]
