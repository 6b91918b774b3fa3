"""All that is stale, once, in order of age: how fast it goes, how long it will take, and what came of it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

from anchord.commands.progress import Bar
from anchord.service.plan import Outcome, Plan
from anchord.worker.executor import Task

# The rate is that of the last so many seconds: what was long ago says little of what is left.
_RATE_OVER_S = 120.0
# Where no terminal shows the progress, a line in the log does, so often.
_TOLD_EVERY_S = 30.0
_REASONS = 10

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def plan(*, stale_only: bool, limit: int | None, dry_run: bool) -> Plan:
    """
    What is to be done.

    Args:
        stale_only: leave out packs that have no timeline yet.
        limit: so many packs at most.
        dry_run: none; what would be done is told.
    """
    return Plan(
        is_wanted=_has_timeline if stale_only else lambda _task: True,
        most=0 if dry_run else limit,
        looks_first=True,
    )


def _has_timeline(task: Task) -> bool:
    return task.reason != "timeline missing"


def lines(root: str, outcome: Outcome, *, limit: int | None, dry_run: bool) -> Iterator[str]:
    """What came of it, for people: with *dry_run* a line a pack, then the sum."""
    left = outcome.left[:limit] if dry_run else outcome.left
    if dry_run:
        yield from (f"{task.pack}: {task.reason}" for task in left)
    failed = outcome.parked.total() + outcome.retrying.total()
    others = outcome.packs - outcome.written - outcome.up_to_date - outcome.unwanted
    without = max(0, others - len(outcome.left) - failed)
    parts = [f"{outcome.written} done"] if not dry_run else [f"{len(left)} would be done"]
    for count, words in (
        (outcome.up_to_date, "unchanged"),
        (len(outcome.left) - (len(left) if dry_run else 0), "left for later"),
        (outcome.unwanted, "without a timeline, left out"),
        (without, "without a video"),
        (outcome.parked.total(), "parked"),
        (outcome.retrying.total(), "failed"),
    ):
        if count:
            parts.append(f"{count} {words}")
    yield f"{root}: {', '.join(parts)}"
    yield from _reasons("parked", outcome.parked)
    yield from _reasons("failed", outcome.retrying)


def _reasons(what: str, reasons: Counter[str]) -> Iterator[str]:
    """The commonest first; of many, the rest as a number."""
    for reason, count in reasons.most_common(_REASONS):
        yield f"  {what} {count}: {reason}"
    if len(reasons) > _REASONS:
        others = sum(count for _, count in reasons.most_common()[_REASONS:])
        yield f"  {what} {others} more, for other reasons"


@dataclass(slots=True)
class Pace:
    """How fast things are done, and when they will be. Pure: time is an argument."""

    # When the last ones were done; the first entry is the beginning.
    _done_s: deque[float] = field(default_factory=deque, init=False)
    done: int = field(default=0, init=False)

    def begin(self, *, now_s: float) -> None:
        """From now on."""
        self._done_s.append(now_s)

    def add(self, *, now_s: float) -> None:
        """One more is done."""
        self.done += 1
        self._done_s.append(now_s)
        while len(self._done_s) > 2 and now_s - self._done_s[0] > _RATE_OVER_S:
            self._done_s.popleft()

    @property
    def rate_hz(self) -> float:
        """How many a second were done lately; 0 before the first."""
        if len(self._done_s) < 2:
            return 0.0
        return (len(self._done_s) - 1) / max(self._done_s[-1] - self._done_s[0], 1e-3)

    def left_s(self, left: int) -> float | None:
        """How long so many more will take; None where that can't be told."""
        return left / self.rate_hz if self.rate_hz else None


@dataclass(slots=True)
class Progress:
    """
    Tells how it goes: on a terminal's *bar*, else in the log. An observer of the work.

    Args:
        bar: None where there is no terminal.
        clock: seconds, never going back.
    """

    bar: Bar | None
    clock: Callable[[], float] = time.monotonic
    _pace: Pace = field(default_factory=Pace, init=False)
    _under_way: set[str] = field(default_factory=set, init=False)
    _queued: int = field(default=0, init=False)
    _told_s: float = field(default=0.0, init=False)

    def working(self, pack: str, queued: int) -> None:
        """A pack is worked on."""
        if not self._under_way and not self._pace.done:
            self._pace.begin(now_s=self.clock())
            self._told_s = self.clock()
        self._under_way.add(pack)
        self._queued = queued
        if self.bar:
            self.bar.working(pack, 0)

    def progressed(self, pack: str, done: int, expected: int) -> None:
        """So many frames of its video are decoded."""
        if self.bar:
            self.bar.progressed(pack, done, expected)

    def finished(self, pack: str) -> None:
        """It is no longer worked on."""
        now_s = self.clock()
        self._under_way.discard(pack)
        self._pace.add(now_s=now_s)
        left = self._queued + len(self._under_way)
        left_s = self._pace.left_s(left)
        if self.bar:
            self.bar.finished(pack)
            self.bar.sum_up(
                f"{self._pace.done} done, {left} left, {self._pace.rate_hz:.1f}/s"
                + (f", {duration(left_s)} left" if left_s else "")
            )
        elif now_s - self._told_s >= _TOLD_EVERY_S:
            self._told_s = now_s
            log.info(
                "backfill_progressed",
                done=self._pace.done,
                left=left,
                rate_hz=round(self._pace.rate_hz, 2),
                left_s=None if left_s is None else round(left_s),
            )


def duration(seconds: float) -> str:
    """For people: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
