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
from io import BufferedReader
from queue import Empty, SimpleQueue
from typing import IO, TypeAlias

import msgspec

from anchord.errors import WorkerError
from anchord.service import jobs


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The worker process is gone: its exit status, negative for a signal."""

    pid: int
    status: int


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """A line that something in the worker wrote to its stderr."""

    line: str


Report: TypeAlias = jobs.Answer | Ended | Printed


class Worker:
    """
    One worker process. Call it from the main thread only: the kernel ends it with that thread.

    Args:
        threads: how many pictures it looks at at once; 0 for one a core.
        report: gets every answer, from a thread of the worker's own.
    """

    def __init__(self, report: Callable[[Report], None], *, threads: int = 0) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "anchord.service.worker_process", str(threads)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        self._channel = ours
        self._report = report
        threading.Thread(target=self._listen, name="worker answers", daemon=True).start()
        threading.Thread(target=self._catch_prints, name="worker prints", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def submit(self, job: jobs.Job, video: BufferedReader) -> None:
        """Hand over a job with the open file of its video, which the caller may close afterwards."""
        with contextlib.suppress(OSError):  # it has ended: the report of that is on its way
            message = jobs.encode(job)
            sent = socket.send_fds(self._channel, [message], [video.fileno()])
            self._channel.sendall(message[sent:])

    def close(self) -> None:
        """Let it finish what it does and end by itself."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End it and all it started, now, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _listen(self) -> None:
        with self._channel.makefile("rb") as answers, contextlib.suppress(OSError, WorkerError):
            while head := _exactly(answers, jobs.LENGTH_BYTES):
                content = _exactly(answers, int.from_bytes(head, "big"))
                if len(head) < jobs.LENGTH_BYTES or not content:
                    break
                self._report(jobs.decode_answer(content))
        # An answer that made no sense ends here too: such a process is not asked again.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._report(Ended(pid=self._process.pid, status=self._process.wait()))

    def _catch_prints(self) -> None:
        stream: IO[bytes] | None = self._process.stderr
        assert stream is not None
        with stream:
            for line in stream:
                if text := line.decode(errors="replace").strip():
                    self._report(Printed(line=text[:1000]))


def _exactly(answers: IO[bytes], count: int) -> bytes:
    return answers.read(count) if count <= jobs.MAX_MESSAGE_BYTES else b""


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


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
            case Ended(status=status):
                raise WorkerError(f"{job.video}: the worker {how_it_ended(status)} while it worked on it")
            case _:
                pass
