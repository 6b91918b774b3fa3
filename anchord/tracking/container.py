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

_EBML_HEADER = 0x1A45DFA3
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_BLOCK_GROUP = 0xA0
# What may stand anywhere: padding and a checksum.
_ANYWHERE = frozenset((0xEC, 0xBF))
# Element -> what may stand in it. A hole or a lost piece shows as something else: a demuxer would
# search on from there and drop frames without a word. Source: RFC 9559, section 5.
_WITHIN = {
    _SEGMENT: _ANYWHERE
    | {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367},
    _CLUSTER: _ANYWHERE | {0xE7, 0xA7, 0xAB, 0xA3, 0xAF, 0x5854, _BLOCK_GROUP},
    _BLOCK_GROUP: _ANYWHERE | {0xA1, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8},
}
# Elements without an end of their own, in live recordings, end where their parent's next one begins.
_LIVE = (_SEGMENT, _CLUSTER)

# Compressed pictures are as good as noise: so many zeros in a row mean that nothing was written there.
# An unfinished upload leaves pages of 4,096; some encoders pad a picture with a few at its end.
_HOLE = bytes(512)
_HOLE_IN_FRONT = bytes(16)

# Boxes that hold nothing but boxes.
_BMFF_FOLDERS = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf")
)
# Deeper than any video goes; ten folders nest five deep.
_BMFF_DEPTH = 8


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


def has_hole(packet: bytes) -> bool:
    """Whether part of a compressed picture was never written; decoders skip or conceal it in silence."""
    return not packet or packet.startswith(_HOLE_IN_FRONT) or _HOLE in packet


def _cut(name: str, size: int, needed: int | None = None) -> IncompleteVideoError:
    more = f" of at least {needed}" if needed else ""
    return IncompleteVideoError(
        f"{name}: ends after {size}{more} bytes, in the middle; upload it again, whole"
    )


def _walk_ebml(stream: BufferedReader, size: int, name: str) -> None:
    """Step through every element down to the blocks, and see that nothing lies between them."""
    position = 0
    # The elements that are gone into, outermost first, and where each ends; None for "not known".
    inside: list[tuple[int, int | None]] = []
    has_cluster = False
    while position < size:
        while inside and inside[-1][1] == position:
            inside.pop()
        element, content, length = _element(stream, position, size, name)
        while inside and inside[-1][1] is None and element not in _WITHIN[inside[-1][0]]:
            inside.pop()
        _check_place(element, position, inside, name)
        end = None if length is None else content + length
        limit = next((end for _, end in reversed(inside) if end is not None), size)
        if end is not None and end > limit:
            if limit == size:
                raise _cut(name, size, end)
            raise _damaged(name, position, "an element is longer than the one around it")
        if end is None and element not in _LIVE:
            raise _damaged(name, position, "an element has no end")
        has_cluster |= element == _CLUSTER
        if element in _WITHIN:
            inside.append((element, end))
            position = content
        else:
            assert end is not None
            position = end
    if not has_cluster:
        raise _cut(name, size)


def _element(stream: BufferedReader, position: int, size: int, name: str) -> tuple[int, int, int | None]:
    """The element at *position*: its id, where its content begins and how long that is, if known."""
    stream.seek(position)
    header = stream.read(12)
    element, id_length = _vint(header, keep_marker=True)
    length, size_length = _vint(header[id_length:], keep_marker=False) if id_length else (0, 0)
    if not size_length:
        if len(header) < 12:
            raise _cut(name, size)
        raise _damaged(name, position, "no WebM element begins there")
    is_known = length != (1 << (7 * size_length)) - 1
    return element, position + id_length + size_length, length if is_known else None


def _check_place(element: int, position: int, inside: list[tuple[int, int | None]], name: str) -> None:
    """
    See that an element may stand where it does.

    Raises:
        VideoError: it may not, so what lies there is not what was written there.
    """
    if inside:
        is_right = element in _WITHIN[inside[-1][0]]
    elif position == 0:
        is_right = element == _EBML_HEADER
    else:
        if element == _EBML_HEADER:
            raise VideoError(f"{name}: holds a second video from byte {position} on; put in one only")
        is_right = element == _SEGMENT or element in _ANYWHERE
    if not is_right:
        raise _damaged(name, position, "something begins there that does not belong there")


def _damaged(name: str, position: int, what: str) -> VideoError:
    return VideoError(f"{name}: is damaged at byte {position}: {what}; upload it again")


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
    """Step over the boxes, and into those that hold the index."""
    seen = _boxes(stream, 0, size, size, name, depth=0)
    if b"moov" not in seen:
        # Recorders write the index last: without it the upload is still under way, or was cut.
        raise _cut(name, size)


def _boxes(
    stream: BufferedReader, position: int, end: int, size: int, name: str, *, depth: int
) -> set[bytes]:
    """The kinds of the boxes from *position* to *end*, which they must fill exactly."""
    seen = set()
    while position < end:
        stream.seek(position)
        header = stream.read(16)
        if len(header) < 8:
            raise _cut(name, size)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        content = position + 8
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
            content += 8
        elif length == 0 and kind == b"mdat" and not depth:  # to the end of the file
            length = end - position
        if position + length < content or (depth and position + length > end):
            # QuickTime may close a list of boxes with four zero bytes.
            if depth and header[:4] == bytes(4) and end - position in (4, 8):
                break
            raise _damaged(name, position, f"a box has {length} bytes")
        if position + length > size:
            raise _cut(name, size, position + length)
        if kind in _BMFF_FOLDERS and depth < _BMFF_DEPTH:
            _boxes(stream, content, position + length, size, name, depth=depth + 1)
        seen.add(kind)
        position += length
    return seen
