"""
Which pack is worked on next, and which ones are left alone. Pure: time is an argument.

::

    settled ──> queued ──> working ──┬─> done
                  ^                  ├─> parked until its key changes   (content)
                  └──── retry at ────┘   after a growing pause          (environment)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 900.0

# After so many newly dropped packs in a row, one of the backlog gets its turn.
_NEW_IN_A_ROW = 4


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


@dataclass(slots=True)
class Schedule:
    """
    One job at a time, and one more pending at most for each pack.

    Packs that were not worked on before go first, so that a new video does not wait behind a long
    backlog; and one that changes all the time waits behind all others.
    """

    working: str | None = field(default=None, init=False)
    _new: deque[str] = field(default_factory=deque, init=False)
    _backlog: deque[str] = field(default_factory=deque, init=False)
    _worked: set[str] = field(default_factory=set, init=False)
    _new_in_a_row: int = field(default=0, init=False)
    _queued_at_s: dict[str, float] = field(default_factory=dict, init=False)
    _parked: dict[str, Parked] = field(default_factory=dict, init=False)
    _retries: dict[str, Retry] = field(default_factory=dict, init=False)
    # Pack -> its last pause, kept while it fails so that the next one is longer.
    _pauses_s: dict[str, float] = field(default_factory=dict, init=False)

    def add(self, pack: str, *, now_s: float, is_backlog: bool = False) -> None:
        """
        Put *pack* into the queue, unless it stands there already; whatever held it back is over.

        Args:
            pack: its id.
            now_s: time.
            is_backlog: it was there before the daemon was.
        """
        self._parked.pop(pack, None)
        self._retries.pop(pack, None)
        if pack in self._queued_at_s:
            return
        self._queued_at_s[pack] = now_s
        is_new = not is_backlog and pack not in self._worked
        (self._new if is_new else self._backlog).append(pack)

    def start_next(self, *, now_s: float) -> tuple[str, float] | None:
        """
        The pack that is worked on from now, and how long it was queued, s.

        None while another one is worked on, or where none is queued.
        """
        for pack in [pack for pack, retry in self._retries.items() if retry.at_s <= now_s]:
            self.add(pack, now_s=now_s)
        if self.working is not None or not self._queued_at_s:
            return None
        is_turn_of_new = bool(self._new) and (self._new_in_a_row < _NEW_IN_A_ROW or not self._backlog)
        self._new_in_a_row = self._new_in_a_row + 1 if is_turn_of_new else 0
        pack = (self._new if is_turn_of_new else self._backlog).popleft()
        self.working = pack
        self._worked.add(pack)
        return pack, max(0.0, now_s - self._queued_at_s.pop(pack))

    def finish(self, pack: str) -> None:
        """*pack* is up to date."""
        self._stop(pack)
        self._pauses_s.pop(pack, None)
        self._parked.pop(pack, None)
        self._retries.pop(pack, None)

    def park(self, pack: str, *, key: Hashable, reason: str) -> None:
        """Leave *pack* alone until its files are no longer those of *key*; not if it is queued again."""
        self._stop(pack)
        self._pauses_s.pop(pack, None)
        self._retries.pop(pack, None)
        if pack not in self._queued_at_s:
            self._parked[pack] = Parked(key=key, reason=reason)

    def retry(self, pack: str, *, now_s: float, reason: str) -> float:
        """Try *pack* again after a pause, twice as long each time; returns that pause, s."""
        self._stop(pack)
        pause_s = min(2 * self._pauses_s.get(pack, FIRST_PAUSE_S / 2), LONGEST_PAUSE_S)
        self._pauses_s[pack] = pause_s
        if pack not in self._queued_at_s:
            self._retries[pack] = Retry(at_s=now_s + pause_s, pause_s=pause_s, reason=reason)
        return pause_s

    def forget(self, pack: str) -> None:
        """*pack* is gone. A job that is running for it goes on, and finds that out by itself."""
        if self._queued_at_s.pop(pack, None) is not None:
            (self._new if pack in self._new else self._backlog).remove(pack)
        self._parked.pop(pack, None)
        self._retries.pop(pack, None)
        self._pauses_s.pop(pack, None)
        self._worked.discard(pack)

    def unpark_all(self) -> None:
        """Give every parked pack another chance: the settings have changed."""
        self._parked.clear()

    def is_parked(self, pack: str, key: Hashable) -> bool:
        """Whether *pack* was parked with just this *key*."""
        parked = self._parked.get(pack)
        return parked is not None and parked.key == key

    def wait_s(self, *, now_s: float) -> float | None:
        """Seconds until a pack is tried again; None if none waits for that."""
        return min((max(0.0, retry.at_s - now_s) for retry in self._retries.values()), default=None)

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
        return list(self._queued_at_s)

    def _stop(self, pack: str) -> None:
        if self.working == pack:
            self.working = None
