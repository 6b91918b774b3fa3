"""
Log lines to a descriptor, by a thread that may wait for it while nobody else does.

A full disk, a closed pipe or a reader that has stopped costs lines, which are counted and told of once
there is somebody to tell again; it never costs the work, and the end of the process waits a moment only.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

# Some ten thousand lines: more than a stopped reader misses by chance, and no memory to speak of.
_MOST_BYTES = 4 << 20
# A pipe holds 64 KiB; so many lines are one call.
_AT_ONCE_BYTES = 32 << 10
# After a refusal, as by a full disk, so long nothing is tried and lines are only counted.
_PAUSE_S = 0.5


class Sink:
    """
    A descriptor's end of the log.

    Args:
        descriptor: is written to and stays open.
        on_lost: told, from the sink's thread, how many lines were lost once one could be written again.
    """

    def __init__(self, descriptor: int, on_lost: Callable[[int], None] = lambda _count: None) -> None:
        self._descriptor = descriptor
        self._on_lost = on_lost
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._lost = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> int:
        """How many lines were lost and not told of yet."""
        return self._lost

    def write(self, text: str) -> None:
        """Take a line; never waits and never raises."""
        line = text.encode(errors="backslashreplace")
        with self._changed:
            if self._bytes + len(line) > _MOST_BYTES or not self._start():
                self._lost += 1
                return
            self._lines.append(line)
            self._bytes += len(line)
            self._changed.notify()

    def flush(self) -> None:
        """Nothing: lines are written as soon as they can be."""

    def close(self, *, within_s: float = 1.0) -> None:
        """Write what is left, as far as that is possible within so many seconds."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(within_s)

    def _start(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread is to be had now; the next line tries again
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._is_closing:
                    self._changed.wait()
                if not self._lines:
                    return
                lines, size = [], 0
                while self._lines and size < _AT_ONCE_BYTES:
                    lines.append(self._lines.popleft())
                    size += len(lines[-1])
                self._bytes -= size
            if self._written(b"".join(lines)):
                self._tell_lost()
            else:
                with self._changed:
                    self._lost += len(lines)
                    self._changed.wait_for(lambda: self._is_closing, _PAUSE_S)

    def _written(self, content: bytes) -> bool:
        left = memoryview(content)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # somebody else set O_NONBLOCK on it
                select.select([], [self._descriptor], [], _PAUSE_S)
            except (OSError, ValueError):
                return False
        return True

    def _tell_lost(self) -> None:
        with self._changed:
            lost, self._lost = self._lost, 0
        if lost:
            self._on_lost(lost)


def say_last(descriptor: int, line: str, *, within_s: float = 1.0) -> None:
    """Write one last *line*, and wait no longer for it than that."""
    sink = Sink(descriptor)
    sink.write(f"{line}\n")
    sink.close(within_s=within_s)
