"""Videos made to do harm, each by a few bytes in a real one or from nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from anchord.demo.film import encode, film
from tests.torture.films import films

_SECRET = "/etc/passwd"


def hostile() -> dict[str, bytes]:
    """What it is -> the file's content."""
    return {name: make() for name, make in _MAKERS.items()}


def _playlist() -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{_SECRET}\n#EXT-X-ENDLIST\n".encode()


def _concat_script() -> bytes:
    return f"ffconcat version 1.0\nfile '{_SECRET}'\n".encode()


# -- boxes and elements ------------------------------------------------------------------------------


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _element(element: int, content: bytes) -> bytes:
    name = element.to_bytes((element.bit_length() + 7) // 8, "big")
    return name + (len(content) | 1 << 56).to_bytes(8, "big") + content


def _patched(content: bytes, marker: bytes, offset: int, value: bytes) -> bytes:
    """*value* so many bytes behind the only *marker*."""
    at = content.index(marker) + len(marker) + offset
    return content[:at] + value + content[at + len(value) :]


def _grown(content: bytes, path: list[bytes], old: bytes, new: bytes) -> bytes:
    """*old* in the last box of *path* replaced, and every box around it as much longer."""
    at = 0
    grown = bytearray(content.replace(old, new, 1))
    for kind in path:
        at = content.index(kind, at)
        size = int.from_bytes(content[at - 4 : at], "big") + len(new) - len(old)
        grown[at - 4 : at] = size.to_bytes(4, "big")
    return bytes(grown)


# -- sizes -------------------------------------------------------------------------------------------


def _sized(codec: str, name: str) -> bytes:
    with TemporaryDirectory() as folder:
        # Sides that take two bytes, so that others of two bytes fit in their place.
        pictures = film(times_ms=[0, 33, 66], size=(320, 400))
        return encode(Path(folder) / name, pictures, codec=codec).read_bytes()


_HUGE = (30_000).to_bytes(2, "big")


def _huge_webm() -> bytes:
    content = _patched(_sized("libvpx-vp9", "a.webm"), b"\xb0\x82", 0, _HUGE)
    return _patched(content, b"\xba\x82", 0, _HUGE)


def _huge_vp8_picture() -> bytes:
    """The container says 320x400, the first picture what its 14 bits can."""
    most = (16_383).to_bytes(2, "little")
    return _patched(_sized("libvpx", "a.webm"), b"\x9d\x01\x2a", 0, most + most)


def _huge_vp9_picture() -> bytes:
    content = bytearray(_sized("libvpx-vp9", "a.webm"))
    at = content.index(b"\x49\x83\x42") + 3
    # 3 bits of colour space and 1 of range, then 16 bits of each side less one.
    bits = int.from_bytes(content[at : at + 5], "big")
    sides = 29_999 << 16 | 29_999
    content[at : at + 5] = ((bits >> 36 << 36) | sides << 4 | bits & 0xF).to_bytes(5, "big")
    return bytes(content)


def _huge_mp4() -> bytes:
    # 24 bytes of a sample entry lie between its name and its sides.
    return _patched(_sized("libx264", "a.mp4"), b"avc1\0\0\0\0\0\0\0\1", 16, _HUGE + _HUGE)


# -- lengths -----------------------------------------------------------------------------------------


def _million_frames() -> bytes:
    head, block = _one_block()
    blocks = b"".join(
        _element(
            0x1F43B675,
            _element(0xE7, (1000 * second).to_bytes(4, "big"))
            + b"".join(
                _element(0xA3, b"\x81" + struct.pack(">hB", offset, 0x80) + block)
                for offset in range(0, 1000, 2)
            ),
        )
        for second in range(2000)
    )
    return _element(0x1A45DFA3, _EBML) + _element(0x18538067, head + blocks)


_EBML = _element(0x4282, b"webm") + _element(0x4287, b"\x04") + _element(0x4285, b"\x02")


def _one_block() -> tuple[bytes, bytes]:
    """A track of 16x16 pixels and one of its pictures."""
    with TemporaryDirectory() as folder:
        import av

        file = encode(Path(folder) / "a.webm", film(times_ms=[0], size=(16, 16)), codec="libvpx")
        with av.open(str(file), "r") as container:
            block = bytes(next(iter(container.demux(video=0))))
    video = _element(0xB0, b"\x10") + _element(0xBA, b"\x10")
    track = (
        _element(0xD7, b"\x01")
        + _element(0x73C5, b"\x01")
        + _element(0x83, b"\x01")
        + _element(0x86, b"V_VP8")
        + _element(0xE0, video)
    )
    info = _element(0x1549A966, _element(0x2AD7B1, (1_000_000).to_bytes(3, "big")))
    return info + _element(0x1654AE6B, _element(0xAE, track)), block


def _endless_webm() -> bytes:
    return _patched(films()["vp9.webm"], b"\x44\x89\x88", 0, struct.pack(">d", 1e15))


def _endless_mp4() -> bytes:
    return _patched(films()["h264.mp4"], b"mvhd", 16, b"\x7f\xff\xff\xff")


def _late_frame() -> bytes:
    """Nothing but one frame, and one a month later."""
    head, block = _one_block()
    clusters = b"".join(
        _element(
            0x1F43B675, _element(0xE7, at_ms.to_bytes(8, "big")) + _element(0xA3, b"\x81\0\0\x80" + block)
        )
        for at_ms in (0, 2_592_000_000)
    )
    return _element(0x1A45DFA3, _EBML) + _element(0x18538067, head + clusters)


# -- structures --------------------------------------------------------------------------------------


def _nested_tags() -> bytes:
    """Tags within tags, 20,000 deep."""
    head, block = _one_block()
    nested = b""
    for _ in range(20_000):
        nested = b"\x67\xc8" + (len(nested) | 1 << 28).to_bytes(4, "big") + nested
    tags = _element(0x1254C367, _element(0x7373, nested))
    cluster = _element(0x1F43B675, _element(0xE7, b"\0") + _element(0xA3, b"\x81\0\0\x80" + block))
    return _element(0x1A45DFA3, _EBML) + _element(0x18538067, head + tags + cluster)


def _absurd_length() -> bytes:
    """An element of 2^56 - 2 bytes where frames should begin."""
    head, _ = _one_block()
    return (
        _element(0x1A45DFA3, _EBML)
        + b"\x18\x53\x80\x67\x01"
        + b"\xff" * 7
        + head
        + b"\xec\x01\xff\xff\xff\xff\xff\xff\xfe"
    )


def _live_without_end() -> bytes:
    """Segments within clusters within segments, none with a length."""
    return (
        _element(0x1A45DFA3, _EBML)
        + (b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7) * 5000
    )


def _nested_boxes() -> bytes:
    nested = b""
    for _ in range(20_000):
        nested = _box(b"moov", nested)
    return _box(b"ftyp", b"isom\0\0\0\0isom") + nested


def _other_file() -> bytes:
    """The pictures are said to lie in another file, as QuickTime allowed."""
    path = _SECRET.encode() + b"\0"
    alias = bytes(10) + b"\x01v" + bytes(26) + bytes(12) + b"\x01f" + bytes(62) + bytes(16)
    alias += struct.pack(">HH", 1, 1) + bytes(16) + struct.pack(">HH", 2, len(path)) + path + b"\xff\xff\0\0"
    content = films()["h264.mov"]
    start = content.index(b"dref") + 12
    old = content[start : start + int.from_bytes(content[start : start + 4], "big")]
    folders = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"]
    # The handler's name comes between and also says "minf": the last dinf before dref is meant.
    return _grown(content, folders, old, _box(b"alis", bytes(4) + alias))


def _many_samples() -> bytes:
    """2^28 frames of one byte, in eight bytes of index."""
    return _patched(films()["h264.mp4"], b"stsz", 4, struct.pack(">II", 1, 0x0FFFFFFF))


def _many_samples_listed() -> bytes:
    """2^32 - 1 frames whose sizes are said to follow."""
    return _patched(films()["h264.mp4"], b"stsz", 4, struct.pack(">II", 0, 0xFFFFFFFF))


def _many_times() -> bytes:
    return _patched(films()["h264.mp4"], b"stts", 4, struct.pack(">III", 1, 0x7FFFFFFF, 1))


def _many_in_a_fragment() -> bytes:
    return _patched(films()["h264-fragmented.mp4"], b"trun", 4, b"\xff\xff\xff\xff")


def _packed_index() -> bytes:
    """An index of 400 MB of nothing, packed into 400 kB."""
    packed = zlib.compress(bytes(400 << 20), 9)
    index = _box(b"dcom", b"zlib") + _box(b"cmvd", struct.pack(">I", 400 << 20) + packed)
    return _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", _box(b"cmov", index)) + _box(b"mdat", bytes(64))


_MAKERS: dict[str, Callable[[], bytes]] = {
    "an HLS playlist": _playlist,
    "an ffconcat script": _concat_script,
    "a WebM header of 30000x30000": _huge_webm,
    "an MP4 header of 30000x30000": _huge_mp4,
    "a VP8 picture of 16383x16383": _huge_vp8_picture,
    "a VP9 picture of 30000x30000": _huge_vp9_picture,
    "a million tiny frames": _million_frames,
    "a WebM of 30,000 years": _endless_webm,
    "an MP4 of 25 days": _endless_mp4,
    "a frame a month late": _late_frame,
    "tags within tags": _nested_tags,
    "an element of 2^56 bytes": _absurd_length,
    "clusters within clusters": _live_without_end,
    "boxes within boxes": _nested_boxes,
    "pictures in another file": _other_file,
    "2^28 frames in eight bytes": _many_samples,
    "2^32 frames, listed": _many_samples_listed,
    "2^31 frames of one length": _many_times,
    "2^32 frames in a fragment": _many_in_a_fragment,
    "an index packed 1000 times": _packed_index,
}
