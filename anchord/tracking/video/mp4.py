"""The structure of MP4 and QuickTime: every box, and those within the index, which must fill it exactly."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader

from anchord.tracking.video.wholeness import cut, damaged, is_foreign, second

# Boxes that hold nothing but boxes.
_FOLDERS = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf")
)
# Deeper than any video goes; ten folders nest five deep.
_DEPTH = 8
# What tells whether the video is all there: the index, the pictures, and that more of both may follow.
_TELLING = frozenset((b"moov", b"trak", b"mdat", b"moof", b"mvex"))
# What a video goes on with: one of these that is longer than the file was cut, whatever stands before it.
_MORE = _TELLING | {b"mfra", b"sidx", b"styp", b"emsg", b"free", b"uuid"}


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    position: int
    content: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.position

    @property
    def is_possible(self) -> bool:
        return self.content <= self.end


def end_of_boxes(stream: BufferedReader, size: int, name: str) -> int:
    """
    Where the only video in a file ends, bytes.

    Args:
        stream: the file, seekable.
        size: of the file.
        name: what messages call it.

    Raises:
        IncompleteVideoError: a box goes on behind the file's end, or index or pictures are missing.
        VideoError: something lies where it does not belong.
    """
    position = 0
    seen: set[bytes] = set()
    while position < size:
        box = _box(stream, position, size, is_outermost=True)
        if box is not None and box.kind == b"ftyp" and b"moov" in seen and b"mvex" not in seen:
            raise second(name, position)
        is_whole = b"moov" in seen and not seen.isdisjoint((b"mdat", b"moof"))
        if is_whole and _is_behind(box, seen, stream, position, size):
            return position
        if box is None:
            raise cut(name, size)
        if not box.is_possible:
            raise damaged(name, position, f"a box has {box.length} bytes")
        if box.end > size:
            raise cut(name, size, box.end)
        seen |= {box.kind} & _TELLING
        if box.kind in _FOLDERS:
            seen |= _within(stream, box, name, depth=1)
        position = box.end
    # Recorders write the index last, others first: with one but not the other the upload is still under way.
    if b"moov" not in seen or (b"trak" in seen and seen.isdisjoint((b"mdat", b"moof"))):
        raise cut(name, size)
    return size


def _is_behind(box: _Box | None, seen: set[bytes], stream: BufferedReader, position: int, size: int) -> bool:
    """Whether what lies behind a video with index and pictures is no part of it."""
    if b"mvex" in seen:  # it comes in fragments, and does not say how many
        is_box = box is not None and box.is_possible and box.end <= size
        return not is_box and is_foreign(stream, position, size)
    if box is None or not box.is_possible:
        return True
    return box.end > size and box.kind not in _MORE


def _within(stream: BufferedReader, folder: _Box, name: str, *, depth: int) -> set[bytes]:
    """The telling kinds of the boxes in *folder*, which they must fill exactly."""
    seen: set[bytes] = set()
    position = folder.content
    while position < folder.end:
        box = _box(stream, position, folder.end, is_outermost=False)
        # QuickTime may close a list of boxes with four zero bytes.
        if folder.end - position in (4, 8) and (box is None or box.end == position):
            break
        if box is None:
            raise damaged(name, position, "a box has less than a header")
        if not box.is_possible or box.end > folder.end:
            raise damaged(name, position, f"a box has {box.length} bytes")
        seen |= {box.kind} & _TELLING
        if box.kind in _FOLDERS and depth < _DEPTH:
            seen |= _within(stream, box, name, depth=depth + 1)
        position = box.end
    return seen


def _box(stream: BufferedReader, position: int, limit: int, *, is_outermost: bool) -> _Box | None:
    """The box at *position*; None where not even its header fits in front of *limit*."""
    stream.seek(position)
    header = stream.read(min(16, limit - position))
    if len(header) < 8:
        return None
    length, kind, content = int.from_bytes(header[:4], "big"), header[4:8], position + 8
    if length == 1:
        length, content = int.from_bytes(header[8:16], "big"), position + 16
    elif length == 0 and kind == b"mdat" and is_outermost:  # to the end of the file
        length = limit - position
    return _Box(kind, position, content, position + length)
