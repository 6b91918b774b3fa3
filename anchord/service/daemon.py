"""
The only loop and the only clock: touches, answers and signals come in through one inbox.

Nothing here reads a video. What changed is the intake's business, what is done about it dispatch's;
both speak through the schedule.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

import structlog

from anchord import __version__
from anchord.errors import OutputError, SettingsError
from anchord.service import state
from anchord.service.dispatch import Dispatch, Observer, OnResult, count_nothing
from anchord.service.intake import Intake
from anchord.service.notify import Notifier
from anchord.service.schedule import Schedule
from anchord.service.survey import Survey
from anchord.service.workbench import Workbench
from anchord.service.worker import Report
from anchord.settings import Settings

# So often, at least, the state tells that the loop turns; so often, at most, while much happens.
_PUBLISH_S = 15.0
_PUBLISH_AT_MOST_S = 1.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Touched:
    """Something in a pack may have changed."""

    pack: str


@dataclass(frozen=True, slots=True)
class Overflowed:
    """File events were lost: every pack may have changed."""


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal came."""

    number: int


Message: TypeAlias = Touched | Overflowed | Signalled | Report


@dataclass(slots=True, kw_only=True)
class Daemon:
    """
    Keeps the timelines of all packs below *root* up to date.

    Args:
        read_settings: gives the settings, at the start and again on SIGHUP.
        root: the avatars root, where it is not the one of the settings.
        once: end when nothing is left to do, instead of watching.
        observer: told about progress.
        publishers: get the state now and then.
        notifier: systemd's, told of reloading and stopping.
        on_result: told what became of each job.
        clock: seconds, never going back.
    """

    read_settings: Callable[[], Settings]
    root: Path | None = None
    once: bool = False
    observer: Observer | None = None
    publishers: Sequence[Callable[[state.State], None]] = ()
    notifier: Notifier = field(default_factory=Notifier)
    on_result: OnResult = count_nothing
    clock: Callable[[], float] = time.monotonic
    _inbox: SimpleQueue[Message] = field(default_factory=SimpleQueue, init=False)
    _survey: Survey = field(init=False)
    _schedule: Schedule = field(default_factory=Schedule, init=False)
    _intake: Intake = field(init=False)
    _dispatch: Dispatch = field(init=False)
    _workbench: Workbench = field(init=False)
    _overflows: int = field(default=0, init=False)
    _publish_at_s: float = field(default=0.0, init=False)
    _grace_s: float = field(default=0.0, init=False)
    _stop_at_s: float | None = field(default=None, init=False)
    _stopped_by: str | None = field(default=None, init=False)
    _started_unix_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        settings = self.read_settings()
        self._grace_s = settings.worker.grace_s
        self._survey = Survey(self.root or Path(settings.root))
        self._workbench = Workbench(
            settings=settings.worker,
            report=self._inbox.put,
            on_progress=self.observer.progressed if self.observer else lambda done, expected: None,
            clock=self.clock,
        )
        self._dispatch = Dispatch(
            settings=settings,
            survey=self._survey,
            schedule=self._schedule,
            workbench=self._workbench,
            touch=lambda pack: self._intake.touch(pack),
            observer=self.observer,
            clock=self.clock,
            on_result=self.on_result,
        )
        self._intake = Intake(
            settings=settings,
            survey=self._survey,
            schedule=self._schedule,
            report=lambda pack: self._inbox.put(Touched(pack)),
            on_overflow=lambda: self._inbox.put(Overflowed()),
            park=self._dispatch.park,
            is_watching=not self.once,
            clock=self.clock,
        )

    def run(self) -> bool:
        """
        Work until stopped by a signal, or, with ``once``, until all is done.

        Returns:
            whether everything that was begun went well.

        Raises:
            RootError: the root can't be read at the start, or another daemon keeps it.
            ModelError: the worker has no model to work with.
        """
        self._started_unix_s = time.time()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Nothing else is safe in a handler: it may interrupt any line, also of a queue.
            signal.signal(number, lambda number, _frame: self._inbox.put(Signalled(number)))
        try:
            self._intake.open()
            log.info(
                "daemon_started",
                version=__version__,
                root=str(self._survey.root),
                packs=len(self._survey.seen),
                mode="once" if self.once else self._intake.lookout.mode,
                settle_s=self._intake.settler.settle_s,
            )
            self._loop()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # it is ending already, and should end well
            self._intake.close()
            self._workbench.kill()
        log.info(
            "daemon_stopped",
            signal=self._stopped_by,
            written=self._dispatch.written,
            failed=self._dispatch.failed,
        )
        return not self._dispatch.failed and not (self.once and self._stopped_by)

    def _loop(self) -> None:
        while not self._is_done():
            try:
                message = self._inbox.get(timeout=self._wait_s())
            except Empty:
                message = None
            match message:
                case Touched(pack):
                    self._intake.touch(pack)
                    continue  # only with every touch counted is what looks settled settled
                case Overflowed():
                    self._overflows += 1
                    self._intake.rescan_soon()
                case Signalled(number):
                    self._signalled(number)
                case None:
                    pass
                case _:
                    if (outcome := self._workbench.receive(message)) is not None:
                        self._dispatch.finish(outcome)
                        self._publish_at_s = min(self._publish_at_s, self.clock() + _PUBLISH_AT_MOST_S)
            if self._stop_at_s is None:
                now_s = self.clock()
                self._intake.tick(now_s)
                self._dispatch.tick(now_s)
                if now_s >= self._publish_at_s:
                    self._publish(now_s)

    def _is_done(self) -> bool:
        if self._stop_at_s is not None:
            return not self._workbench.is_busy or self.clock() >= self._stop_at_s
        is_idle = not (self._workbench.is_busy or self._intake.settler.held or self._schedule.queued)
        return self.once and is_idle

    def _wait_s(self) -> float:
        now_s = self.clock()
        if self._stop_at_s is not None:
            return max(0.0, self._stop_at_s - now_s)
        waits = (self._intake.wait_s(now_s), self._dispatch.wait_s(now_s), self._publish_at_s - now_s)
        return max(0.0, min(wait for wait in waits if wait is not None))

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP:
            self.notifier.reloading()
            self._reload()
            self._publish_at_s = 0.0  # which says that it is ready again, whatever came of it
            return
        self.notifier.stopping("finishing the running video" if self._workbench.is_busy else "")
        # The running job gets its grace; who asks twice does not want to wait for it.
        self._stop_at_s = self.clock() + (0.0 if self._stopped_by else self._grace_s)
        self._stopped_by = signal.Signals(number).name

    def _reload(self) -> None:
        try:
            settings = self.read_settings()
        except SettingsError as error:
            log.error("settings_refused", error=str(error))
            return
        root = self.root or Path(settings.root)
        self._grace_s = settings.worker.grace_s
        self._dispatch.settings = settings
        self._workbench.settings = settings.worker
        self._schedule.unpark_all()
        self._intake.reload(settings, root)
        log.info("settings_reloaded", root=str(root))

    def _publish(self, now_s: float) -> None:
        self._publish_at_s = now_s + _PUBLISH_S
        now = state.State(
            pid=os.getpid(),
            root=str(self._survey.root),
            version=__version__,
            started_unix_s=self._started_unix_s,
            loop_turned_unix_s=time.time(),
            watch=state.Part(
                state="lost" if self._intake.is_root_lost else self._intake.lookout.mode,
                healthy=not self._intake.is_root_lost,
                detail=self._intake.lookout.detail,
            ),
            worker=state.Part(
                state="working" if self._workbench.is_busy else "idle" if self._workbench.is_up else "down",
                healthy=True,
            ),
            packs=state.packs_of(self._intake.settler, self._schedule, now_s=now_s),
            counts={
                "packs": len(self._survey.seen),
                "written": self._dispatch.written,
                "failed": self._dispatch.failed,
                "rescans": self._intake.rescans,
                "missed_by_watch": self._intake.missed_by_watch,
                "overflows": self._overflows,
                "rebuilds": self._intake.lookout.rebuilds,
                "worker_restarts": self._workbench.restarts,
            },
        )
        for publish in self.publishers:
            with suppress(OutputError, OSError):  # the work goes on without it
                publish(now)
