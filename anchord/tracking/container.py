"""
What kind of file it is and whether all of it is there, from its own structure alone.

FFmpeg guesses by content and would follow a playlist called ``idle.webm`` to other files; and it
decodes a file cut in the middle without a word. So both are settled before it sees a byte.
"""

from __future__ import annotations

import os
from io import BufferedReader
from typing import Literal

from anchord.errors import IncompleteVideoError, VideoError

#: FFmpeg's names of the two demuxers that may ever be used.
Demuxer = Literal["matroska", "mov"]

_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_BMFF_FIRST_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"))

_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675


def checked_container(stream: BufferedReader, name: str) -> Demuxer:
    """
    The demuxer for a video file that is whole.

    Args:
        stream: the file, seekable; its position is left anywhere.
        name: what messages call it.

    Raises:
        IncompleteVideoError: the file ends inside an element that should go on.
        VideoError: it is neither WebM/Matroska nor MP4/MOV.
    """
    size = os.fstat(stream.fileno()).st_size
    stream.seek(0)
    head = stream.read(16)
    if not head:
        raise VideoError(f"{name}: is empty")
    if head.startswith(_EBML_MAGIC):
        _walk_ebml(stream, size, name)
        return "matroska"
    if head[4:8] in _BMFF_FIRST_BOXES:
        _walk_bmff(stream, size, name)
        return "mov"
    raise VideoError(
        f"{name}: is neither a WebM nor an MP4 video, whatever its name says (it begins with {head[:8]!r})"
    )


def _cut(name: str, size: int, needed: int | None = None) -> IncompleteVideoError:
    more = f" of at least {needed}" if needed else ""
    return IncompleteVideoError(
        f"{name}: ends after {size}{more} bytes, in the middle; upload it again, whole"
    )


def _walk_ebml(stream: BufferedReader, size: int, name: str) -> None:
    """Step over elements, into segments and clusters. Source: RFC 8794 and RFC 9559."""
    position = 0
    has_cluster = False
    while position < size:
        stream.seek(position)
        header = stream.read(12)
        element, id_length = _vint(header, keep_marker=True)
        length, size_length = _vint(header[id_length:], keep_marker=False) if id_length else (0, 0)
        if not id_length or not size_length:
            if len(header) < 12:
                raise _cut(name, size)
            raise VideoError(f"{name}: is damaged at byte {position}: no WebM element begins there")
        content = position + id_length + size_length
        is_unknown = length == (1 << (7 * size_length)) - 1
        has_cluster |= element == _CLUSTER
        if element == _SEGMENT:
            if not is_unknown and content + length > size:
                raise _cut(name, size, content + length)
            position = content
        elif element == _CLUSTER:
            # Its blocks are gone through too: FFmpeg would look for the next whole one in silence.
            if not is_unknown and content + length > size:
                raise _cut(name, size, content + length)
            position = content
        elif is_unknown:
            raise VideoError(f"{name}: is damaged at byte {position}: an element without an end")
        else:
            position = content + length
            if position > size:
                raise _cut(name, size, position)
    if not has_cluster:
        raise _cut(name, size)


def _vint(data: bytes, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-length integer and how many bytes it takes; length 0 where it is not there."""
    if not data or not data[0]:
        return 0, 0
    length = 9 - data[0].bit_length()
    if len(data) < length or (keep_marker and length > 4):
        return 0, 0
    value = int.from_bytes(data[:length], "big")
    return (value if keep_marker else value & ~(1 << (7 * length))), length


def _walk_bmff(stream: BufferedReader, size: int, name: str) -> None:
    """Step over the top-level boxes."""
    position = 0
    seen = set()
    while position < size:
        stream.seek(position)
        header = stream.read(16)
        if len(header) < 8:
            raise _cut(name, size)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:  # to the end of the file
            length = size - position
        if length < 8:
            raise VideoError(f"{name}: is damaged at byte {position}: a box of {length} bytes")
        seen.add(kind)
        position += length
    if position > size:
        raise _cut(name, size, position)
    if b"moov" not in seen:
        # Recorders write the index last: without it the upload is still under way, or was cut.
        raise _cut(name, size)
