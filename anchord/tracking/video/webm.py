"""The structure of WebM and Matroska: every element down to the blocks, and nothing between them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BufferedReader

from anchord.errors import VideoError
from anchord.tracking.video.wholeness import cut, damaged, is_foreign, second

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


def end_of_segment(stream: BufferedReader, size: int, name: str) -> int:
    """
    Where the only video in a file ends, bytes.

    Args:
        stream: the file, seekable.
        size: of the file.
        name: what messages call it.

    Raises:
        IncompleteVideoError: an element goes on behind the file's end.
        VideoError: something lies where it does not belong.
    """
    return _Walk(stream, size, name).end()


@dataclass(slots=True)
class _Walk:
    """Steps through every element down to the blocks, and sees that nothing lies between them."""

    _stream: BufferedReader
    _size: int
    _name: str

    def end(self) -> int:
        """
        Where the segment ends.

        Raises:
            IncompleteVideoError: an element goes on behind the file's end.
            VideoError: something lies where it does not belong.
        """
        position = 0
        # The elements that are gone into, outermost first, and where each ends; None for "not known".
        inside: list[tuple[int, int | None]] = []
        has_cluster = False
        while position < self._size:
            while inside and inside[-1][1] == position:
                inside.pop()
            is_behind = not inside
            try:
                element, content, end = self._next(position, inside)
            except VideoError:
                if has_cluster and self._is_over(position, inside, is_behind=is_behind):
                    return position
                raise
            has_cluster |= element == _CLUSTER
            if element in _WITHIN:
                inside.append((element, end))
                position = content
            else:
                assert end is not None
                position = end
        if not has_cluster:
            raise cut(self._name, self._size)
        return self._size

    def _next(self, position: int, inside: list[tuple[int, int | None]]) -> tuple[int, int, int | None]:
        """The element at *position*, where its content begins and ends; *inside* loses what it ends."""
        element, content, length = self._element(position)
        while inside and inside[-1][1] is None and element not in _WITHIN[inside[-1][0]]:
            inside.pop()
        self._check_place(element, position, inside)
        end = None if length is None else content + length
        limit = next((end for _, end in reversed(inside) if end is not None), self._size)
        if end is not None and end > limit:
            if limit == self._size:
                raise cut(self._name, self._size, end)
            raise damaged(self._name, position, "an element is longer than the one around it")
        if end is None and element not in _LIVE:
            raise damaged(self._name, position, "an element has no end")
        return element, content, end

    def _is_over(self, position: int, inside: list[tuple[int, int | None]], *, is_behind: bool) -> bool:
        """Whether the video is whole without what lies at *position*, where no element can be read."""
        if any(end is not None for _, end in inside):
            return False
        if not is_behind:  # a live recording says nowhere where it ends
            return is_foreign(self._stream, position, self._size)
        self._stream.seek(position)
        return self._stream.read(4) != _EBML_HEADER.to_bytes(4)

    def _element(self, position: int) -> tuple[int, int, int | None]:
        """The element at *position*: its id, where its content begins and how long that is, if known."""
        self._stream.seek(position)
        header = self._stream.read(12)
        element, id_length = _vint(header, keep_marker=True)
        length, size_length = _vint(header[id_length:], keep_marker=False) if id_length else (0, 0)
        if not size_length:
            if len(header) < 12:
                raise cut(self._name, self._size)
            raise damaged(self._name, position, "no WebM element begins there")
        is_known = length != (1 << (7 * size_length)) - 1
        return element, position + id_length + size_length, length if is_known else None

    def _check_place(self, element: int, position: int, inside: list[tuple[int, int | None]]) -> None:
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
                raise second(self._name, position)
            is_right = element == _SEGMENT or element in _ANYWHERE
        if not is_right:
            raise damaged(self._name, position, "something begins there that does not belong there")


def _vint(data: bytes, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-length integer and how many bytes it takes; length 0 where it is not there."""
    if not data or not data[0]:
        return 0, 0
    length = 9 - data[0].bit_length()
    if len(data) < length or (keep_marker and length > 4):
        return 0, 0
    value = int.from_bytes(data[:length], "big")
    return (value if keep_marker else value & ~(1 << (7 * length))), length
