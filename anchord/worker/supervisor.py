"""
One place to work at: a thread that starts a worker, feeds it, ends it by deadline, and outlives it.

One thread for all of a place's life, since the kernel ends a worker with the thread that started it. It
blocks, always with a deadline: what would be a state machine in somebody's loop is here a few lines in
a row. Whatever happens in it ends one task and one process, and is told.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Literal, TypeAlias

import structlog

from anchord.errors import AnchordError, WorkerError, WorkerKilledError, WorkerStartError
from anchord.printable import printable
from anchord.settings import WorkerSettings
from anchord.worker import protocol
from anchord.worker.child import COMMAND
from anchord.worker.client import Worker
from anchord.worker.executor import Draft, Finished, Health, Progressed, Task

Report: TypeAlias = Callable[[Progressed | Finished], None]

# A person who watches sees no difference, and who does not read is not drowned: 5 a second, at most.
_PROGRESS_S = 0.2

# A killed worker is gone in milliseconds; one that waits for a dead disk is not waited for.
_GONE_S = 10.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def _take_no_notice() -> None:
    """Nobody adds up what workers hold."""


def _tell_print(line: str) -> None:
    log.debug("worker_printed", line=line)


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """
    Works off one task at a time on a worker process that is kept warm, and replaced.

    Args:
        settings: of the next task's worker; may be replaced at any time.
        report: gets what is to be said of each task, from this place's thread.
        command: what is started.
        on_memory: called when ``memory_mb`` is known anew, from this place's thread.
        clock: seconds, never going back.
    """

    settings: WorkerSettings
    report: Report
    command: Sequence[str] = COMMAND
    on_memory: Callable[[], None] = _take_no_notice
    clock: Callable[[], float] = time.monotonic
    restarts: int = field(default=0, init=False)
    #: What the worker held when it was last looked at, MiB; 0 where there is none.
    memory_mb: int = field(default=0, init=False)
    #: What kept the last worker from starting, and since when; empty: nothing.
    trouble: str = field(default="", init=False)
    troubled_s: float = field(default=0.0, init=False)
    # Held to change what every thread may see: these nine.
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _waiting: tuple[Task, BufferedReader, BufferedReader | None] | None = field(default=None, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _is_busy: bool = field(default=False, init=False)
    _task: Task | None = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)
    _is_killed: bool = field(default=False, init=False)
    _is_spare: bool = field(default=False, init=False)
    # An eventfd, which can be waited for beside a worker's channel; -1 while there is no thread.
    _wake: int = field(default=-1, init=False)
    # Written by the thread alone.
    _layers: dict[str, str] = field(default_factory=dict, init=False)
    _owner: int = field(default=-1, init=False)
    _jobs: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)

    @property
    def is_free(self) -> bool:
        """Whether it takes a task now."""
        return not (self._is_busy or self._is_closed)

    @property
    def is_busy(self) -> bool:
        """Whether it has a task."""
        return self._is_busy

    @property
    def is_proven(self) -> bool:
        """Whether it has started a worker, and could when it last tried."""
        return bool(self._layers) and not self.trouble

    @property
    def is_over(self) -> bool:
        """Whether it is closed and its thread has ended, or never begun."""
        return self._is_closed and self._wake < 0

    @property
    def state(self) -> Literal["working", "idle", "down"]:
        """What it does."""
        return "working" if self._is_busy else "idle" if self._worker else "down"

    def coldness(self, owner: int) -> int:
        """How little is ready for a video of this *owner*: 0 for a warm worker that may be used for it."""
        if self.trouble:
            return 3
        if not self._worker:
            return 1
        return 0 if self.settings.reuse == "always" or self._owner == owner else 2

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        """Do a task; its streams are closed when that is over. Only where ``is_free``."""
        with self._lock:
            self._is_busy, self._task = True, task
            self._waiting = (task, video, base)
            try:
                self._start_thread()
            except (OSError, RuntimeError) as error:
                self._waiting = None
                video.close()
                if base is not None:
                    base.close()
                self._finish(task, WorkerStartError(f"no thread can be started for a worker: {error}"))
            else:
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Take nothing new: the thread ends after its task, an idle worker at once."""
        with self._lock:
            self._is_closed = True
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def spare(self) -> None:
        """End the worker if it rests: its memory is wanted elsewhere."""
        with self._lock:
            if self._worker and not self._is_busy:
                self._is_spare = True
                os.eventfd_write(self._wake, 1)

    def stop(self, why: str) -> None:
        """End the worker's process now; its task ends with a ``WorkerKilledError``."""
        with self._lock:
            self.memory_mb = 0
            if self._worker:
                self._worker.stop(why)

    def stop_task(self, task: Task, why: str) -> None:
        """The same, where this very *task* is worked on; from any thread."""
        with self._lock:
            if self._task is task:
                self.stop(why)

    def start_kill(self) -> None:
        """End everything now. Its task, if there is one, ends with an error."""
        with self._lock:
            self._is_killed = True
            self.close()
            self.stop("anchord is stopping")

    def kill(self) -> None:
        """The same, and wait until it is gone."""
        self.start_kill()
        thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(_GONE_S)

    def health(self) -> Health:
        """What it does, and what kept the last worker from starting."""
        return Health(
            state=self.state,
            healthy=not self.trouble,
            detail=self.trouble,
            working=int(self._is_busy),
        )

    def _start_thread(self) -> None:
        if self._thread is None:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            thread = threading.Thread(target=self._run, name="worker supervisor", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                os.close(self._wake)
                self._wake = -1
                raise
            self._thread = thread

    def _run(self) -> None:
        while self._waiting or not self._is_closed:
            try:
                self._step()
            except Exception:
                log.exception("supervisor_failed")
                self._retire("unsure")
        self._retire("closed")
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def _step(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, None
        if taken is None:
            self._rest()
            return
        task, video, base = taken
        with video, base or contextlib.nullcontext():
            outcome = self._outcome(task, video, base)
        self._finish(task, outcome)
        if self.settings.reuse == "never" or self._jobs >= self.settings.max_jobs:
            # The libraries' memory may grow from job to job: a fresh process starts over.
            self._retire("worn")

    def _rest(self) -> None:
        if self._worker is None:
            select.select([self._wake], [], [])
        else:
            try:
                if self._worker.rest(self._wake, self.settings.idle_s) == "idle":
                    self._retire("idle")
            except WorkerError as error:
                self._lose(error)
        with self._lock:
            is_spare, self._is_spare = self._is_spare and not self._waiting, False
        if is_spare:
            self._retire("memory")
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _outcome(
        self, task: Task, video: BufferedReader, base: BufferedReader | None
    ) -> Draft | AnchordError:
        try:
            return self._worked(task, video, base)
        except WorkerError as error:
            if self._worker is None or self._worker.is_gone:
                self._lose(error, task.pack)
            return error
        except AnchordError as error:
            return error
        except MemoryError:
            self._retire("unsure")
            return WorkerStartError("there was not enough memory to take the worker's answer")
        except Exception as error:
            log.exception("supervisor_failed")
            self._retire("unsure")
            return WorkerError(f"a bug of anchord's, see its log: {error!r}")

    def _worked(self, task: Task, video: BufferedReader, base: BufferedReader | None) -> Draft:
        worker = self._fit_worker(task.owner)
        self._number += 1
        self._jobs += 1
        job = protocol.Job(
            number=self._number,
            video=printable(task.settings.video),
            settings=task.settings.extract,
            limits=task.limits,
            statics=task.settings.statics,
            has_base=base is not None,
        )
        told_s = time.monotonic()

        def on_progress(done: int, expected: int) -> None:
            nonlocal told_s
            if time.monotonic() - told_s >= _PROGRESS_S:
                told_s = time.monotonic()
                self._say(Progressed(task=task, done=done, expected=expected))

        return Draft(worker.work(job, video, base, on_progress=on_progress))

    def _fit_worker(self, owner: int) -> Worker:
        """A worker that is ready for a video of this *owner*: the one that is there, or a fresh one."""
        settings = self.settings
        if worker := self._worker:
            if worker.settings != settings:
                self._retire("other settings")
            elif settings.reuse != "always" and self._owner != owner:
                self._retire("another owner")
            else:
                try:
                    worker.check_quiet()
                    return worker
                except WorkerError as error:
                    self._lose(error)
        worker = Worker(settings, tell=_tell_print, on_memory=self._holds, command=self.command)
        with self._lock:
            self._worker, self._jobs, self._owner = worker, 0, owner
            if self._is_killed:
                worker.stop("anchord is stopping")
        log.debug("worker_started", pid=worker.pid)
        worker.wait_ready()
        self.trouble = ""
        # Once, and again only where a later worker is held in differently.
        if worker.layers != self._layers:
            log.info("worker_ready", sandbox=worker.layers)
        self._layers = worker.layers
        return worker

    def _holds(self, memory_mb: int) -> None:
        self.memory_mb = memory_mb
        self.on_memory()

    def _lose(self, error: WorkerError, pack: str | None = None) -> None:
        with self._lock:
            self._worker, self.memory_mb = None, 0
        if self._is_killed:
            return
        self.restarts += 1
        if isinstance(error, WorkerStartError):
            self.trouble, self.troubled_s = str(error), self.clock()
        log.warning("worker_lost", error=str(error), **({} if pack is None else {"pack": pack}))

    def _retire(self, reason: str) -> None:
        with self._lock:
            worker, self._worker, self.memory_mb = self._worker, None, 0
        if worker:
            log.debug("worker_retired", reason=reason, jobs=self._jobs)
            worker.end(reason)

    def _finish(self, task: Task, outcome: Draft | AnchordError) -> None:
        if self._is_killed and isinstance(outcome, WorkerError):
            outcome = WorkerKilledError(str(outcome))
        with self._lock:
            # First, so that who hears of it finds the place free.
            self._is_busy, self._task = False, None
        self._say(Finished(task=task, outcome=outcome))

    def _say(self, message: Progressed | Finished) -> None:
        try:
            self.report(message)
        except Exception:
            log.exception("supervisor_failed")
