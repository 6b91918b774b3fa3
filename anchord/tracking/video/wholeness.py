"""What is said of a file that is not whole, and what may lie behind one that is."""

from __future__ import annotations

import string
from io import BufferedReader

from anchord.errors import IncompleteVideoError, VideoError

# A text, such as the rest of a web form or a server's error page, is at most this long.
_LONGEST_TEXT = 65_536
# Fewer zeros than any block of a video takes (a hole that an unfinished upload leaves has thousands), and
# more than the length of the next box begins with, which may be all that is there of it.
_FEW_ZEROS = range(4, 16)
_TEXT = string.printable.encode()


def cut(name: str, size: int, needed: int | None = None) -> IncompleteVideoError:
    """The file ends too early; *needed*, if known, is how long it must be at least."""
    more = f" of at least {needed}" if needed else ""
    return IncompleteVideoError(
        f"{name}: ends after {size}{more} bytes, in the middle; upload it again, whole"
    )


def damaged(name: str, position: int, what: str) -> VideoError:
    """Something else lies at *position* than was written there."""
    return VideoError(f"{name}: is damaged at byte {position}: {what}; upload it again")


def second(name: str, position: int) -> VideoError:
    """Another video begins at *position*; players disagree on what to show of it."""
    return VideoError(f"{name}: holds a second video from byte {position} on; put in one only")


def is_foreign(stream: BufferedReader, position: int, size: int) -> bool:
    """
    Whether what lies between *position* and the end of the file can't be a piece of a video.

    Asked where a video does not say how long it is: all but a text or a few zeros may be what is left of
    frames that got lost.
    """
    if size - position > _LONGEST_TEXT:
        return False
    stream.seek(position)
    tail = stream.read(_LONGEST_TEXT)
    return not tail.translate(None, _TEXT) or (len(tail) in _FEW_ZEROS and not any(tail))
