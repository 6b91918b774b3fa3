"""A real worker that bad videos are put through; one that ends is replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from queue import Empty, SimpleQueue

from anchord.service.worker import Ended, Report, Worker

from anchord import timeline
from anchord.service import jobs
from anchord.settings import ExtractSettings, Limits

#: Far above what any of these small files may take, on a busy machine too.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A timeline, an error of the tree, or how the worker ended."""

    timeline: timeline.Timeline | None = None
    error: str = ""
    message: str = ""
    ended: str = ""


@dataclass(slots=True)
class Rig:
    """
    Puts one video after another through a worker.

    Args:
        limits: of each video.
        memory_mb: of the worker.
    """

    limits: Limits = field(default_factory=Limits)
    memory_mb: int = 3072
    cpu_s: int = 20
    ends: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    _reports: SimpleQueue[Report] = field(default_factory=SimpleQueue)
    _worker: Worker | None = None
    _number: int = 0

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._worker:
            self._worker.kill()

    @property
    def pid(self) -> int | None:
        """Of the worker, if there is one."""
        return self._worker.pid if self._worker else None

    def put_through(self, content: bytes) -> Outcome:
        """
        What becomes of a video with this content.

        Raises:
            AssertionError: nothing, for a minute.
        """
        with _file(content) as stream:
            return self.put_stream_through(stream)

    def put_stream_through(self, stream: BufferedReader) -> Outcome:
        """As ``put_through``, with an opened file."""
        if self._worker is None:
            self._worker = Worker(self._reports.put, threads=2, memory_mb=self.memory_mb, cpu_s=self.cpu_s)
        self._number += 1
        job = jobs.Job(number=self._number, video="idle.webm", settings=ExtractSettings(), limits=self.limits)
        self._worker.submit(job, stream)
        while True:
            try:
                report = self._reports.get(timeout=PATIENCE_S)
            except Empty:
                raise AssertionError("the worker hangs") from None
            match report:
                case jobs.Extracted(content=made):
                    return Outcome(timeline=timeline.decode(made))
                case jobs.Failed(error=error, message=message):
                    return Outcome(error=error, message=message)
                case Ended(how=how):
                    self._worker = None
                    self.ends.append(how)
                    return Outcome(ended=how)
                case _:
                    if not isinstance(report, jobs.Ready | jobs.Progress | jobs.Unchanged):
                        self.printed.append(report.line)


@contextmanager
def _file(content: bytes) -> Iterator[BufferedReader]:
    """A plain file that no folder knows."""
    with os.fdopen(os.memfd_create("video"), "w+b") as file:
        file.write(content)
        file.flush()
        with open(f"/proc/self/fd/{file.fileno()}", "rb") as stream:  # noqa: PTH123  it has no other path
            yield stream
