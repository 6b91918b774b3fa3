"""From the queue to the written timeline: hand out one job, and judge how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from anchord.errors import (
    AnchordError,
    ChangedVideoError,
    NoInputError,
    VideoError,
    WorkerError,
    WorkerStartError,
)
from anchord.packs import FeedKey, FileKey
from anchord.service.delivery import Assignment, assignment, deliver
from anchord.service.flood import Flood
from anchord.service.jobs import Extracted
from anchord.service.metrics import Result
from anchord.service.schedule import Schedule
from anchord.service.survey import Survey
from anchord.service.workbench import Outcome, Workbench
from anchord.settings import Settings, pack_settings

# A video whose worker is lost so often is parked: the first time may have been the machine's fault.
_LOSSES = 2

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Observer(Protocol):
    """Somebody who watches the work, such as a progress bar."""

    def working(self, pack: str, queued: int) -> None:
        """A pack is worked on, so many more wait."""

    def progressed(self, done: int, expected: int) -> None:
        """So many frames of its video are decoded."""


class OnResult(Protocol):
    """Somebody who counts what becomes of the jobs; for a written timeline, its time and coverage."""

    def __call__(
        self, result: Result, elapsed_s: float | None = None, coverage: float | None = None, /
    ) -> None:
        """A job ended so."""


def count_nothing(result: Result, elapsed_s: float | None = None, coverage: float | None = None, /) -> None:
    """Nobody counts."""


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """
    Works off the *schedule*.

    Args:
        settings: may be replaced at any time.
        survey: what the packs look like.
        schedule: where work comes from, and where it goes back to when it fails.
        workbench: where the work is done.
        touch: called with a pack that must settle anew.
        observer: told about progress.
        on_result: told what became of each job, as :meth:`.Metrics.extracted` is.
        clock: seconds, never going back.
    """

    settings: Settings
    survey: Survey
    schedule: Schedule
    workbench: Workbench
    touch: Callable[[str], None]
    observer: Observer | None = None
    on_result: OnResult = count_nothing
    clock: Callable[[], float] = time.monotonic
    written: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    _flood: Flood = field(default_factory=Flood, init=False)
    _assigned: Assignment | None = field(default=None, init=False)
    # Pack -> its video, and how often a worker was lost over it.
    _losses: dict[str, tuple[FileKey, int]] = field(default_factory=dict, init=False)

    def tick(self, now_s: float) -> None:
        """Hand out the next job, if nothing is under way."""
        for reason, count in self._flood.pop_counts(now_s=now_s).items():
            log.error("packs_failed", reason=reason, count=count)
        self.workbench.tick()
        while not self.workbench.is_busy and (turn := self.schedule.start_next(now_s=now_s)):
            with structlog.contextvars.bound_contextvars(pack=turn[0]):
                self._start(*turn)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until ``tick`` has something to do; None if it never will."""
        waits = (
            self.workbench.wait_s(),
            self.schedule.wait_s(now_s=now_s),
            self._flood.wait_s(now_s=now_s),
        )
        return min((wait for wait in waits if wait is not None), default=None)

    def finish(self, outcome: Outcome) -> None:
        """Write, park or try again, as the job ended."""
        assert self._assigned is not None
        done, self._assigned = self._assigned, None
        with structlog.contextvars.bound_contextvars(pack=done.pack, video=done.settings.video):
            try:
                if isinstance(outcome, AnchordError):
                    raise outcome
                if isinstance(outcome, Extracted):
                    made = deliver(done, outcome.content, now_s=self.clock())
                    self.written += 1
                    self.on_result("written", self.clock() - done.started_s, made.quality.coverage)
                else:
                    log.debug("pack_up_to_date")
                    self.on_result("unchanged")
            except ChangedVideoError:
                log.info("video_changed")
                self.on_result("changed")
                self.schedule.finish(done.pack)
                self.touch(done.pack)
            except WorkerStartError as error:
                self._fail(done.pack, done.feed, error)
            except WorkerError as error:
                self._lose(done, error)
            except AnchordError as error:
                self._fail(done.pack, done.feed, error)
            else:
                self.survey.confirm(done.pack, done.video)
                self._losses.pop(done.pack, None)
                self.schedule.finish(done.pack)

    def park(self, pack: str, feed: FeedKey | None, error: AnchordError) -> None:
        """Leave *pack* alone until its files are others than *feed*, and say why."""
        self.failed += 1
        self.on_result("refused")
        # First parked, then told: whoever reads the log may change the file at once.
        self.schedule.park(pack, key=feed, reason=str(error))
        log.warning("video_refused" if isinstance(error, VideoError) else "pack_parked", error=str(error))

    def _start(self, pack: str, queued_s: float) -> None:
        """Hand the pack's video to the worker, unless its timeline turns out to be good."""
        folder = self.survey.root / pack
        feed = self.survey.seen.get(pack)
        try:
            settings = pack_settings(self.settings, pack, folder)
            assigned = assignment(
                pack,
                folder,
                settings,
                self.settings.limits,
                number=self.workbench.next_number(),
                queued_s=queued_s,
                now_s=self.clock(),
            )
            if assigned is None:
                self.schedule.finish(pack)
                return
            with assigned.stream:
                self.workbench.start(assigned.job, assigned.stream)
        except NoInputError:
            self.schedule.finish(pack)  # it was taken away; should it come back, that is heard
        except AnchordError as error:
            self._fail(pack, feed, error)
        else:
            self._assigned = assigned
            log.debug("extraction_started", video=settings.video, reason=assigned.reason)
            if self.observer:
                self.observer.working(pack, len(self.schedule.queued))

    def _lose(self, done: Assignment, error: WorkerError) -> None:
        """The worker was lost over this video: try once more, then leave the video alone."""
        video, losses = self._losses.get(done.pack, (done.video, 0))
        losses = losses + 1 if video == done.video else 1
        self._losses[done.pack] = (done.video, losses)
        if losses < _LOSSES:
            self._fail(done.pack, done.feed, error)
        else:
            self.park(
                done.pack, done.feed, VideoError(f"{error}, {losses} times; left alone until it changes")
            )

    def _fail(self, pack: str, feed: FeedKey | None, error: AnchordError) -> None:
        """Park the pack or try it again, as the error says."""
        if not error.is_environment:
            self.park(pack, feed, error)
            return
        self.failed += 1
        self.on_result("failed")
        now_s = self.clock()
        retry_s = self.schedule.retry(pack, now_s=now_s, reason=str(error))
        if self._flood.is_told(_kind(error), now_s=now_s):
            log.error("pack_failed", error=str(error), retry_s=retry_s)


def _kind(error: AnchordError) -> str:
    """What like failures have in common: the system's reason, without the pack's name."""
    cause = error.__cause__
    return (cause.strerror if isinstance(cause, OSError) else None) or type(error).__name__
