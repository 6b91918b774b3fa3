"""One small film in every container and codec that is supported, as bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from anchord.demo.film import Pose, encode, even_times_ms, film

FRAMES = 12
SIZE = (96, 120)


def _pictures() -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """A face of 50 px that moves a little, so that every frame says something new."""
    return film(
        lambda t_s: Pose(x=48 + 20 * t_s, y=60 - 15 * t_s, scale=0.48, roll_deg=20 * t_s).matrix(),
        times_ms=even_times_ms(30, FRAMES / 30),
        size=SIZE,
    )


def _with_alpha() -> Iterator[tuple[float, NDArray[np.uint8]]]:
    for time_ms, pixels in _pictures():
        alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        alpha[:8] = 0
        yield time_ms, np.concatenate([pixels, alpha], axis=2)


@cache
def films() -> dict[str, bytes]:
    """File name -> content."""
    with TemporaryDirectory() as folder:
        made = {
            "vp8.webm": _encoded(folder, "webm", codec="libvpx"),
            "vp9.webm": _encoded(folder, "webm", codec="libvpx-vp9"),
            "av1.webm": _encoded(folder, "webm", codec="libsvtav1", options={"preset": "10", "crf": "30"}),
            "h264.mp4": _encoded(folder, "mp4", codec="libx264"),
            "av1.mp4": _encoded(folder, "mp4", codec="libsvtav1", options={"preset": "10", "crf": "30"}),
        }
        for codec in ("vp8", "vp9"):
            file = Path(folder) / f"{codec}-alpha.webm"
            encoder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[codec]
            encode(file, _with_alpha(), codec=encoder, pixel_format="yuva420p", options={"auto-alt-ref": "0"})
            made[file.name] = file.read_bytes()
    # What a browser's recorder writes: sizes are unknown, and there is no index and no duration.
    made["vp9-live.webm"] = remuxed(made["vp9.webm"], "webm", live="1")
    made["vp9.mkv"] = remuxed(made["vp9.webm"], "matroska")
    made["h264-faststart.mp4"] = remuxed(made["h264.mp4"], "mp4", movflags="+faststart")
    made["h264-fragmented.mp4"] = remuxed(
        made["h264.mp4"], "mp4", movflags="+frag_every_frame+empty_moov+default_base_moof"
    )
    made["h264.mov"] = remuxed(made["h264.mp4"], "mov")
    return made


def _encoded(folder: str, ending: str, *, codec: str, options: dict[str, str] | None = None) -> bytes:
    return encode(Path(folder) / f"film.{ending}", _pictures(), codec=codec, options=options).read_bytes()


def remuxed(content: bytes, form: str, **options: str) -> bytes:
    """The same packets in another container."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "film"  # a real one: faststart reads back what it wrote
        with (
            av.open(io.BytesIO(content), "r") as source,
            av.open(file, "w", format=form, options=options) as sink,
        ):
            track: Any = source.streams.video[0]
            copy = sink.add_stream_from_template(track)
            for packet in source.demux(track):
                if packet.dts is not None:
                    packet.stream = copy
                    sink.mux(packet)
        return file.read_bytes()


def pictures(content: bytes, *, is_strict: bool = False) -> list[tuple[float, str]]:
    """
    Time and digest of every picture, by another decoder than anchord's own room.

    Args:
        content: of the file.
        is_strict: forgive nothing.

    Raises:
        av.FFmpegError: it is broken.
        ValueError: something in it is marked as corrupt.
    """
    options = {"err_detect": "crccheck+bitstream+buffer+explode"} if is_strict else {}
    found = []
    with av.open(io.BytesIO(content), "r", metadata_errors="ignore", options=options) as container:
        track = container.streams.video[0]
        track.codec_context.options = options
        base = track.time_base
        assert base is not None
        for packet in container.demux(track):
            if packet.is_corrupt and is_strict:
                raise ValueError("a corrupt packet")
            for picture in packet.decode():
                if picture.pts is None or (picture.is_corrupt and is_strict):
                    raise ValueError("a corrupt picture")
                digest = hashlib.blake2b(picture.to_ndarray().tobytes(), digest_size=16).hexdigest()
                found.append((float(picture.pts * base) * 1000, digest))
    return found
