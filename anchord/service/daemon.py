"""
The only loop and the only clock: what is due, what was heard and what came back, one after another.

Nothing here reads a pack or a video: every step that touches a disk runs in a lane, every video in a
process of its own, and both answer through the inbox. So the loop never waits for anything but them, and
whatever one pack's step raises reaches that pack and no further.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

import structlog

from anchord import __version__
from anchord.errors import AnchordError, SettingsError
from anchord.guard import guarded
from anchord.service.keeper import Place
from anchord.service.lanes import LATE_S, Lanes, Stepped
from anchord.service.plan import Plan
from anchord.service.queue import Queue, RetryDue
from anchord.service.reconciler import LookDue, Reconciler
from anchord.service.report import state
from anchord.service.report.sd_notify import Notifier
from anchord.service.rounds import RoundDue, Rounds
from anchord.service.runner import Observer, Runner
from anchord.service.teller import PublishDue, Teller
from anchord.service.timers import Timers
from anchord.service.verdicts import CountsDue, OnResult, Verdicts, count_nothing
from anchord.service.watching.debounce import Debounce, Settled
from anchord.service.watching.scanner import Known, Look, Names, look_at
from anchord.service.watching.watcher import Watcher
from anchord.settings import Settings, WorkerSettings
from anchord.shard import Shard
from anchord.worker.executor import Executor, Finished, PlacesChanged, Progressed, Said, Task
from anchord.worker.local import LocalExecutor

# `run --once` does not wait longer for a disk that does not answer.
_GIVE_UP_S = 30.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Woken:
    """File events came in."""


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal came; which, stands in a queue of its own."""


@dataclass(frozen=True, slots=True)
class RelieveDue:
    """A step may be late."""


@dataclass(frozen=True, slots=True)
class EndDue:
    """The grace of the running tasks is over."""


Message: TypeAlias = Woken | Signalled | Stepped | Said
MakeExecutor: TypeAlias = Callable[[WorkerSettings, Callable[[Said], None]], Executor]


def local_executor(settings: WorkerSettings, report: Callable[[Said], None]) -> Executor:
    """The default: worker processes on this machine."""
    return LocalExecutor(settings, report)


# Without a repr: signal() makes one of a handler, and with it of everything that is known.
@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Daemon:
    """
    Keeps the timelines of all packs below *root* up to date.

    Args:
        read_settings: gives the settings, at the start and again on SIGHUP.
        root: the avatars root, where it is not the one of the settings.
        once: end when nothing is left to do, instead of watching.
        retry_s: so long, once nothing else is left to do, what the machine got wrong is tried again.
        plan: with *once*, which of all that is stale is made anew; what came of it is told there.
        observer: told about progress.
        publishers: get the state now and then.
        notifier: systemd's, told of reloading and stopping.
        on_result: told what became of each task.
        make_executor: where tasks are worked on.
        clock: seconds, never going back.
    """

    read_settings: Callable[[], Settings]
    root: Path | None = None
    once: bool = False
    retry_s: float = 0.0
    plan: Plan = field(default_factory=Plan)
    observer: Observer | None = None
    publishers: Sequence[Callable[[state.State], None]] = ()
    notifier: Notifier = field(default_factory=Notifier)
    on_result: OnResult = count_nothing
    make_executor: MakeExecutor = local_executor
    clock: Callable[[], float] = time.monotonic
    _settings: Settings = field(init=False)
    _inbox: SimpleQueue[Message] = field(default_factory=SimpleQueue, init=False)
    _signals: SimpleQueue[int] = field(default_factory=SimpleQueue, init=False)
    _timers: Timers = field(default_factory=Timers, init=False)
    _known: Known = field(default_factory=Known, init=False)
    _queue: Queue[Task] = field(init=False)
    _debounce: Debounce = field(init=False)
    _lanes: Lanes = field(init=False)
    _watcher: Watcher = field(init=False)
    _rounds: Rounds = field(init=False)
    _executor: Executor = field(init=False)
    _reconciler: Reconciler = field(init=False)
    _runner: Runner = field(init=False)
    _verdicts: Verdicts = field(init=False)
    _stop_at_s: float | None = field(default=None, init=False)
    _stopped_by: str | None = field(default=None, init=False)
    _is_stuck: bool = field(default=False, init=False)
    # When nothing but retries was left to do, with ``once``.
    _left_s: float | None = field(default=None, init=False)
    _teller: Teller = field(init=False)

    def __post_init__(self) -> None:
        self._settings = settings = self.read_settings()
        self._queue = Queue(self._timers)
        self._debounce = Debounce(settings.watch.settle_s, self._timers)
        self._lanes = Lanes(report=self._inbox.put, clock=self.clock)
        self._watcher = Watcher(settings=settings.watch, wake=self._wake, depth=settings.depth)
        self._executor = self.make_executor(settings.worker, self._inbox.put)
        self._verdicts = Verdicts(
            known=self._known,
            queue=self._queue,
            timers=self._timers,
            on_result=self.on_result,
            clock=self.clock,
        )
        self._reconciler = Reconciler(
            settings=settings,
            known=self._known,
            queue=self._queue,
            debounce=self._debounce,
            timers=self._timers,
            lanes=self._lanes,
            verdicts=self._verdicts,
            look_at=_look_without_events if self.once else self._watcher.look,
            is_wanted=self.plan.is_wanted,
            clock=self.clock,
        )
        self._runner = Runner(
            known=self._known,
            queue=self._queue,
            lanes=self._lanes,
            executor=self._executor,
            verdicts=self._verdicts,
            observer=self.observer,
            on_result=self.on_result,
            most=self.plan.most,
            clock=self.clock,
        )
        self._rounds = Rounds(
            place=self._place,
            settings=settings.watch,
            is_watching=not self.once,
            known=self._known,
            reconciler=self._reconciler,
            watcher=self._watcher,
            lanes=self._lanes,
            timers=self._timers,
            wake=self._wake,
            clock=self.clock,
        )
        self._teller = Teller(
            rounds=self._rounds,
            runner=self._runner,
            executor=self._executor,
            publishers=self.publishers,
            notifier=self.notifier,
            lanes=self._lanes,
            timers=self._timers,
            clock=self.clock,
        )

    def run(self) -> bool:
        """
        Work until stopped by a signal, or, with ``once``, until all is done.

        Returns:
            whether everything went well; with ``once``, in the end.

        Raises:
            RootError: the root can't be read at the start, or another daemon keeps it.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            count = self._rounds.open()
            log.info(
                "daemon_started",
                version=__version__,
                root=str(self._root),
                packs=count,
                mode="once" if self.once else self._watcher.mode,
                settle_s=self._debounce.settle_s,
            )
            if not self.once:
                self._timers.set(PublishDue(), at_s=self.clock())
            self._loop()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # it is ending already, and should end well
            self._executor.kill()
            self._rounds.close()
        log.info(
            "daemon_stopped",
            signal=self._stopped_by,
            written=self._runner.written,
            failed=self._verdicts.failed,
        )
        self.plan.tell(self._known, self._queue, self._reconciler, self._runner)
        if self.once:
            return not (self._queue.parked or self._queue.retries or self._is_stuck or self._stopped_by)
        return not self._verdicts.failed

    @property
    def _root(self) -> Path:
        return self.root or Path(self._settings.root)

    @property
    def _place(self) -> Place:
        settings = self._settings
        return Place(root=self._root, depth=settings.depth, shard=Shard.of(settings.shard))

    def _wake(self) -> None:
        self._inbox.put(Woken())

    def _on_signal(self, number: int, _frame: object) -> None:
        # Nothing else is safe in a handler: it may interrupt any line, also of a queue.
        self._signals.put(number)
        self._inbox.put(Signalled())

    def _loop(self) -> None:
        while not self._is_done():
            message = self._next()
            # A signal does not stand in line behind ten thousand looks.
            while not self._signals.empty():
                self._guard(partial(self._signalled, self._signals.get()))
            if message is not None:
                self._guard(partial(self._take, message))
            if (due := self._timers.pop_due(now_s=self.clock())) is not None:
                self._guard(partial(self._do, due))
            if self._stop_at_s is None:
                self._guard(self._reconciler.tick)
                self._guard(self._begin)
            if not self._lanes.is_idle:
                self._timers.set_by(RelieveDue(), at_s=self.clock() + LATE_S)

    def _begin(self) -> None:
        """Begin what can be begun: where all is looked at first, not before that is done."""
        if self.plan.looks_first and not self._runner.begun:
            is_due = self._timers.wait_s(now_s=self.clock()) == 0.0
            if is_due or self._rounds.is_under_way or not self._lanes.is_idle:
                return
        self._runner.tick()

    def _next(self) -> Message | None:
        """The next message; None where something is due before one comes."""
        wait_s = self._timers.wait_s(now_s=self.clock())
        try:
            return self._inbox.get_nowait() if wait_s == 0.0 else self._inbox.get(timeout=wait_s)
        except Empty:
            return None

    def _guard(self, turn: Callable[[], object]) -> None:
        """Whatever one message makes the loop raise, the next one is taken."""
        error = guarded(turn, self._lanes.tell_defect)
        if isinstance(error, AnchordError):
            log.error("turn_failed", error=str(error))

    def _is_done(self) -> bool:
        if self._stop_at_s is not None:
            return not self._runner.is_busy or self.clock() >= self._stop_at_s
        if not self.once or self._runner.is_busy or self._debounce.held:
            return False
        if self._queue.length and not self._runner.is_spent:
            return False
        if self._lanes.is_idle:
            return not self._rounds.is_under_way and not self._awaits_retry()
        self._is_stuck = self._lanes.is_stuck(longer_than_s=_GIVE_UP_S)
        return self._is_stuck

    def _awaits_retry(self) -> bool:
        """Whether a retry is due within the time that is given to them, of which work takes none back."""
        now_s = self.clock()
        self._left_s = now_s if self._left_s is None else self._left_s
        return any(retry.at_s <= self._left_s + self.retry_s for retry in self._queue.retries.values())

    def _take(self, message: Message) -> None:
        match message:
            case Stepped(step="look" | "decide"):
                self._reconciler.stepped(message)
            case Stepped(step="open" | "deliver"):
                self._runner.stepped(message)
                self._tell_soon()
            case Stepped(step="publish"):
                pass  # what it could not tell, it says itself
            case Stepped():
                self._rounds.stepped(message)
            case Woken():
                self._rounds.heard()
            case Finished():
                self._runner.finished(message)
                self._tell_soon()
            case Progressed():
                self._runner.progressed(message)
            case PlacesChanged():
                self._tell_soon()  # and tasks are begun, as on every turn
            case Signalled():
                pass  # taken from their own queue

    def _do(self, due: object) -> None:
        match due:
            case LookDue(pack):
                self._reconciler.look(pack)
            case Settled(pack):
                self._reconciler.settled(pack)
            case RetryDue(pack):
                self._reconciler.again(pack)
            case RoundDue():
                self._rounds.do(due)
            case CountsDue():
                self._verdicts.tell_counts()
            case PublishDue():
                self._teller.publish()
            case RelieveDue():
                self._lanes.relieve()
                self._rounds.relieve()
            case EndDue():
                pass  # the loop sees it

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP:
            self.notifier.reloading()
            self._reload()
            # Says that it is ready again, whatever came of it.
            self._timers.set(PublishDue(), at_s=self.clock())
            return
        self.notifier.stopping("finishing what runs" if self._runner.is_busy else "")
        # The running tasks get their grace; who asks twice does not want to wait for it.
        grace_s = 0.0 if self._stopped_by else self._settings.worker.grace_s
        self._stop_at_s = self.clock() + grace_s
        self._timers.set(EndDue(), at_s=self._stop_at_s)
        self._stopped_by = signal.Signals(number).name
        self._runner.stop()
        self._executor.close()

    def _tell_soon(self) -> None:
        if not self.once:
            self._teller.publish_soon()

    def _reload(self) -> None:
        try:
            settings = self.read_settings()
        except SettingsError as error:
            log.error("settings_refused", error=str(error))
            return
        self._settings = self._reconciler.settings = settings
        self._debounce.settle_s = settings.watch.settle_s
        self._executor.reload(settings.worker)
        self._rounds.reload(self._place, settings.watch)
        log.info("settings_reloaded", root=str(self._root))


def _look_without_events(_pack: str, path: str, names: Names, before: Look | None) -> Look | None:
    return look_at(path, names, before)
