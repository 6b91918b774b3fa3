"""A real worker that bad videos are put through; one that ends is replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader

from anchord import timeline
from anchord.errors import AnchordError
from anchord.settings import ExtractSettings, Limits, WorkerSettings
from anchord.worker.client import Worker
from anchord.worker.protocol import Job

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
    _worker: Worker | None = None
    _number: int = 0

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._worker:
            self._worker.end()

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
            settings = WorkerSettings(
                threads=2, memory_mb=self.memory_mb, cpu_s=self.cpu_s, timeout_s=PATIENCE_S
            )
            self._worker = Worker(settings, tell=self.printed.append)
        self._number += 1
        job = Job(number=self._number, video="idle.webm", settings=ExtractSettings(), limits=self.limits)
        try:
            made = self._worker.work(job, stream, on_progress=lambda done, expected: None)
        except AnchordError as error:
            if not self._worker.is_gone:
                return Outcome(error=type(error).__name__, message=str(error))
            if "timeout_s" in str(error):
                raise AssertionError("the worker hangs") from error
            self._worker = None
            self.ends.append(str(error))
            return Outcome(ended=str(error))
        return Outcome(timeline=timeline.decode(made))


@contextmanager
def _file(content: bytes) -> Iterator[BufferedReader]:
    """A plain file that no folder knows."""
    with os.fdopen(os.memfd_create("video"), "w+b") as file:
        file.write(content)
        file.flush()
        with open(f"/proc/self/fd/{file.fileno()}", "rb") as stream:  # noqa: PTH123  it has no other path
            yield stream
