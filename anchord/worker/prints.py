"""What a worker process prints: a few lines for people, and never more than a few."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable

from anchord.errors import WorkerError
from anchord.printable import printable

_LONGEST_LINE = 1000
# So many lines of a worker's life are told; of the rest only the number.
_MOST_TOLD = 200
# An abort's reason is in its last line, an exception's too; libraries may print another after it.
_KEPT = 3
# FFmpeg's complaint on each of 36,000 damaged frames is a tenth of it.
_MOST_BYTES = 64 << 20
_PIECE = 64 << 10

# What MediaPipe's and TensorFlow's loggers say all the time is no reason for an end.
_CHATTER = re.compile(r"[IW]\d{4} |INFO: |WARNING: ")


class Prints:
    """
    The parent's end of a worker's stderr.

    Args:
        descriptor: the pipe's, which never blocks; closed by whoever made it.
        tell: gets each line as long as they are few.
    """

    def __init__(self, descriptor: int, tell: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._tell = tell
        self._rest = b""
        self._lines = 0
        self._bytes = 0
        self._kept: deque[str] = deque(maxlen=_KEPT)

    @property
    def tail(self) -> str:
        """The last few lines that may say why it ended."""
        return " | ".join(self._kept)

    def read(self) -> bool:
        """
        Take in a piece of what was printed; False where there is nothing more to come.

        Raises:
            WorkerError: it prints without end.
        """
        try:
            piece = os.read(self._descriptor, _PIECE)
        except BlockingIOError:
            return True
        self._bytes += len(piece)
        if self._bytes > _MOST_BYTES:
            raise WorkerError("it prints without end")
        # Of a flood only so many lines are looked at: the last ones, which are kept.
        most = max(_KEPT, _MOST_TOLD - self._lines)
        *lines, rest = (self._rest + piece).rsplit(b"\n", most + 1)
        for line in lines[-most:]:
            self._take(line)
        if len(rest) > _LONGEST_LINE or not piece:
            self._take(rest)
            rest = b""
        self._rest = rest
        return bool(piece)

    def _take(self, line: bytes) -> None:
        text = printable(line[:_LONGEST_LINE].decode(errors="backslashreplace").strip())
        if not text:
            return
        if not _CHATTER.match(text):
            self._kept.append(text)
        self._lines += 1
        if self._lines <= _MOST_TOLD:
            self._tell(text)
        elif self._lines == _MOST_TOLD + 1:
            self._tell("(no further line of this worker is told)")
