"""
One job at a time on a worker process that is started when needed, kept warm, and replaced.

Crashes, hangs and runaways end here: each becomes an error that names what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader
from typing import TypeAlias

import structlog

from anchord.errors import AnchordError, WorkerError, WorkerStartError
from anchord.service import jobs
from anchord.service.worker import Ended, Printed, Report, Worker
from anchord.settings import WorkerSettings

#: How a job ended: with a timeline's bytes, with nothing to do, or with an error.
Outcome: TypeAlias = jobs.Extracted | jobs.Unchanged | AnchordError

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Workbench:
    """
    The worker and its one job.

    Args:
        settings: may be replaced at any time; holds from the next job on.
        report: where the worker's reports go; they come back through ``receive``.
        on_progress: called with frames decoded and frames expected.
        clock: seconds, never going back.
    """

    settings: WorkerSettings
    report: Callable[[Report], None]
    on_progress: Callable[[int, int], None] = lambda done, expected: None
    clock: Callable[[], float] = time.monotonic
    restarts: int = field(default=0, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _job: int | None = field(default=None, init=False)
    _numbers: int = field(default=0, init=False)
    _jobs_done: int = field(default=0, init=False)
    _since_s: float = field(default=0.0, init=False)
    _is_ready: bool = field(default=False, init=False)
    _is_late: bool = field(default=False, init=False)
    _layers: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def is_busy(self) -> bool:
        """Whether a job is under way."""
        return self._job is not None

    @property
    def is_up(self) -> bool:
        """Whether there is a worker process."""
        return self._worker is not None

    def start(self, job: jobs.Job, video: BufferedReader) -> None:
        """Give the worker a job; its outcome comes through ``receive``."""
        if self._worker is None:
            self._worker = Worker.by(self.settings, self.report)
            self._jobs_done, self._is_ready = 0, False
            log.debug("worker_started", pid=self._worker.pid)
        self._job, self._since_s, self._is_late = job.number, self.clock(), False
        self._worker.submit(job, video)

    def next_number(self) -> int:
        """A number that no other job has."""
        self._numbers += 1
        return self._numbers

    def receive(self, report: Report) -> Outcome | None:
        """What a report of the worker means for the job; None if it goes on."""
        match report:
            case Printed(line=line):
                log.debug("worker_printed", line=line)
            case jobs.Ready(sandbox=layers):
                self._is_ready = True
                # Once, and again only where a later worker is held in differently.
                if layers != self._layers:
                    log.info("worker_ready", sandbox=layers)
                self._layers = layers
            case jobs.Progress(number=number, done=done, expected=expected) if number == self._job:
                self.on_progress(done, expected)
            case Ended(pid=pid, how=how) if self._worker and self._worker.pid == pid:
                return self._ended(how)
            case jobs.Failed(number=-1):
                # It could not even start, so no video is at fault: the daemon's own trouble.
                raise report.as_error()
            case jobs.Failed(number=number) if number == self._job:
                self._finish()
                return report.as_error()
            case jobs.Extracted(number=number) | jobs.Unchanged(number=number) if number == self._job:
                self._finish()
                return report
            case _:
                pass  # of a job that was given up
        return None

    def wait_s(self) -> float | None:
        """Seconds until ``tick`` has something to do; None if it never will."""
        if self._worker is None:
            return None
        limit_s = self.settings.timeout_s if self.is_busy else self.settings.idle_s
        return max(0.0, self._since_s + limit_s - self.clock())

    def tick(self) -> None:
        """End a worker whose job takes too long, or that had none for a while."""
        if self._worker is None or self.wait_s() != 0.0:
            return
        if not self.is_busy:
            self._retire("idle")
        elif not self._is_late:
            self._is_late = True
            self._worker.kill(f"over worker.timeout_s = {self.settings.timeout_s:g}")

    def kill(self) -> None:
        """End the worker now, whatever it does."""
        if self._worker:
            self._worker.kill()
            self._worker = self._job = None

    def _ended(self, how: str) -> Outcome | None:
        self._worker = None
        if self._job is None:
            return None  # it was idle: the next job starts another
        self._job = None
        self.restarts += 1
        error: WorkerError
        if not self._is_ready:
            error = WorkerStartError(f"the worker {how} before it was ready; see its lines in the log")
        else:
            error = WorkerError(f"the worker {how} while it worked on this video")
        log.warning("worker_lost", error=str(error))
        return error

    def _finish(self) -> None:
        self._job, self._since_s = None, self.clock()
        self._jobs_done += 1
        # The libraries' memory may grow from job to job: a fresh process starts over.
        if self._jobs_done >= self.settings.max_jobs:
            self._retire("worn")

    def _retire(self, reason: str) -> None:
        assert self._worker is not None
        log.debug("worker_retired", reason=reason, jobs=self._jobs_done)
        self._worker.close()
        self._worker = None
