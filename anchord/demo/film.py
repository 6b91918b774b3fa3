"""
Films of a portrait moved by a known motion: the motion is the truth that timelines are held to.

Tests and the sample pack are made of them; nothing has to be labelled or stored.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray

#: (height, width, 3) uint8, red first.
Pixels: TypeAlias = NDArray[np.uint8]
#: (2, 3) float64: portrait pixels to film pixels.
Matrix: TypeAlias = NDArray[np.float64]
#: Seconds to where the face is then.
Motion: TypeAlias = "Callable[[float], Matrix]"

PORTRAIT_FILE = Path(__file__).parent / "portrait.png"

#: The middle of the face in the portrait, px.
FACE_CENTRE = (121.0, 122.0)

# 1/90000 s, the finest that containers commonly keep; WebM rounds to 1 ms by itself.
_TIME_BASE = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the face's middle is, how large and how turned."""

    x: float = 256.0
    y: float = 300.0
    scale: float = 2.56
    roll_deg: float = 0.0

    def matrix(self) -> Matrix:
        """Portrait to film pixels."""
        angle = math.radians(self.roll_deg)
        a, b = self.scale * math.cos(angle), self.scale * math.sin(angle)
        cx, cy = FACE_CENTRE
        return np.array([[a, -b, self.x - a * cx + b * cy], [b, a, self.y - b * cx - a * cy]])


def breathing(t_s: float, *, period_s: float = 4.0) -> Matrix:
    """An idle sway that closes after *period_s*: a few pixels, half a degree, half a percent."""
    phase = 2 * math.pi * t_s / period_s
    return Pose(
        x=256 + 5 * math.sin(phase),
        y=300 + 4 * math.sin(phase + 1) + 1.2 * math.sin(2 * phase),
        scale=2.56 * (1 + 0.006 * math.sin(phase + 2)),
        roll_deg=0.8 * math.sin(phase + 0.5),
    ).matrix()


def portrait() -> Pixels:
    """The portrait, (284, 248, 3)."""
    content = np.frombuffer(PORTRAIT_FILE.read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def moved(picture: Pixels, matrix: Matrix, size: tuple[int, int] = (512, 640)) -> Pixels:
    """*picture* put through *matrix* into a frame of (width, height)."""
    return np.asarray(
        cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101),
        np.uint8,
    )


def film(
    motion: Motion = breathing,
    *,
    times_ms: Iterable[float] | None = None,
    size: tuple[int, int] = (512, 640),
    grain: float = 2.0,
    seed: int = 1,
) -> Iterator[tuple[float, Pixels]]:
    """
    Times and pictures of the portrait moved by *motion*.

    Args:
        motion: seconds to portrait-to-film matrix.
        times_ms: presentation times; 4 s at 30 Hz by default.
        size: (width, height) of the film.
        grain: standard deviation of the noise that every camera adds, of 255.
        seed: of that noise.
    """
    source = portrait()
    noise = np.random.default_rng(seed)
    # Fresh noise for every frame is slow to make; a few sheets of it, flipped, do as well.
    sheets = noise.normal(0, grain, (4, size[1], size[0], 1)).astype(np.float32)
    for index, time_ms in enumerate(times_ms if times_ms is not None else even_times_ms(30, 4)):
        sheet = sheets[index % 4][:: 1 - 2 * (index // 4 % 2), :: 1 - 2 * (index // 8 % 2)]
        pixels = moved(source, motion(time_ms / 1000), size)
        yield time_ms, np.clip(pixels + sheet, 0, 255).astype(np.uint8)


def even_times_ms(fps: float, seconds: float) -> list[float]:
    """Presentation times at a constant rate."""
    return [1000 * index / fps for index in range(round(fps * seconds))]


def encode(
    file: Path,
    pictures: Iterable[tuple[float, NDArray[np.uint8]]],
    *,
    codec: str = "libvpx-vp9",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    form: str | None = None,
    fps: int = 30,
    pixel_aspect: int = 1,
    container_options: dict[str, str] | None = None,
) -> Path:
    """
    Write a video file; its container follows from the file's name, or is *form*.

    Args:
        file: where it goes.
        pictures: presentation times in ms and (height, width, 3 or 4) uint8, red first.
        codec: FFmpeg's name of the encoder.
        pixel_format: yuva420p keeps the fourth channel.
        options: of the encoder; good quality, fast, by default.
        form: FFmpeg's name of the container.
        fps: what the file says its rate is; its frames' times are those of the pictures.
        pixel_aspect: width over height of a pixel.
        container_options: of the muxer.
    """
    chosen = options if options is not None else _options(codec)
    with av.open(file, "w", format=form, options=container_options or {}) as container:
        stream: Any = None
        for time_ms, pixels in pictures:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")
            if stream is None:
                stream = container.add_stream(codec, rate=fps, options=chosen)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixel_format
                stream.codec_context.time_base = _TIME_BASE
                stream.codec_context.sample_aspect_ratio = pixel_aspect
                if codec == "libvpx":
                    # VP8's threads wait for each other in loops: half a second on free cores, two minutes
                    # for the same on busy ones.
                    stream.codec_context.thread_count = 1
            frame.pts, frame.time_base = round(time_ms / 1000 / _TIME_BASE), _TIME_BASE
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())
    return file


def clip(suffix: str, *, codec: str, fps: float, seconds: float) -> bytes:
    """The portrait breathing, as the content of a video file of that *suffix*."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = film(times_ms=even_times_ms(fps, seconds))
        return encode(Path(folder, f"clip{suffix}"), pictures, codec=codec, fps=round(fps)).read_bytes()


def _options(codec: str) -> dict[str, str]:
    if codec.startswith("libvpx"):
        return {"crf": "28", "b": "0", "deadline": "good", "cpu-used": "6", "row-mt": "1"}
    return {"crf": "18", "preset": "veryfast"} if codec == "libx264" else {"crf": "25", "preset": "10"}
