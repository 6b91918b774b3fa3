"""What becomes of a pack that can't be worked on: parked or tried again, told and counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from anchord.errors import AnchordError, NoInputError, VideoError
from anchord.service.queue import Queue
from anchord.service.rate_limit import RateLimit
from anchord.service.report.metrics import Result
from anchord.service.timers import Timers
from anchord.service.watching.scanner import Known

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class OnResult(Protocol):
    """Somebody who counts what becomes of the tasks; for a written timeline, its time and coverage."""

    def __call__(
        self, result: Result, elapsed_s: float | None = None, coverage: float | None = None, /
    ) -> None:
        """A task ended so."""


def count_nothing(result: Result, elapsed_s: float | None = None, coverage: float | None = None, /) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True)
class CountsDue:
    """Failures were not told one by one; say how many."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Verdicts:
    """
    Judges failures by how far they reach.

    Args:
        known: what was last seen of the packs.
        queue: where packs are parked or wait for another try.
        timers: gets a ``CountsDue``.
        on_result: told of each failure.
        clock: seconds, never going back.
    """

    known: Known
    queue: Queue[Any]
    timers: Timers
    on_result: OnResult = count_nothing
    clock: Callable[[], float] = time.monotonic
    failed: int = field(default=0, init=False)
    _limit: RateLimit = field(default_factory=RateLimit, init=False)

    def fail(self, pack: str, error: AnchordError) -> None:
        """A step of *pack* ended with *error*."""
        if isinstance(error, NoInputError):
            self.queue.finish(pack)  # it was taken away; should it come back, that is seen
        elif error.is_environment:
            self._retry(pack, error)
        else:
            self.park(pack, error)

    def park(self, pack: str, error: AnchordError) -> None:
        """Leave *pack* alone until a person changes what is in it, and say why."""
        self.failed += 1
        self.on_result("refused")
        look = self.known.seen.get(pack)
        # First parked, then told: whoever reads the log may change the file at once.
        self.queue.park(pack, key=look.content if look else None, reason=str(error))
        name = "video_refused" if isinstance(error, VideoError) else "pack_parked"
        log.warning(name, pack=pack, error=str(error))

    def hint(self, pack: str, reason: str) -> None:
        """*pack* has no video, but seems to mean one."""
        if self._is_told("without a video"):
            log.warning("video_missing", pack=pack, reason=reason)

    def tell_counts(self) -> None:
        """Say how many failures were not told one by one."""
        for kind, count in self._limit.pop_counts(now_s=self.clock()).items():
            log.error("packs_failed", reason=kind, count=count)
        self._set_timer()

    def _retry(self, pack: str, error: AnchordError) -> None:
        self.failed += 1
        self.on_result("failed")
        retry_s = self.queue.retry(pack, now_s=self.clock(), reason=str(error))
        if self._is_told(_kind(error)):
            log.error("pack_failed", pack=pack, error=str(error), retry_s=retry_s)

    def _is_told(self, kind: str) -> bool:
        is_told = self._limit.is_told(kind, now_s=self.clock())
        self._set_timer()
        return is_told

    def _set_timer(self) -> None:
        now_s = self.clock()
        if (wait_s := self._limit.wait_s(now_s=now_s)) is not None:
            self.timers.set(CountsDue(), at_s=now_s + wait_s)


def _kind(error: AnchordError) -> str:
    """What like failures have in common: the system's reason, without the pack's name."""
    cause = error.__cause__
    return (cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__
