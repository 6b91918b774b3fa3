"""
PNG pictures that somebody else made: taken apart strictly, and put together in anchord's own encoding. Pure.

Whoever sends a picture may have been taken over, and whoever opens it trusts it; so nothing of it is kept but
its pixels. A picture of anchord's own says so, and ends to do so as soon as anybody changes it: beside its
pixels stands their digest.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"Comment"
_OURS = b"made by anchord sprites; pixels sha256 "
# Colour type -> bytes of a pixel at eight bits: grey, red green blue, and that with opacity.
_CHANNELS = {0: 1, 2: 3, 6: 4}


class Png(NamedTuple):
    """A picture's size, how many bytes a pixel has, and its compressed pixels."""

    width: int
    height: int
    channels: int
    pixels: bytes

    def encoded(self) -> bytes:
        """The file, with the mark of its maker."""
        kind = next(kind for kind, count in _CHANNELS.items() if count == self.channels)
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, kind, 0, 0, 0)
        chunks = (
            (b"IHDR", head),
            (b"tEXt", _KEYWORD + b"\0" + self._mark()),
            (b"IDAT", self.pixels),
            (b"IEND", b""),
        )
        return _SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)

    def _mark(self) -> bytes:
        size = struct.pack(">III", self.width, self.height, self.channels)
        return _OURS + hashlib.sha256(size + self.pixels).hexdigest().encode()


def decode(content: bytes) -> Png:
    """
    A picture of eight bits without a palette, every byte of it accounted for.

    Raises:
        ValueError: it is none, is damaged, or has other chunks than it needs.
    """
    found, _ = _taken_apart(content)
    size = found.height * (1 + found.width * found.channels)
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(found.pixels, size + 1)
    except zlib.error as error:
        raise ValueError(f"its pixels are damaged: {error}") from error
    if len(raw) != size or not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"its pixels are not {found.width}x{found.height}")
    if max(raw[:: 1 + found.width * found.channels]) > 4:
        raise ValueError("it has rows of an unknown kind")
    return found


def is_own(content: bytes) -> bool:
    """Whether a file is as ``Png.encoded`` wrote it."""
    try:
        found, mark = _taken_apart(content)
    except ValueError:
        return False
    return mark == found._mark()


def _taken_apart(content: bytes) -> tuple[Png, bytes]:
    """The picture, its pixels still packed, and the remark that stands in it."""
    head, pixels, mark, last = b"", b"", b"", b""
    for name, part in _chunks(content):
        if (name == b"IHDR") != (last == b"") or (
            name == b"IDAT" and last not in (b"IHDR", b"tEXt", b"IDAT")
        ):
            raise ValueError(f"its chunk {name!r} stands in the wrong place")
        match name:
            case b"IHDR":
                head = part
            case b"tEXt":
                mark = part.partition(b"\0")[2]
            case b"IDAT":
                pixels += part
            case b"IEND":
                pass
            case _:
                raise ValueError(f"it has a chunk {name!r}, which it does not need")
        last = name
    if last != b"IEND" or len(head) != 13:
        raise ValueError("it has no end, or no head")
    width, height, depth, kind, *rest = struct.unpack(">IIBBBBB", head)
    if depth != 8 or kind not in _CHANNELS or any(rest) or not (0 < width < 1 << 16 and 0 < height < 1 << 16):
        raise ValueError(f"it is of an unknown kind: {width}x{height}, {depth} bits, colour type {kind}")
    return Png(width, height, _CHANNELS[kind], pixels), mark


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not content.startswith(_SIGNATURE):
        raise ValueError("it is no PNG")
    at = len(_SIGNATURE)
    while at < len(content):
        if len(content) - at < 12:
            raise ValueError("it ends in the middle of a chunk")
        (length,) = struct.unpack_from(">I", content, at)
        if length > len(content) - at - 12:
            raise ValueError("it ends in the middle of a chunk")
        name, part = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if struct.unpack_from(">I", content, at + 8 + length) != (zlib.crc32(name + part),):
            raise ValueError(f"its chunk {name!r} is damaged")
        yield name, part
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
