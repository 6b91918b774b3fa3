"""
Which task is next, and which packs are left alone. Pure: time is an argument.

::

    settled ──> queued ──> working ──┬─> done
                  ^                  ├─> parked until what it was parked with changes   (content)
                  └──── retry at ────┘   after a growing pause                          (machine)
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from anchord.service.timers import Timers

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 900.0

# After so many newly dropped packs in a row, one of the backlog gets its turn.
_NEW_IN_A_ROW = 4

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RetryDue:
    """A pack's pause is over."""

    pack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Left alone while its files are those of *key*."""

    key: Hashable
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Tried again at *at_s*; the pause before that was *pause_s*."""

    at_s: float
    pause_s: float
    reason: str


@dataclass(slots=True, eq=False, repr=False)
class _Line:
    """Packs in the order of a rank; of equals, in the order in which they came."""

    _order: list[tuple[float, int, str]] = field(default_factory=list, init=False)
    _places: dict[str, tuple[float, int, str]] = field(default_factory=dict, init=False)
    _count: int = field(default=0, init=False)

    def add(self, pack: str, rank: float) -> None:
        self._count += 1
        place = self._places[pack] = (rank, self._count, pack)
        insort(self._order, place)

    def discard(self, pack: str) -> None:
        if (place := self._places.pop(pack, None)) is not None:
            del self._order[bisect_left(self._order, place)]

    def __iter__(self) -> Iterator[str]:
        return (pack for _, _, pack in self._order)

    def __len__(self) -> int:
        return len(self._order)


@dataclass(slots=True, eq=False, repr=False)
class Queue(Generic[Item]):
    """
    At most one task for each pack waits, and one is worked on.

    Packs that were not worked on before go first, so that a new video does not wait behind a long
    backlog, which is in order of age; and one that changes all the time waits behind all others.

    Args:
        timers: gets a ``RetryDue`` for each pack that is tried again.
    """

    timers: Timers
    #: Packs that are worked on.
    working: set[str] = field(default_factory=set, init=False)
    _new: _Line = field(default_factory=_Line, init=False)
    _backlog: _Line = field(default_factory=_Line, init=False)
    _worked: set[str] = field(default_factory=set, init=False)
    _new_in_a_row: int = field(default=0, init=False)
    # Pack -> its task, and since when it has waited.
    _queued: dict[str, tuple[Item, float]] = field(default_factory=dict, init=False)
    _parked: dict[str, Parked] = field(default_factory=dict, init=False)
    _retries: dict[str, Retry] = field(default_factory=dict, init=False)
    # Pack -> its last pause, kept while it fails so that the next one is longer.
    _pauses_s: dict[str, float] = field(default_factory=dict, init=False)
    # Packs that turned out to have changed under way.
    _unsettled: deque[str] = field(default_factory=deque, init=False)

    def add(
        self, pack: str, task: Item, *, now_s: float, is_backlog: bool = False, changed_s: float = 0.0
    ) -> None:
        """
        Queue a *task* for *pack*, in the place of the one that waits already; what held it back is over.

        Args:
            pack: its id.
            task: what is to be done.
            now_s: time.
            is_backlog: it was there before the daemon was.
            changed_s: when it last changed, by any clock: its place in the backlog.
        """
        self._release(pack)
        if pack in self._queued:
            self._queued[pack] = (task, self._queued[pack][1])
            return
        self._queued[pack] = (task, now_s)
        is_new = not is_backlog and pack not in self._worked
        if is_new:
            self._new.add(pack, 0.0)
        else:
            self._backlog.add(pack, changed_s)

    def start_next(self, *, now_s: float) -> tuple[Item, float] | None:
        """The task that is worked on from now, and how long it was queued, s; None where none is ready."""
        for queue in self._in_turn():
            for pack in queue:
                if pack not in self.working:
                    queue.discard(pack)
                    self._new_in_a_row = self._new_in_a_row + 1 if queue is self._new else 0
                    self.working.add(pack)
                    self._worked.add(pack)
                    task, since_s = self._queued.pop(pack)
                    return task, max(0.0, now_s - since_s)
        return None

    def _in_turn(self) -> tuple[_Line, _Line]:
        is_turn_of_new = self._new_in_a_row < _NEW_IN_A_ROW or not self._backlog
        return (self._new, self._backlog) if is_turn_of_new else (self._backlog, self._new)

    def finish(self, pack: str) -> None:
        """*pack* is up to date, or has nothing that could be worked on."""
        self.working.discard(pack)
        self._pauses_s.pop(pack, None)
        self._release(pack)

    def park(self, pack: str, *, key: Hashable, reason: str) -> None:
        """Leave *pack* alone until its files are no longer those of *key*; not if it is queued again."""
        self.finish(pack)
        if pack not in self._queued:
            self._parked[pack] = Parked(key=key, reason=reason)

    def retry(self, pack: str, *, now_s: float, reason: str) -> float:
        """Try *pack* again after a pause, twice as long each time; returns that pause, s."""
        self.working.discard(pack)
        pause_s = min(2 * self._pauses_s.get(pack, FIRST_PAUSE_S / 2), LONGEST_PAUSE_S)
        self._pauses_s[pack] = pause_s
        if pack not in self._queued:
            self._retries[pack] = Retry(at_s=now_s + pause_s, pause_s=pause_s, reason=reason)
            self.timers.set(RetryDue(pack), at_s=now_s + pause_s)
        return pause_s

    def due(self, pack: str) -> None:
        """The pause of *pack* is over; how long it was is remembered until something goes well."""
        self._retries.pop(pack, None)

    def unsettle(self, pack: str) -> None:
        """What was worked on has changed meanwhile: it must settle anew."""
        self.working.discard(pack)
        self._unsettled.append(pack)

    def pop_unsettled(self) -> str | None:
        """A pack that must settle anew; None where there is none."""
        return self._unsettled.popleft() if self._unsettled else None

    def changed(self, pack: str) -> None:
        """
        What matters in *pack* is not as it was: no pause that it has counts any more, and what waits was
        decided about something else.
        """
        self._pauses_s.pop(pack, None)
        self._release(pack)
        self._drop(pack)

    def forget(self, pack: str) -> None:
        """*pack* is gone. A task that is worked on goes on, and finds that out by itself."""
        self.changed(pack)
        self._worked.discard(pack)

    def unpark_all(self) -> None:
        """Give every parked pack another chance: the settings have changed."""
        self._parked.clear()

    def is_parked(self, pack: str, key: Hashable) -> bool:
        """Whether *pack* was parked with just this *key*."""
        parked = self._parked.get(pack)
        return parked is not None and parked.key == key

    @property
    def parked(self) -> Mapping[str, Parked]:
        """Packs that are left alone."""
        return self._parked

    @property
    def retries(self) -> Mapping[str, Retry]:
        """Packs that are tried again later."""
        return self._retries

    @property
    def queued(self) -> list[str]:
        """The packs that wait for their turn."""
        return list(self._queued)

    @property
    def length(self) -> int:
        """How many they are."""
        return len(self._queued)

    def ahead(self) -> list[Item]:
        """Their tasks, about in the order in which they will be begun."""
        return [self._queued[pack][0] for line in (self._new, self._backlog) for pack in line]

    def _release(self, pack: str) -> None:
        self._parked.pop(pack, None)
        if self._retries.pop(pack, None) is not None:
            self.timers.cancel(RetryDue(pack))

    def _drop(self, pack: str) -> None:
        if self._queued.pop(pack, None) is not None:
            self._new.discard(pack)
            self._backlog.discard(pack)
