"""
Every kind of file that docs/formats.md names, and what becomes of it.

``python -m tests.formats FOLDER`` writes them all, with what anchord sees in each, for a browser to be
compared with (web/test/formats/formats.test.js, by `make formats`).
"""

from __future__ import annotations

import io
import json
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from anchord.demo.film import Pixels, Pose, even_times_ms, film
from anchord.errors import VideoError
from anchord.settings import Limits
from anchord.tracking.video import Video, VideoFacts
from tests.containers import (
    AVC1,
    box,
    element,
    number,
    trimmed,
    webm,
    webm_track,
    with_box,
    with_flags,
    with_matrix,
)

FPS = 25
FRAMES = 12
#: (width, height) of what is encoded, if nothing else is said.
SIZE = (176, 144)

#: (Y, U, V) of four fields whose colours tell one matrix from another, and full range from limited.
FIELDS = ((81, 90, 200), (145, 80, 60), (60, 200, 110), (150, 100, 150))


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file, and how its first picture should look; None where that is not known."""

    content: bytes
    first: Pixels | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    A line of the table.

    Args:
        container: as people call it.
        holds: the codec, or what is odd about the file.
        happens: what anchord does, in words.
        variants: what each is called -> how it is made; the line is true of all.
        warnings: their codes.
        refused: words of the message, where it is.
        is_played: whether Chromium plays it, on any machine.
        off: how far pictures may be from how they should look, of 255 on average. Encoding and colours at
            half the resolution take 3 of a face, and one turned the wrong way is off by 50; of fields of one
            colour they take 2, and those read by another matrix or range are off by 3 and more.
        frames: how many are shown.
    """

    container: str
    holds: str
    happens: str
    variants: Mapping[str, Callable[[], Made]]
    warnings: tuple[str, ...] = ()
    refused: str = ""
    is_played: bool = True
    off: float = 4.0
    frames: int = FRAMES


# -- films -------------------------------------------------------------------------------------------


@cache
def face() -> tuple[Pixels, ...]:
    """A face that moves a little."""
    moving = film(
        lambda t_s: Pose(x=80 + 20 * t_s, y=72 - 15 * t_s, scale=0.6, roll_deg=20 * t_s).matrix(),
        times_ms=even_times_ms(FPS, FRAMES / FPS),
        size=SIZE,
        grain=0,
    )
    return tuple(pixels for _, pixels in moving)


@cache
def large_face() -> tuple[Pixels, ...]:
    """The same at twice the size, for codecs with a least one."""
    return tuple(np.repeat(np.repeat(pixels, 2, axis=0), 2, axis=1) for pixels in face())


@cache
def card() -> tuple[Pixels, ...]:
    """Four colours; what a film is not to be taken for."""
    picture = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    picture[: SIZE[1] // 2] = (200, 40, 40)
    picture[:, : SIZE[0] // 2, 1] += 100
    return (picture,) * FRAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a track is encoded."""

    codec: str
    pixels: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)
    pictures: Callable[[], Sequence[Pixels]] = face
    #: That a player applies, degrees counter-clockwise.
    rotation: int = 0


QUALITY: Mapping[str, Mapping[str, str]] = {
    "libx264": {"crf": "12", "preset": "veryfast"},
    "libx265": {"crf": "12", "preset": "veryfast", "x265-params": "log-level=none"},
    "libvpx": {"crf": "4", "b": "4000000", "deadline": "realtime", "cpu-used": "8", "auto-alt-ref": "0"},
    "libvpx-vp9": {"crf": "12", "b": "0", "deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"crf": "20", "preset": "10"},
}


def encoded(form: str, *encodings: Encoding, **options: str) -> bytes:
    """A file with one track for each of *encodings*; *form* is FFmpeg's name of the container."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "film"  # a real one: some muxers read back what they wrote
        with av.open(file, "w", format=form, options=options) as container:
            tracks = [_track(container, encoding) for encoding in encodings]
            for index in range(FRAMES):
                for track, encoding in zip(tracks, encodings, strict=True):
                    pixels = encoding.pictures()[index]
                    frame = av.VideoFrame.from_ndarray(
                        pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24"
                    )
                    frame.pts, frame.time_base = index, Fraction(1, FPS)
                    container.mux(track.encode(frame))
            for track in tracks:
                container.mux(track.encode())
        return file.read_bytes()


def _track(container: Any, encoding: Encoding) -> Any:
    options = dict(QUALITY.get(encoding.codec, {})) | dict(encoding.options)
    track = container.add_stream(encoding.codec, rate=FPS, options=options)
    height, width = encoding.pictures()[0].shape[:2]
    track.width, track.height, track.pix_fmt = width, height, encoding.pixels
    if encoding.rotation:
        track.set_display_rotation(encoding.rotation)
    if not options:
        track.bit_rate = 4_000_000
    return track


def filmed(
    form: str,
    codec: str,
    *,
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    pictures: Callable[[], Sequence[Pixels]] = face,
    **of_muxer: str,
) -> Made:
    """The face in one container and codec."""
    encoding = Encoding(codec=codec, pixels=pixels, options=options or {}, pictures=pictures)
    return Made(content=encoded(form, encoding, **of_muxer), first=pictures()[0])


@cache
def h264() -> bytes:
    """The face as most cameras and editors write it."""
    return encoded("mp4", Encoding(codec="libx264"))


@cache
def vp9() -> bytes:
    """The face as a WebM file."""
    return encoded("webm", Encoding(codec="libvpx-vp9"))


def blocks(content: bytes, *, track: int = 1, from_ms: int = 0) -> list[tuple[int, int, bool, bytes]]:
    """The packets of a file's video, as blocks of a WebM."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        base = stream.time_base or Fraction(1)
        return [
            (track, from_ms + round(1000 * (packet.pts or 0) * base), packet.is_keyframe, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


# -- what is odd about some --------------------------------------------------------------------------


def transparent(codec: str, rotation: int = 0) -> Made:
    """A face behind a transparent strip, which shows mid-grey, turned in its projection."""

    def pictures() -> list[Pixels]:
        alpha = np.full((SIZE[1], SIZE[0], 1), 255, np.uint8)
        alpha[:40] = 0
        return [np.concatenate([pixels, alpha], axis=2) for pixels in face()]

    encoding = Encoding(codec=codec, pixels="yuva420p", pictures=pictures, rotation=rotation)
    seen = face()[0].copy()
    seen[:40] = 128
    return Made(content=encoded("webm", encoding), first=np.rot90(seen, rotation // 90))


ORIENTATIONS: Mapping[str, tuple[int, bool, tuple[int, int, int, int]]] = {
    # turn counter-clockwise, mirrored afterwards, matrix a b c d
    "turned by 90": (90, False, (0, -1, 1, 0)),
    "turned by 180": (180, False, (-1, 0, 0, -1)),
    "turned by 270": (270, False, (0, 1, -1, 0)),
    "mirrored": (0, True, (-1, 0, 0, 1)),
    "turned by 90 and mirrored": (90, True, (0, -1, -1, 0)),
    "turned by 180 and mirrored": (180, True, (1, 0, 0, -1)),
    "turned by 270 and mirrored": (270, True, (0, 1, 1, 0)),
}


def oriented(rotation: int, is_mirrored: bool, matrix: Sequence[float]) -> Made:
    """The face through a display matrix."""
    shown = np.rot90(face()[0], rotation // 90)
    return Made(content=with_matrix(h264(), matrix), first=shown[:, ::-1] if is_mirrored else shown)


def unheard_matrix(*matrix: float) -> Made:
    """The face through a matrix that is no quarter turn, which browsers pass over."""
    return Made(content=with_matrix(h264(), matrix), first=face()[0])


def rolled(degrees: float) -> Made:
    """A WebM with a turn in its projection."""
    pose = element(0x7670, number(0x7671, 0) + element(0x7675, struct.pack(">f", degrees)))
    content = webm([webm_track(b"V_VP9", SIZE, video=pose)], blocks(vp9()), duration_ms=480)
    return Made(content=content, first=np.rot90(face()[0], round(degrees) // 90))


def self_turned() -> Made:
    """H.264 pictures that ask to be turned themselves, which browsers pass over."""
    with av.open(io.BytesIO(h264()), "r") as source, TemporaryDirectory() as folder:
        file = Path(folder) / "film"
        with av.open(file, "w", format="mp4") as sink:
            track = source.streams.video[0]
            copy = sink.add_stream_from_template(track)
            turn = av.bitstream.BitStreamFilterContext(
                "h264_metadata=display_orientation=insert:rotate=90", in_stream=track, out_stream=copy
            )
            for packet in source.demux(track):
                for turned in turn.filter(packet if packet.size else None):
                    turned.stream = copy
                    sink.mux(turned)
        return Made(content=file.read_bytes(), first=face()[0])


def wide(first: Pixels) -> Pixels:
    """Each pixel twice as wide."""
    return np.repeat(first, 2, axis=1)


def wide_mp4(more: bytes = b"") -> Made:
    """Pixels twice as wide as high."""
    content = with_box(h264(), AVC1, box(b"pasp", struct.pack(">II", 2, 1)) + more)
    return Made(content=content, first=wide(face()[0]))


def sized_webm(video: bytes, first: Pixels) -> Made:
    """A WebM with more said about its picture."""
    content = webm([webm_track(b"V_VP9", SIZE, video=video)], blocks(vp9()), duration_ms=480)
    return Made(content=content, first=first)


def clean_aperture() -> bytes:
    """A box that asks for the picture's middle."""
    return box(b"clap", struct.pack(">8i", 96, 1, 80, 1, 0, 1, 0, 1))


def two_tracks(first: Encoding, second: Encoding, *flags: int, shown: Pixels) -> Made:
    """An MP4 with two video tracks."""
    return Made(content=with_flags(encoded("mp4", first, second), *flags), first=shown)


def two_webm_tracks(of_first: bytes) -> Made:
    """A WebM with the face, of which *of_first* is said, and a test card."""
    second = encoded("webm", Encoding(codec="libvpx-vp9", pictures=card))
    tracks = [webm_track(b"V_VP9", SIZE, track=of_first), webm_track(b"V_VP9", SIZE, number_=2)]
    content = webm(tracks, blocks(vp9()) + blocks(second, track=2), duration_ms=480)
    return Made(content=content, first=face()[0])


def still() -> bytes:
    """A JPEG of the test card."""
    many = encoded("mjpeg", Encoding(codec="mjpeg", pixels="yuvj420p", pictures=card))
    return many[: many.index(b"\xff\xd9") + 2]


def with_attachment() -> Made:
    """Cover art as Matroska has it, in front of everything else."""
    cover = number(0x46AE, 1) + element(0x466E, b"cover.jpg") + element(0x4660, b"image/jpeg")
    attached = element(0x1941A469, element(0x61A7, cover + element(0x465C, still())))
    content = webm([webm_track(b"V_VP9", SIZE)], blocks(vp9()), duration_ms=480)
    at = content.index((0x18538067).to_bytes(4, "big"))
    segment = attached + content[at + 12 :]
    return Made(content=content[:at] + element(0x18538067, segment), first=face()[0])


def with_cover() -> Made:
    """Cover art in front of the video track, as tagging tools put it."""
    data = box(b"data", struct.pack(">II", 13, 0) + still())
    tags = box(b"ilst", box(b"covr", data))
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    udta = box(b"udta", box(b"meta", bytes(4) + handler + tags))
    content = h264()
    at = (
        content.index(b"moov")
        + 4
        + int.from_bytes(content[content.index(b"mvhd") - 4 : content.index(b"mvhd")], "big")
    )
    grown = bytearray(content[:at] + udta + content[at:])
    moov = content.index(b"moov") - 4
    grown[moov : moov + 4] = (int.from_bytes(content[moov : moov + 4], "big") + len(udta)).to_bytes(4, "big")
    return Made(content=bytes(grown), first=face()[0])


def followed_by(content: bytes, tail: bytes) -> Made:
    """A whole file with something behind it."""
    return Made(content=content + tail, first=face()[0])


FORM = b"\r\n------WebKitFormBoundaryAbC1--\r\n"


def padded_mdat() -> Made:
    """Zeros behind the last picture, within the box that holds them."""
    content = h264()
    at = content.index(b"mdat")
    length = int.from_bytes(content[at - 4 : at], "big")
    end = at - 4 + length
    grown = (
        content[: at - 4] + (length + 4096).to_bytes(4, "big") + content[at:end] + bytes(4096) + content[end:]
    )
    return Made(content=grown, first=face()[0])


def joined(codec: str, name: bytes, second: tuple[int, int]) -> Made:
    """Two films of different sizes joined without encoding, as a recorder of calls does."""

    def scaled() -> list[Pixels]:
        return [
            np.ascontiguousarray(
                pixels[np.arange(second[1]) * SIZE[1] // second[1]][
                    :, np.arange(second[0]) * SIZE[0] // second[0]
                ]
            )
            for pixels in face()
        ]

    front = blocks(encoded("webm", Encoding(codec=codec)))
    back = blocks(encoded("webm", Encoding(codec=codec, pictures=scaled)), from_ms=480)
    return Made(content=webm([webm_track(name, SIZE)], front + back, duration_ms=960), first=face()[0])


# -- colours -----------------------------------------------------------------------------------------

# Primaries and transfer go with the matrix: Chromium believes a matrix only where all three are named.
MATRICES: Mapping[str, tuple[int, int, int, tuple[float, float]]] = {
    # matrix, primaries, transfer as H.273 numbers them; weights of red and blue
    "BT.601": (6, 6, 6, (0.299, 0.114)),
    "BT.709": (1, 1, 1, (0.2126, 0.0722)),
    # With the primaries of BT.709: those of BT.2020 are for screens that show more colours.
    "BT.2020": (9, 1, 1, (0.2627, 0.0593)),
}


def coloured(
    form: str, codec: str, matrix: str, *, is_full: bool, bits: int, height: int = 144, is_said: bool = True
) -> Made:
    """Four fields of known numbers, and the colours that they stand for."""
    named, primaries, transfer, weights = MATRICES[matrix]
    size, pixels = (176, height), "yuv420p" if bits == 8 else "yuv420p10le"
    with TemporaryDirectory() as folder:
        file = Path(folder) / "film"
        with av.open(file, "w", format=form) as container:
            track: Any = container.add_stream(codec, rate=FPS, options=dict(QUALITY[codec]))
            track.width, track.height, track.pix_fmt = *size, pixels
            if is_said:
                context = track.codec_context
                context.colorspace, context.color_primaries, context.color_trc = named, primaries, transfer
                context.color_range = 2 if is_full else 1
            for index in range(FRAMES):
                frame = _fields(size, pixels, bits)
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                if is_said:
                    frame.colorspace, frame.color_range = named, 2 if is_full else 1
                container.mux(track.encode(frame))
            container.mux(track.encode())
        return Made(content=file.read_bytes(), first=_seen(size, weights, is_full=is_full))


def _fields(size: tuple[int, int], pixels: str, bits: int) -> av.VideoFrame:
    frame = av.VideoFrame(*size, pixels)
    for channel, plane in enumerate(frame.planes):
        kind = np.uint8 if bits == 8 else np.uint16
        values = np.frombuffer(bytes(plane), kind).reshape(plane.height, -1).copy()
        for which, (rows, columns) in enumerate(_quarters(plane.height, plane.width)):
            values[rows, columns] = FIELDS[which][channel] << (bits - 8)
        plane.update(values.tobytes())
    return frame


def _quarters(height: int, width: int) -> list[tuple[slice, slice]]:
    top, bottom = slice(0, height // 2), slice(height // 2, height)
    left, right = slice(0, width // 2), slice(width // 2, width)
    return [(top, left), (top, right), (bottom, left), (bottom, right)]


def _seen(size: tuple[int, int], weights: tuple[float, float], *, is_full: bool) -> Pixels:
    """By the formulas of ITU-R BT.601, 709 and 2020, which differ by the weights of red and blue."""
    red, blue = weights
    seen = np.empty((size[1], size[0], 3))
    for (rows, columns), (y, u, v) in zip(_quarters(size[1], size[0]), FIELDS, strict=True):
        luma = float(y) if is_full else (y - 16) * 255 / 219
        of_blue, of_red = ((c - 128) * (1 if is_full else 255 / 224) for c in (u, v))
        r, b = luma + 2 * (1 - red) * of_red, luma + 2 * (1 - blue) * of_blue
        seen[rows, columns] = r, (luma - red * r - blue * b) / (1 - red - blue), b
    return np.clip(np.round(seen), 0, 255).astype(np.uint8)


def colour_variants() -> dict[str, Callable[[], Made]]:
    """Every matrix and range, 8 and 10 bit, that the codecs can name."""
    made: dict[str, Callable[[], Made]] = {}
    for matrix in MATRICES:
        for is_full in (False, True):
            for form, codec, bits in (
                ("mp4", "libx264", 8),
                ("mp4", "libx264", 10),
                ("webm", "libsvtav1", 8),
                ("webm", "libsvtav1", 10),
                ("webm", "libvpx-vp9", 8),
            ):
                if codec == "libvpx-vp9" and matrix == "BT.2020":
                    continue  # VP9's own name of it speaks of its primaries too
                name = f"{codec} {matrix} {'full' if is_full else 'limited'} {bits} bit"
                made[name] = partial(coloured, form, codec, matrix, is_full=is_full, bits=bits)
    return made


def silent_variants() -> dict[str, Callable[[], Made]]:
    """Files that say nothing of their colours: what players guess."""
    return {
        f"{codec} {height}": partial(
            coloured, form, codec, matrix, is_full=False, bits=8, height=height, is_said=False
        )
        for form, codec, height, matrix in (
            ("mp4", "libx264", 144, "BT.601"),
            ("mp4", "libx264", 720, "BT.709"),
            ("webm", "libvpx", 144, "BT.601"),
            ("webm", "libvpx", 720, "BT.709"),
            ("webm", "libvpx-vp9", 720, "BT.601"),
            ("webm", "libsvtav1", 720, "BT.601"),
        )
    }


# -- the table ---------------------------------------------------------------------------------------


def plain(container: str, form: str, holds: str, codec: str, **how: Any) -> Row:
    """A codec that browsers play."""
    return Row(
        container=container, holds=holds, happens="taken", variants={"": partial(filmed, form, codec, **how)}
    )


def foreign(container: str, form: str, holds: str, codec: str, **how: Any) -> Row:
    """A codec that decodes well, but not in browsers."""
    return Row(
        container=container,
        holds=holds,
        happens="taken, with the warning `not_for_browsers`",
        variants={"": partial(filmed, form, codec, **how)},
        warnings=("not_for_browsers",),
        is_played=False,
    )


def refused(container: str, form: str, codec: str, words: str, *, is_played: bool = False, **how: Any) -> Row:
    """A container that anchord does not open."""
    return Row(
        container=container,
        holds="anything",
        happens=f"refused: “{words} …”, with how to convert it",
        variants={"": partial(filmed, form, codec, **how)},
        refused=words,
        is_played=is_played,
    )


LIVE: dict[str, Any] = {"live": "1"}
IN_FRAGMENTS: dict[str, Any] = {"movflags": "+frag_every_frame+empty_moov+default_base_moof"}
AT_ITS_FRONT = {"movflags": "+faststart"}
PRORES = {"pixels": "yuv422p10le"}
DNXHR = {"pixels": "yuv422p", "options": {"profile": "dnxhr_sq"}, "pictures": large_face}
MOTION_JPEG = {"pixels": "yuvj420p", "options": {"q": "3"}}

CODECS = [
    plain("WebM", "webm", "VP8", "libvpx"),
    plain("WebM", "webm", "VP9", "libvpx-vp9"),
    plain("WebM", "webm", "AV1", "libsvtav1"),
    plain("WebM", "webm", "AV1, 10 bit", "libsvtav1", pixels="yuv420p10le"),
    plain("WebM", "webm", "VP9, 4:4:4", "libvpx-vp9", pixels="yuv444p"),
    plain(
        "WebM", "webm", "VP9, as a browser records it: without sizes, index or duration", "libvpx-vp9", **LIVE
    ),
    Row(
        container="WebM",
        holds="VP8 or VP9 with alpha",
        happens="taken; what is transparent is seen on mid-grey",
        variants={codec: partial(transparent, codec) for codec in ("libvpx", "libvpx-vp9")},
    ),
    plain("MP4", "mp4", "H.264", "libx264"),
    plain("MP4", "mp4", "H.264, 10 bit", "libx264", pixels="yuv420p10le"),
    plain("MP4", "mp4", "H.264, 4:2:2", "libx264", pixels="yuv422p"),
    plain("MP4", "mp4", "H.264, 4:4:4", "libx264", pixels="yuv444p"),
    plain("MP4", "mp4", "H.264, its index in front", "libx264", **AT_ITS_FRONT),
    plain("MP4", "mp4", "H.264, in fragments", "libx264", **IN_FRAGMENTS),
    plain("MP4", "mp4", "VP9", "libvpx-vp9"),
    plain("MP4", "mp4", "AV1", "libsvtav1"),
    plain("MOV", "mov", "H.264", "libx264"),
    plain("MKV", "matroska", "VP8", "libvpx"),
    plain("MKV", "matroska", "VP9", "libvpx-vp9"),
    plain("MKV", "matroska", "AV1", "libsvtav1"),
    plain("MKV", "matroska", "H.264", "libx264"),
    foreign("MP4", "mp4", "HEVC (Safari plays it; Chromium where the graphics card does)", "libx265"),
    foreign("MP4", "mp4", "HEVC, 10 bit", "libx265", pixels="yuv420p10le"),
    foreign("MP4", "mp4", "MPEG-4 part 2", "mpeg4"),
    foreign("MP4", "mp4", "MPEG-2", "mpeg2video"),
    foreign("MP4", "mp4", "MPEG-1", "mpeg1video"),
    foreign("MP4", "mp4", "Motion JPEG", "mjpeg", **MOTION_JPEG),
    foreign("MOV", "mov", "HEVC", "libx265"),
    foreign("MOV", "mov", "ProRes", "prores_ks", **PRORES),
    foreign("MOV", "mov", "DNxHR", "dnxhd", **DNXHR),
    foreign("MOV", "mov", "CineForm", "cfhd", pixels="yuv422p10le"),
    foreign("MOV", "mov", "Motion JPEG", "mjpeg", **MOTION_JPEG),
    foreign("MOV", "mov", "PNG", "png", pixels="rgb24"),
    foreign("MOV", "mov", "QuickTime Animation", "qtrle", pixels="rgb24"),
    foreign("MOV", "mov", "uncompressed RGB", "rawvideo", pixels="rgb24"),
    foreign("MKV", "matroska", "HEVC", "libx265"),
    foreign("MKV", "matroska", "MPEG-4 part 2", "mpeg4"),
    foreign("MKV", "matroska", "MPEG-2", "mpeg2video"),
    foreign("MKV", "matroska", "MPEG-1", "mpeg1video"),
    foreign("MKV", "matroska", "Motion JPEG", "mjpeg", **MOTION_JPEG),
    foreign("MKV", "matroska", "ProRes", "prores_ks", **PRORES),
    foreign("MKV", "matroska", "FFV1", "ffv1"),
    Row(
        container="any",
        holds="a codec that FFmpeg does not know",
        happens="refused: “a codec that is unknown”",
        variants={"": lambda: Made(content=vp9().replace(b"V_VP9", b"V_XYZ"))},
        refused="a codec that is unknown",
        is_played=False,
    ),
    refused("MPG, VOB", "mpeg", "mpeg1video", "an MPEG program stream"),
    refused("TS", "mpegts", "libx264", "an MPEG transport stream"),
    refused("AVI", "avi", "mpeg4", "an AVI video"),
    refused("OGG", "ogg", "libvpx", "an Ogg file", is_played=True),
    refused("FLV", "flv", "flv", "a Flash video"),
    refused("WMV, ASF", "asf", "wmv2", "a Windows Media file"),
    refused("GIF", "gif", "gif", "a GIF picture", pixels="rgb8"),
]

H264 = Encoding(codec="libx264")
CARD = Encoding(codec="libx264", pictures=card)
MPEG_CARD = Encoding(codec="mpeg4", pictures=card)

ODDITIES = [
    Row(
        container="MP4, MOV",
        holds="a display matrix that turns by quarters, mirrors or both: phones, front cameras",
        happens="obeyed: `source.rotation`, `source.mirrored`",
        variants={name: partial(oriented, *how) for name, how in ORIENTATIONS.items()},
    ),
    Row(
        container="MP4, MOV",
        holds="a display matrix that turns by another angle, or makes no sense",
        happens="passed over, as Chromium does",
        variants={
            "turned by 10": partial(unheard_matrix, 0.985, 0.174, -0.174, 0.985),
            "turned by 80": partial(unheard_matrix, 0.174, 0.985, -0.985, 0.174),
            "nothing": partial(unheard_matrix, 0, 0, 0, 0),
        },
    ),
    Row(
        container="MP4, MOV",
        holds="an edit list that begins later: trimmed on a phone",
        happens="obeyed",
        variants={
            "": lambda: Made(content=trimmed(h264(), by_s=3 / FPS), first=face()[3]),
            "turned": lambda: Made(
                content=trimmed(oriented(*ORIENTATIONS["turned by 90"]).content, by_s=3 / FPS),
                first=np.rot90(face()[3]),
            ),
        },
        frames=FRAMES - 3,
    ),
    Row(
        container="WebM, MKV",
        holds="a turn in its projection",
        happens="obeyed",
        variants={f"{degrees}": partial(rolled, degrees) for degrees in (90, 180, -90)}
        | {f"{codec} with alpha": partial(transparent, codec, 90) for codec in ("libvpx", "libvpx-vp9")},
    ),
    Row(
        container="any",
        holds="H.264 that asks itself to be turned (SEI)",
        happens="passed over, as Chromium does",
        variants={"": self_turned},
    ),
    Row(
        container="MP4, MOV",
        holds="pixels that are not square",
        happens="obeyed; the short side grows",
        variants={
            "": wide_mp4,
            "by its matrix": lambda: Made(content=with_matrix(h264(), (2, 0, 0, 1)), first=wide(face()[0])),
        },
    ),
    Row(
        container="WebM, MKV",
        holds="a display size of another shape",
        happens="obeyed; the short side grows",
        variants={
            "in pixels": partial(
                sized_webm, number(0x54B0, 2 * SIZE[0]) + number(0x54BA, SIZE[1]), wide(face()[0])
            ),
            "as a ratio": partial(
                sized_webm, number(0x54B0, 22) + number(0x54BA, 9) + number(0x54B2, 3), wide(face()[0])
            ),
        },
    ),
    Row(
        container="MP4, MOV, WebM, MKV",
        holds="a clean aperture, or a crop in the container",
        happens="passed over, as Chromium does",
        variants={
            "mp4": lambda: Made(content=with_box(h264(), AVC1, clean_aperture()), first=face()[0]),
            "mp4 with wide pixels": lambda: wide_mp4(clean_aperture()),
            "webm": partial(sized_webm, number(0x54CC, 8) + number(0x54BB, 4), face()[0]),
        },
    ),
    Row(
        container="MP4, MKV",
        holds="cover art",
        happens="passed over, wherever it stands",
        variants={"mp4": with_cover, "mkv": with_attachment},
    ),
    Row(
        container="MP4",
        holds="several video tracks",
        happens="the first that is switched on and that browsers play; if none is, the first they play",
        variants={
            "first off": partial(two_tracks, CARD, H264, 0, 3, shown=face()[0]),
            "second off": partial(two_tracks, H264, CARD, 3, 0, shown=face()[0]),
            "both on": partial(two_tracks, H264, CARD, 3, 3, shown=face()[0]),
            "both off": partial(two_tracks, H264, CARD, 0, 0, shown=face()[0]),
            "first unplayable": partial(two_tracks, MPEG_CARD, H264, 3, 3, shown=face()[0]),
        },
    ),
    Row(
        container="WebM, MKV",
        holds="several video tracks",
        happens="the first that browsers play, whatever the flags say, as Chromium does",
        variants={
            "not default": partial(two_webm_tracks, number(0x88, 0)),
            "not enabled": partial(two_webm_tracks, number(0xB9, 0)),
        },
    ),
    Row(
        container="MP4, WebM",
        holds="bytes behind its end that are no part of it: a web form's boundary, zeros, noise",
        happens="taken, with the warning `trailing_bytes`",
        variants={
            "mp4 form": lambda: followed_by(h264(), FORM),
            "mp4 zeros": lambda: followed_by(h264(), bytes(8)),
            "mp4 page of zeros": lambda: followed_by(h264(), bytes(4096)),
            "mp4 noise": lambda: followed_by(h264(), np.random.default_rng(1).bytes(700)),
            "fragments form": lambda: followed_by(filmed("mp4", "libx264", **IN_FRAGMENTS).content, FORM),
            "webm form": lambda: followed_by(vp9(), FORM),
            "webm zeros": lambda: followed_by(vp9(), bytes(8)),
            "webm noise": lambda: followed_by(vp9(), np.random.default_rng(1).bytes(700)),
            "live form": lambda: followed_by(filmed("webm", "libvpx-vp9", **LIVE).content, FORM),
        },
        warnings=("trailing_bytes",),
    ),
    Row(
        container="MP4",
        holds="zeros behind its last picture, within the box of pictures",
        happens="taken",
        variants={"": padded_mdat},
    ),
    Row(
        container="any",
        holds="a size that changes, but not its shape: recorders of calls",
        happens="taken at the first size, with the warning `size_changes`",
        variants={
            "vp8": partial(joined, "libvpx", b"V_VP8", (SIZE[0] // 2, SIZE[1] // 2)),
            "vp9": partial(joined, "libvpx-vp9", b"V_VP9", (SIZE[0] * 2, SIZE[1] * 2)),
        },
        warnings=("size_changes",),
    ),
    Row(
        container="any",
        holds="a size that changes with its shape",
        happens="refused: “its picture changes from … to … at …”; a face would jump in the page",
        variants={
            "vp8": partial(joined, "libvpx", b"V_VP8", (240, 160)),
            "vp9": partial(joined, "libvpx-vp9", b"V_VP9", (144, 176)),
        },
        refused="its picture changes from 176x144 to",
    ),
    Row(
        container="MP4, WebM",
        holds="a second video behind the first",
        happens="refused: “a second video”; players disagree on what to show",
        variants={
            "mp4": lambda: followed_by(h264(), h264()),
            "webm": lambda: followed_by(vp9(), vp9()),
        },
        refused="a second video",
    ),
    Row(
        container="any",
        holds="colours of BT.601, BT.709 or BT.2020, full or limited range, 8 or 10 bit",
        happens="obeyed",
        variants=colour_variants(),
        off=2.5,
    ),
    Row(
        container="any",
        holds="no word about its colours",
        happens="BT.601; H.264 and VP8 from 720 lines on BT.709; limited range; as Chromium guesses",
        variants=silent_variants(),
        off=2.5,
    ),
]

ROWS = [*CODECS, *ODDITIES]


# -- what becomes of them ----------------------------------------------------------------------------


def read(content: bytes, file: Path) -> tuple[list[tuple[float, Pixels]], VideoFacts]:
    """
    What anchord sees in a file: times and pictures, and what it says of it.

    Raises:
        VideoError: it is refused.
    """
    file.write_bytes(content)
    with file.open("rb") as stream, Video(stream=stream, name=file.name, limits=Limits()) as video:
        seen = [(frame.time_ms, frame.rgb()) for frame in video.frames()]
        return seen, video.facts()


def write_all(folder: Path) -> None:
    """Every file, what is seen in three of its frames, and a list of it all."""
    folder.mkdir(parents=True, exist_ok=True)
    listed: list[dict[str, Any]] = []
    for title, row, make in each():
        file = folder / f"{len(listed):03d}"
        entry: dict[str, Any] = {
            "title": title,
            "file": file.name,
            "isPlayed": row.is_played,
            "pictures": [],
        }
        try:
            seen, facts = read(make().content, file)
            entry["changesSize"] = bool(facts.size_changes)
        except VideoError:
            seen = []
        for index in sorted({0, len(seen) // 2, len(seen) - 1}) if seen else []:
            time_ms, pixels = seen[index]
            picture = folder / f"{file.name}.{index}.rgb"
            picture.write_bytes(pixels.tobytes())
            height, width = pixels.shape[:2]
            entry["pictures"].append(
                {"file": picture.name, "timeMs": time_ms, "width": width, "height": height}
            )
        listed.append(entry)
    (folder / "formats.json").write_text(json.dumps(listed))


def each(rows: Iterable[Row] = ROWS) -> list[tuple[str, Row, Callable[[], Made]]]:
    """A title, the row and the maker of each file."""
    return [
        (f"{row.container}: {row.holds}" + (f" ({name})" if name else ""), row, make)
        for row in rows
        for name, make in row.variants.items()
    ]


def off(seen: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> float:
    """How far two pictures of one size are from each other, of 255, on average."""
    return float(np.abs(seen.astype(np.int16) - wanted).mean())


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
