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
from typing import TypeAlias

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


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """
    Works off one task at a time on a worker process that is kept warm, and replaced.

    Args:
        settings: of the next task's worker; may be replaced at any time.
        report: gets what is to be said of each task, from this place's thread.
        command: what is started.
    """

    settings: WorkerSettings
    report: Report
    command: Sequence[str] = COMMAND
    restarts: int = field(default=0, init=False)
    # Held to change what every thread may see: these seven.
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _waiting: tuple[Task, BufferedReader, BufferedReader | None] | None = field(default=None, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _is_busy: bool = field(default=False, init=False)
    _is_closed: bool = field(default=False, init=False)
    _is_killed: bool = field(default=False, init=False)
    # An eventfd, which can be waited for beside a worker's channel; -1 while there is no thread.
    _wake: int = field(default=-1, init=False)
    # Written by the thread alone.
    _trouble: str = field(default="", init=False)
    _layers: dict[str, str] = field(default_factory=dict, init=False)
    _owner: int = field(default=-1, init=False)
    _jobs: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)

    @property
    def is_free(self) -> bool:
        """Whether it takes a task now."""
        return not (self._is_busy or self._is_closed)

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        """Do a task; its streams are closed when that is over. Only where ``is_free``."""
        with self._lock:
            self._is_busy = True
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

    def kill(self) -> None:
        """End everything now, and wait until it is gone. Its task, if there is one, ends with an error."""
        with self._lock:
            self._is_killed = True
            self.close()
            if self._worker:
                self._worker.stop("anchord is stopping")
            thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join(_GONE_S)

    def health(self) -> Health:
        """What it does, and what kept the last worker from starting."""
        return Health(
            state="working" if self._is_busy else "idle" if self._worker else "down",
            healthy=not self._trouble,
            detail=self._trouble,
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
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _outcome(
        self, task: Task, video: BufferedReader, base: BufferedReader | None
    ) -> Draft | AnchordError:
        try:
            return self._worked(task, video, base)
        except WorkerError as error:
            if self._worker is None or self._worker.is_gone:
                self._lose(error)
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
        worker = Worker(settings, tell=_tell_print, command=self.command)
        with self._lock:
            self._worker, self._jobs, self._owner = worker, 0, owner
            if self._is_killed:
                worker.stop("anchord is stopping")
        log.debug("worker_started", pid=worker.pid)
        worker.wait_ready()
        self._trouble = ""
        # Once, and again only where a later worker is held in differently.
        if worker.layers != self._layers:
            log.info("worker_ready", sandbox=worker.layers)
        self._layers = worker.layers
        return worker

    def _lose(self, error: WorkerError) -> None:
        with self._lock:
            self._worker = None
        if self._is_killed:
            return
        self.restarts += 1
        if isinstance(error, WorkerStartError):
            self._trouble = str(error)
        log.warning("worker_lost", error=str(error))

    def _retire(self, reason: str) -> None:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker:
            log.debug("worker_retired", reason=reason, jobs=self._jobs)
            worker.end(reason)

    def _finish(self, task: Task, outcome: Draft | AnchordError) -> None:
        if self._is_killed and isinstance(outcome, WorkerError):
            outcome = WorkerKilledError(str(outcome))
        with self._lock:
            # First, so that who hears of it finds the place free.
            self._is_busy = False
        self._say(Finished(task=task, outcome=outcome))

    def _say(self, message: Progressed | Finished) -> None:
        try:
            self.report(message)
        except Exception:
            log.exception("supervisor_failed")


def _tell_print(line: str) -> None:
    log.debug("worker_printed", line=line)
