"""
A video file into frames, as a player shows them.

The only room that knows PyAV. What FFmpeg is never asked: which container it is (see
``container``), to open another file, or how many frames a header claims.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BufferedReader
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.codec.context import ThreadType
from numpy.typing import NDArray

from anchord.errors import VideoError
from anchord.settings import Limits
from anchord.tracking.container import checked_container, has_hole
from anchord.tracking.facts import VideoFacts, timing

#: (height, width, 3) uint8, red first, upright and with square pixels.
Pixels = NDArray[np.uint8]

# FFmpeg's own vp8 and vp9 decoders drop alpha without a word; these keep it.
_ALPHA_DECODERS = {"vp9": "libvpx-vp9", "vp8": "libvpx"}

_LARGE_PIXELS = 1280 * 720

# Every packet of theirs shows one picture; of vp8 some show none, unless it has alpha.
_ONE_PICTURE_EACH = ("av1", "vp9")

# No other file and no URL, whatever the video names; for WebM its own checksums too.
_OPENING = {
    "mov": {"protocol_whitelist": "", "enable_drefs": "0"},
    "matroska": {"protocol_whitelist": "", "err_detect": "crccheck+explode"},
}

# What shows through where a video is transparent; mid-grey keeps the contrast of skin on both sides.
_BACKDROP = 128

# What comes out of FFmpeg, and of numbers that make no sense, where a file is damaged.
_DAMAGE = (av.FFmpegError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded picture and when a player shows it."""

    index: int
    time_ms: float
    picture: av.VideoFrame
    width: int
    height: int
    rotation: int

    def rgb(self) -> Pixels:
        """
        The picture as shown, (height, width, 3) uint8, red first.

        Raises:
            MemoryError: there is not enough for it.
            VideoError: FFmpeg does not know its pixels.
        """
        # Rotation is applied last, so the picture is scaled to what will be its sides before.
        is_turned = self.rotation % 180 != 0
        stored = (self.height, self.width) if is_turned else (self.width, self.height)
        has_alpha = any(component.is_alpha for component in self.picture.format.components)
        form = "rgba" if has_alpha else "rgb24"
        try:
            pixels = self.picture.reformat(width=stored[0], height=stored[1], format=form).to_ndarray()
        except (MemoryError, av.error.BlockingIOError) as error:
            raise MemoryError(_reason(error)) from error  # the second: not enough for a thread's stack
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(f"frame {self.index} cannot be shown: {_reason(error)}") from error
        if has_alpha:
            alpha = pixels[..., 3:].astype(np.uint16)
            pixels = ((pixels[..., :3] * alpha + _BACKDROP * (255 - alpha)) // 255).astype(np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, self.rotation // 90))


@dataclass(slots=True, kw_only=True)
class Video:
    """
    An opened video. Use as a context manager; go through ``frames()`` once, then ask ``facts()``.

    Args:
        stream: the file, opened for reading. FFmpeg gets nothing but this.
        name: what messages call it.
        limits: what is over one of them is refused.
        threads: how many threads may decode.

    Raises:
        IncompleteVideoError: the file is not whole.
        VideoError: it is not a video, is damaged, or is over a limit.
    """

    stream: BufferedReader
    name: str
    limits: Limits
    threads: int = 1
    _container: av.container.InputContainer = field(init=False)
    _track: av.VideoStream = field(init=False)
    _times_ms: list[float] = field(default_factory=list, init=False)
    _decoded: int = field(default=0, init=False)
    _end_ms: float = field(default=0.0, init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    _rotation: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        size = os.fstat(self.stream.fileno()).st_size
        if size > self.limits.max_bytes:
            raise self._over("bytes", size, "max_bytes", self.limits.max_bytes)
        demuxer = checked_container(self.stream, self.name)
        self.stream.seek(0)
        try:
            self._container = av.open(
                self.stream,
                mode="r",
                format=demuxer,
                metadata_errors="ignore",
                options=_OPENING[demuxer],
            )
            self._open_track()
        except BaseException as error:
            if hasattr(self, "_container"):
                self._container.close()
            # Too little memory is not the video's fault, though FFmpeg says so in its own words.
            if isinstance(error, _DAMAGE) and not isinstance(error, MemoryError):
                raise VideoError(f"{self.name}: cannot be opened as a video: {_reason(error)}") from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def _open_track(self) -> None:
        if not self._container.streams.video:
            raise VideoError(f"{self.name}: has no video track")
        self._track = self._container.streams.video[0]
        context: Any = self._track.codec_context
        if context is None:
            raise VideoError(f"{self.name}: its video codec is unknown; encode it as VP9")
        self._check_pixels(context.width, context.height)
        if self._container.duration:
            self._check_duration(self._container.duration / 1e6)
        # A small picture is decoded faster than faces are found: more threads would only take cores away.
        is_large = context.width * context.height > _LARGE_PIXELS
        # FFmpeg's vp8 decoder notices damage only where it decodes one frame in several threads.
        is_sliced = context.name == "vp8"
        context.thread_count = self.threads if is_large else 1 + is_sliced
        context.thread_type = ThreadType.SLICE if is_sliced else ThreadType.AUTO
        context.options = self._decoding

    @property
    def _decoding(self) -> dict[str, str]:
        """Options of a decoder: conceal nothing, and make no room for a picture that is refused anyway."""
        # Twice: they round the sides up to whole blocks before they compare.
        return {"err_detect": "explode", "max_pixels": str(2 * self.limits.max_pixels)}

    @property
    def frames_expected(self) -> int:
        """How many frames the file claims to have, for a progress bar; 0 where it says nothing."""
        if self._track.frames > 0:
            return self._track.frames
        rate = self._track.average_rate
        seconds = (self._container.duration or 0) / 1e6
        return int(seconds * rate) if rate and 0 < seconds < 86_400 else 0

    def frames(self) -> Iterator[Frame]:
        """
        Every frame in the order of presentation.

        A frame that is not later than the one before it is counted, but left out: a player never
        shows it.
        """
        try:
            for picture in self._pictures():
                index = self._decoded
                self._decoded += 1
                if self._decoded > self.limits.max_frames:
                    raise self._over("frames", self._decoded, "max_frames", self.limits.max_frames)
                frame = self._frame(index, picture)
                if self._times_ms and frame.time_ms <= self._times_ms[-1]:
                    continue
                self._times_ms.append(frame.time_ms)
                self._check_duration((frame.time_ms - self._times_ms[0]) / 1000)
                yield frame
        except MemoryError:
            raise
        except _DAMAGE as error:
            raise VideoError(
                f"{self.name}: is damaged at frame {self._decoded}: {_reason(error)}; encode it again"
            ) from error
        if not self._times_ms:
            raise VideoError(f"{self.name}: has no frames")

    def facts(self) -> VideoFacts:
        """What was in the file. Only after the last frame."""
        named = self._track.average_rate
        return VideoFacts(
            timing=timing(self._times_ms, end_ms=self._end_ms, named_fps=float(named) if named else None),
            frame_count=self._decoded,
            width=self._size[0],
            height=self._size[1],
            rotation=self._rotation,
            alpha=self._has_alpha,
            codec=self._codec,
        )

    @property
    def _has_alpha(self) -> bool:
        return self._track.metadata.get("alpha_mode") == "1" and self._codec in _ALPHA_DECODERS

    @property
    def _codec(self) -> str:
        """The codec's name, whichever decoder is used: vp9, av1, h264."""
        return self._track.codec_context.codec.canonical_name

    def _pictures(self) -> Iterator[av.VideoFrame]:
        decoder: Any = self._track.codec_context
        witness = None
        if self._has_alpha:
            if self._codec == "vp8":
                witness = decoder  # libvpx forgives more than FFmpeg's own, which therefore looks on
            decoder = av.CodecContext.create(_ALPHA_DECODERS[self._codec], "r")
            decoder.options = self._decoding
        packets = 0
        for packet in self._container.demux(self._track):
            is_last = packet.dts is None and not packet.size
            if not is_last:
                packets += not packet.is_discard  # an edit list hides it
                if packet.is_corrupt or has_hole(bytes(packet)):
                    raise ValueError("there is a hole in it, as an unfinished upload leaves")
                if witness:
                    witness.decode(packet)
            yield from decoder.decode(None if is_last else packet)
        if self._decoded < packets and (self._codec in _ONE_PICTURE_EACH or self._has_alpha):
            raise ValueError(f"only {self._decoded} of {packets} frames can be decoded")

    def _frame(self, index: int, picture: av.VideoFrame) -> Frame:
        if picture.is_corrupt:
            raise ValueError("the decoder found it corrupt")
        if picture.pts is None:
            raise ValueError("it has no presentation time")
        base = self._track.time_base or Fraction(1, 1000)
        self._check_pixels(picture.width, picture.height)
        if index == 0:
            self._rotation = picture.rotation % 360 // 90 * 90
            self._size = self._shown_size(picture.width, picture.height)
        time_ms = float(picture.pts * base) * 1000
        self._end_ms = time_ms + float((picture.duration or 0) * base) * 1000
        return Frame(
            index=index,
            time_ms=time_ms,
            picture=picture,
            width=self._size[0],
            height=self._size[1],
            rotation=self._rotation,
        )

    def _shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Sides in square pixels, turned; browsers enlarge the short side and never shrink one."""
        aspect = self._track.sample_aspect_ratio or Fraction(1)
        if not Fraction(1, 16) <= aspect <= 16:
            raise VideoError(
                f"{self.name}: its pixel aspect {aspect} is absurd; encode it with square pixels"
            )
        width, height = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
        self._check_pixels(width, height)
        return (height, width) if self._rotation % 180 else (width, height)

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self.limits.max_pixels:
            raise self._over(
                f"pixels ({width}x{height})", width * height, "max_pixels", self.limits.max_pixels
            )

    def _check_duration(self, seconds: float) -> None:
        if seconds > self.limits.max_duration_s:
            raise self._over("seconds", round(seconds, 1), "max_duration_s", self.limits.max_duration_s)

    def _over(self, what: str, value: float, key: str, limit: float) -> VideoError:
        return VideoError(
            f"{self.name}: has {value} {what}, over the limit {key} = {limit}; "
            f"use a smaller video, or raise limits.{key} in anchord.toml"
        )


def _reason(error: Exception) -> str:
    """An FFmpeg error without its number and the file name it repeats."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
