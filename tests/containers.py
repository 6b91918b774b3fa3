"""Video files put together byte by byte: what encoders don't write, but phones, taggers and uploads do."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# Where the boxes within a box begin, behind its header; of others at once.
_FRONT = {b"stsd": 8, b"avc1": 78}

#: Where the description of an H.264 track's pictures stands.
AVC1 = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")


def box(kind: bytes, content: bytes) -> bytes:
    """An MP4 box."""
    return struct.pack(">I4s", len(content) + 8, kind) + content


def with_box(content: bytes, path: Sequence[bytes], inner: bytes) -> bytes:
    """An MP4 whose index comes last, with one more box at the end of the first one at *path*."""
    grown = bytearray(content)
    start, end = 0, len(content)
    for kind in path:
        while content[start + 4 : start + 8] != kind:
            start += int.from_bytes(content[start : start + 4], "big")
            assert start < end, kind
        length = int.from_bytes(content[start : start + 4], "big")
        grown[start : start + 4] = (length + len(inner)).to_bytes(4, "big")
        start, end = start + 8 + _FRONT.get(kind, 0), start + length
    return bytes(grown[:end] + inner + grown[end:])


def with_matrix(content: bytes, matrix: Sequence[float]) -> bytes:
    """An MP4 whose only track is shown through the display matrix (a, b, c, d)."""
    a, b, c, d = (round(number * 65536) for number in matrix)
    at = content.index(b"tkhd") + 4 + 40
    numbers = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return content[:at] + numbers + content[at + len(numbers) :]


def with_flags(content: bytes, *flags: int) -> bytes:
    """An MP4 with these flags in its tracks' headers: 3 is switched on, 0 is off."""
    changed = bytearray(content)
    at = 0
    for flag in flags:
        at = content.index(b"tkhd", at) + 4
        changed[at + 3] = flag
    return bytes(changed)


def trimmed(content: bytes, *, by_s: float) -> bytes:
    """An MP4 that is shown from later on, as phones trim a film without encoding it again."""
    clocks = [content.index(kind) + 16 for kind in (b"mvhd", b"mdhd")]
    movie, media = (int.from_bytes(content[clock : clock + 4], "big") for clock in clocks)
    at = content.index(b"elst") + 12
    length, start = struct.unpack(">Ii", content[at : at + 8])
    edited = struct.pack(">Ii", length - round(by_s * movie), start + round(by_s * media))
    return content[:at] + edited + content[at + 8 :]


def element(name: int, content: bytes) -> bytes:
    """A WebM element, its length in eight bytes."""
    return (
        name.to_bytes((name.bit_length() + 7) // 8, "big")
        + (len(content) | 1 << 56).to_bytes(8, "big")
        + content
    )


def number(name: int, value: int) -> bytes:
    """A WebM element that holds a whole number."""
    return element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def webm_track(
    codec: bytes, size: tuple[int, int], *, number_: int = 1, track: bytes = b"", video: bytes = b""
) -> bytes:
    """The description of a track; *track* and *video* are more elements of it and of its picture."""
    picture = element(0xE0, number(0xB0, size[0]) + number(0xBA, size[1]) + video)
    head = number(0xD7, number_) + number(0x73C5, number_) + number(0x83, 1) + element(0x86, codec)
    return element(0xAE, head + track + picture)


def webm(
    tracks: Sequence[bytes], blocks: Sequence[tuple[int, int, bool, bytes]], *, duration_ms: float
) -> bytes:
    """
    A whole WebM file of one cluster.

    Args:
        tracks: as ``webm_track`` makes them.
        blocks: number of the track, time in ms, whether it is a keyframe, content.
        duration_ms: as its header says it.
    """
    head = element(0x4282, b"webm") + number(0x4287, 4) + number(0x4285, 2)
    info = element(0x1549A966, number(0x2AD7B1, 1_000_000) + element(0x4489, struct.pack(">d", duration_ms)))
    cluster = number(0xE7, 0) + b"".join(
        element(0xA3, bytes([0x80 | which]) + struct.pack(">hB", time_ms, 0x80 if is_key else 0) + content)
        for which, time_ms, is_key, content in sorted(blocks, key=lambda block: block[1])
    )
    segment = info + element(0x1654AE6B, b"".join(tracks)) + element(0x1F43B675, cluster)
    return element(0x1A45DFA3, head) + element(0x18538067, segment)
