"""The front of a file, as if it ended there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import BufferedReader


@dataclass(slots=True)
class Front:
    """
    As much of a file interface as a demuxer needs, over the first *length* bytes of *stream*.

    A demuxer would search what lies behind a video for more of it.
    """

    stream: BufferedReader
    length: int

    def read(self, count: int) -> bytes:
        """At most *count* bytes from here on; none at the end."""
        return self.stream.read(max(0, min(count, self.length - self.stream.tell())))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there, and say where that is."""
        if whence == os.SEEK_END:
            return self.stream.seek(self.length + offset)
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        """Where the next byte is read from."""
        return self.stream.tell()
