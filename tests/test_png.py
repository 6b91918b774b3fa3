"""Pictures of somebody else: every byte accounted for, and packed anew with the mark of anchord."""

from __future__ import annotations

import contextlib
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord import png


def picture(width: int = 20, height: int = 10, channels: int = 3) -> bytes:
    rng = np.random.default_rng(width)
    pixels = rng.integers(0, 255, (height, width, channels), np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def made_of(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


HEAD = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
ROW = zlib.compress(b"\0\1\2")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_packed_anew_has_the_same_pixels(channels: int) -> None:
    before = picture(channels=channels)
    after = png.decode(before).encoded()
    shown = [
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) for content in (before, after)
    ]
    assert shown[0] is not None
    assert shown[1] is not None
    assert (np.asarray(shown[0]) == np.asarray(shown[1])).all()


def test_its_own_are_known_again_until_anybody_changes_them() -> None:
    own = png.decode(picture()).encoded()
    assert png.is_own(own)
    assert not png.is_own(picture())
    other = png.decode(picture(width=21)).encoded()
    assert png.is_own(other)
    # A program that keeps remarks and changes pixels.
    mark = own[own.index(b"tEXt") - 4 : own.index(b"IDAT") - 4]
    foreign = other[: other.index(b"tEXt") - 4] + mark + other[other.index(b"IDAT") - 4 :]
    assert not png.is_own(foreign)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_is_noticed(at: int, value: int) -> None:
    """In an own picture and in another one; only the same byte is no change."""
    own = bytearray(png.decode(picture()).encoded())
    at %= len(own)
    if own[at] == value:
        return
    own[at] = value
    assert not png.is_own(bytes(own))


@given(st.binary(max_size=300))
def test_bytes_from_anywhere_are_a_picture_or_a_value_error(content: bytes) -> None:
    for whole in (content, b"\x89PNG\r\n\x1a\n" + content, made_of((b"IHDR", content[:13]))):
        with contextlib.suppress(ValueError):
            png.decode(whole)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "no PNG"),
        (made_of((b"IHDR", HEAD), (b"IDAT", ROW)), "no end"),
        (made_of((b"IDAT", ROW), (b"IHDR", HEAD), (b"IEND", b"")), "wrong place"),
        (made_of((b"IHDR", HEAD), (b"IHDR", HEAD), (b"IDAT", ROW), (b"IEND", b"")), "wrong place"),
        (made_of((b"IHDR", HEAD), (b"IDAT", ROW), (b"IEND", b""), (b"IDAT", ROW)), "wrong place"),
        (made_of((b"IHDR", HEAD), (b"iCCP", b"x"), (b"IDAT", ROW), (b"IEND", b"")), "does not need"),
        (made_of((b"IHDR", HEAD), (b"IDAT", ROW + b"x"), (b"IEND", b"")), "are not 2x1"),
        (made_of((b"IHDR", HEAD), (b"IDAT", zlib.compress(b"\0\1")), (b"IEND", b"")), "are not 2x1"),
        (made_of((b"IHDR", HEAD), (b"IDAT", zlib.compress(bytes(1 << 20))), (b"IEND", b"")), "are not 2x1"),
        (made_of((b"IHDR", HEAD), (b"IDAT", b"nonsense"), (b"IEND", b"")), "damaged"),
        (made_of((b"IHDR", HEAD), (b"IDAT", zlib.compress(b"\7\1\2")), (b"IEND", b"")), "unknown kind"),
        (
            made_of((b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0)), (b"IDAT", ROW), (b"IEND", b"")),
            "unknown kind",
        ),
        (made_of((b"IHDR", HEAD), (b"IDAT", ROW), (b"IEND", b""))[:-3], "middle of a chunk"),
        (made_of((b"IHDR", HEAD), (b"IDAT", ROW)) + b"\xff\xff\xff\xffIEND" + bytes(8), "middle of a chunk"),
    ],
)
def test_what_is_no_plain_picture_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        png.decode(content)
