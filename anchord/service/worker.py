"""
The daemon's handle on its worker process: a job goes in, answers come out, and it may be killed.

A process of its own, started afresh (never forked from this one, which has threads), in its own
process group, so that a decoder that crashes, hangs or grows takes down its job only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from io import BufferedReader
from itertools import islice
from queue import Empty, SimpleQueue
from typing import IO, TypeAlias

import msgspec

from anchord.errors import WorkerError
from anchord.service import jobs, sandbox
from anchord.settings import WorkerSettings


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The worker process is gone: its exit status, negative for a signal, and that in words."""

    pid: int
    status: int
    how: str


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """A line that something in the worker wrote to its stderr."""

    line: str


_DEFAULT = WorkerSettings()

# What a worker in wrong hands may put into the daemon's memory: answers to one job (one tells of ten
# frames), lines in its life and bytes in a line. All far above what was ever seen.
_MOST_ANSWERS = 100_000
_MOST_LINES = 2_000
_LONGEST_LINE = 1000

# How long a worker that closed its channel may take to end, and its last lines to arrive.
_LAST_WORDS_S = 2.0

Report: TypeAlias = jobs.Answer | Ended | Printed


class Worker:
    """
    One worker process. Call it from the main thread only: the kernel ends it with that thread.

    Args:
        report: gets every answer, from a thread of the worker's own.
        threads: how many pictures it looks at at once; 0 for one a core, up to 4.
        memory_mb: most address space it may take, MiB.
        cpu_s: most CPU time it may use for one job, in all threads together.
        mode: of the sandbox.
    """

    def __init__(
        self,
        report: Callable[[Report], None],
        *,
        threads: int = _DEFAULT.threads,
        memory_mb: int = _DEFAULT.memory_mb,
        cpu_s: int = _DEFAULT.cpu_s,
        mode: sandbox.Mode = _DEFAULT.sandbox,
    ) -> None:
        arguments = [str(threads), str(memory_mb), mode]
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "anchord.service.worker_process", *arguments],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                # Its threads would be there before the sandbox is, and there is nothing for them to do.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
        self._channel = ours
        # Held while the channel is used or closed: a closed descriptor's number is soon another file's.
        self._sending = threading.Lock()
        self._unheard = _MOST_ANSWERS
        self._cpu_s = cpu_s
        self._report = report
        self._killed_for = ""
        self._last_line = ""
        self._prints = threading.Thread(target=self._catch_prints, name="worker prints", daemon=True)
        self._prints.start()
        threading.Thread(target=self._listen, name="worker answers", daemon=True).start()

    @classmethod
    def by(cls, settings: WorkerSettings, report: Callable[[Report], None]) -> Worker:
        """A worker as the settings want it."""
        return cls(
            report,
            threads=settings.threads,
            memory_mb=settings.memory_mb,
            cpu_s=settings.cpu_s,
            mode=settings.sandbox,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def submit(self, job: jobs.Job, video: BufferedReader) -> None:
        """Hand over a job with the open file of its video, which the caller may close afterwards."""
        sandbox.allow_cpu(self._process.pid, self._cpu_s)
        self._unheard = _MOST_ANSWERS
        # It may have ended, and the report of that be on its way.
        with self._sending, contextlib.suppress(OSError):
            message = jobs.encode(job)
            sent = socket.send_fds(self._channel, [message], [video.fileno()])
            self._channel.sendall(message[sent:])

    def close(self) -> None:
        """Let it finish what it does and end by itself."""
        with self._sending, contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    def kill(self, why: str = "") -> None:
        """End it and all it started, now, and wait until it is gone; *why* is reported with its end."""
        if self._process.poll() is None:  # else its number may be another's by now
            self._killed_for = self._killed_for or why
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _listen(self) -> None:
        with self._channel.makefile("rb") as answers, contextlib.suppress(OSError):
            try:
                while answer := _next_answer(answers):
                    self._unheard -= 1
                    if not self._unheard:
                        raise WorkerError("it talks without end")
                    self._report(answer)
            except WorkerError as error:
                self.kill(str(error))  # such a process is not asked again
        with contextlib.suppress(subprocess.TimeoutExpired):
            # It has nothing more to say; given time to end by itself, its status says why.
            self._process.wait(timeout=_LAST_WORDS_S)
        self.kill("it closed its channel, but did not end")
        with self._sending:
            self._channel.close()
        self._prints.join(timeout=_LAST_WORDS_S)
        status = self._process.wait()
        how = how_it_ended(status, cpu_s=self._cpu_s, killed_for=self._killed_for, last_line=self._last_line)
        self._report(Ended(pid=self._process.pid, status=status, how=how))

    def _catch_prints(self) -> None:
        stream: IO[bytes] | None = self._process.stderr
        assert stream is not None
        with stream:
            lines = iter(partial(stream.readline, _LONGEST_LINE), b"")
            for line in islice(lines, _MOST_LINES):
                if text := line.decode(errors="replace").strip():
                    self._last_line = text
                    self._report(Printed(line=text))
            for _ in lines:
                pass  # only read, so that it does not wait for a reader for ever


def _next_answer(answers: IO[bytes]) -> jobs.Answer | None:
    """None where the channel was closed, be it in the middle of an answer."""
    length = int.from_bytes(answers.read(jobs.LENGTH_BYTES), "big")
    if length > jobs.MAX_MESSAGE_BYTES:
        raise WorkerError(f"its answer has {length} bytes")
    content = answers.read(length)
    return jobs.decode_answer(content) if content and len(content) == length else None


def how_it_ended(status: int, *, cpu_s: int = 0, killed_for: str = "", last_line: str = "") -> str:
    """
    An exit status in words that name the limit or the crash behind it.

    Args:
        status: negative for a signal.
        cpu_s: what the job was allowed.
        killed_for: why the daemon killed it, if it did.
        last_line: what it printed last: of an exception or an abort, the reason.
    """
    if status >= 0:
        return f"ended with status {status}" + (f": {last_line}" if status and last_line else "")
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was ended by signal {-status}"
    match number:
        case signal.SIGXCPU:
            why = f"over worker.cpu_s = {cpu_s}"
        case signal.SIGSYS:
            why = "it tried what its sandbox forbids; the video may be an attack"
        case signal.SIGABRT:
            why = last_line or "a library gave up"
        case signal.SIGSEGV | signal.SIGBUS | signal.SIGILL | signal.SIGFPE:
            why = "a library crashed"
        case signal.SIGKILL:
            why = killed_for or "by someone else, or by the kernel for want of memory"
        case _:
            why = ""
    return f"was ended by {number.name}" + (f": {why}" if why else "")


def work_off(
    worker: Worker,
    reports: SimpleQueue[Report],
    job: jobs.Job,
    video: BufferedReader,
    *,
    timeout_s: float,
    on_progress: Callable[[int, int], None],
) -> bytes:
    """
    Give *worker* one job and wait for its timeline's bytes.

    Raises:
        AnchordError: whatever the worker raised; WorkerError where it ended or took too long.
    """
    worker.submit(job, video)
    ends_at_s = time.monotonic() + timeout_s
    while True:
        try:
            report = reports.get(timeout=max(0.0, ends_at_s - time.monotonic()))
        except Empty:
            raise WorkerError(f"{job.video}: took longer than timeout_s = {timeout_s}") from None
        match report:
            case jobs.Progress(done=done, expected=expected):
                on_progress(done, expected)
            case jobs.Extracted(content=content):
                return content
            case jobs.Failed():
                raise report.as_error()
            case Ended(how=how):
                raise WorkerError(f"{job.video}: the worker {how} while it worked on it")
            case _:
                pass
