"""
A video file into frames, as a player shows them.

The only room that knows PyAV. What FFmpeg is never asked: which container it is (see
``container``), to open another file, or how many frames a header claims.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BufferedReader
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.codec.context import ThreadType
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from anchord.errors import VideoError
from anchord.settings import Limits
from anchord.tracking.video.colour import colours
from anchord.tracking.video.container import Container, checked_container
from anchord.tracking.video.facts import SizeChange, VideoFacts
from anchord.tracking.video.front import Front
from anchord.tracking.video.holes import has_hole
from anchord.tracking.video.orientation import Orientation
from anchord.tracking.video.timing import timing
from anchord.tracking.video.tracks import Track, shown_track

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

# Sides of a picture that is scaled to another's may be off by this much and still have its shape, px.
_SAME_SHAPE_PX = 2

# Codecs whose pictures may say themselves how they lie, which browsers pass over.
_MAY_TURN = ("h264", "hevc")

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
    codec: str
    orientation: Orientation = field(default_factory=Orientation)

    def rgb(self) -> Pixels:
        """
        The picture as shown, (height, width, 3) uint8, red first.

        Raises:
            MemoryError: there is not enough for it.
            VideoError: FFmpeg does not know its pixels.
        """
        # It is turned last, so the picture is scaled to what will be its sides before.
        is_sideways = self.orientation.is_sideways
        width, height = (self.height, self.width) if is_sideways else (self.width, self.height)
        picture = self.picture
        has_alpha = any(component.is_alpha for component in picture.format.components)
        meant = colours(
            codec=self.codec,
            height=height,
            matrix=picture.colorspace,
            is_full=picture.color_range == ColorRange.JPEG or picture.format.name.startswith("yuvj"),
        )
        try:
            pixels = picture.reformat(
                width=width,
                height=height,
                format="rgba" if has_alpha else "rgb24",
                src_colorspace=meant.matrix,
                src_color_range=meant.range,
                dst_colorspace=meant.matrix,
                dst_color_range=ColorRange.JPEG,
                threads=1,
            ).to_ndarray()
        except MemoryError as error:
            raise MemoryError(_reason(error)) from error
        except (av.FFmpegError, ValueError) as error:
            raise VideoError(f"frame {self.index} cannot be shown: {_reason(error)}") from error
        if has_alpha:
            alpha = pixels[..., 3:].astype(np.uint16)
            pixels = ((pixels[..., :3] * alpha + _BACKDROP * (255 - alpha)) // 255).astype(np.uint8)
        return self.orientation.shown(pixels)


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
    _whole: Container = field(init=False)
    _container: av.container.InputContainer = field(init=False)
    _track: av.VideoStream = field(init=False)
    _times_ms: list[float] = field(default_factory=list, init=False)
    _decoded: int = field(default=0, init=False)
    _end_ms: float = field(default=0.0, init=False)
    _stored: tuple[int, int] = field(default=(0, 0), init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    _size_changes: list[SizeChange] = field(default_factory=list, init=False)
    _orientation: Orientation = field(default_factory=Orientation, init=False)

    def __enter__(self) -> Self:
        size = os.fstat(self.stream.fileno()).st_size
        if size > self.limits.max_bytes:
            raise self._over("bytes", size, "max_bytes", self.limits.max_bytes)
        self._whole = checked_container(self.stream, self.name)
        self.stream.seek(0)
        try:
            self._container = av.open(
                Front(self.stream, self._whole.end) if self._whole.trailing_bytes else self.stream,
                mode="r",
                format=self._whole.demuxer,
                metadata_errors="ignore",
                options=_OPENING[self._whole.demuxer],
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
        self._track = self._shown_track()
        context: Any = self._track.codec_context
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

    def _shown_track(self) -> av.VideoStream:
        streams = self._container.streams.video
        if not streams:
            raise VideoError(f"{self.name}: has no video track")
        # Only MP4 can switch a track off; what WebM calls default, browsers pass over.
        can_switch = self._whole.demuxer == "mov"
        index = shown_track(
            [
                Track(
                    codec=_codec(stream),
                    is_enabled=not can_switch or bool(stream.disposition & Disposition.default),
                    is_picture=bool(stream.disposition & Disposition.attached_pic),
                )
                for stream in streams
            ]
        )
        if index is None:
            what = "a cover picture and no video" if all(map(_codec, streams)) else "a codec that is unknown"
            raise VideoError(f"{self.name}: has {what}; encode it as VP9 or H.264")
        return streams[index]

    @property
    def _decoding(self) -> dict[str, str]:
        """Options of a decoder: conceal nothing, and make no room for a picture that is refused anyway."""
        # Twice: they round the sides up to whole blocks before they compare.
        # Unaligned: a picture that is cropped on its left is cropped there exactly.
        return {"err_detect": "explode", "max_pixels": str(2 * self.limits.max_pixels), "flags": "+unaligned"}

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
            orientation=self._orientation,
            alpha=self._has_alpha,
            codec=self._codec,
            trailing_bytes=self._whole.trailing_bytes,
            size_changes=tuple(self._size_changes),
        )

    @property
    def _has_alpha(self) -> bool:
        return self._track.metadata.get("alpha_mode") == "1" and self._codec in _ALPHA_DECODERS

    @property
    def _codec(self) -> str:
        """The codec's name, whichever decoder is used: vp9, av1, h264."""
        name = _codec(self._track)
        assert name is not None  # such a track is not chosen
        return name

    def _pictures(self) -> Iterator[av.VideoFrame]:
        decoder: Any = self._track.codec_context
        witness = None
        if self._has_alpha:
            if self._codec == "vp8":
                witness = decoder  # libvpx forgives more than FFmpeg's own, which therefore looks on
            decoder = av.CodecContext.create(_ALPHA_DECODERS[self._codec], "r")
            decoder.options = self._decoding
        packets = 0
        first = None
        for packet in self._container.demux(self._track):
            is_last = packet.dts is None and not packet.size
            if not is_last:
                packets += not packet.is_discard  # an edit list hides it
                if packet.is_corrupt or has_hole(bytes(packet), self._codec):
                    raise ValueError("there is a hole in it, as an unfinished upload leaves")
                if first is None:
                    first = packet
                    self._orientation = self._oriented(packet)
                if witness:
                    witness.decode(packet)
            yield from decoder.decode(None if is_last else packet)
        if self._decoded < packets and (self._codec in _ONE_PICTURE_EACH or self._has_alpha):
            raise ValueError(f"only {self._decoded} of {packets} frames can be decoded")

    def _oriented(self, first: av.Packet[av.VideoStream]) -> Orientation:
        """
        How the file says that its pictures lie.

        FFmpeg tells it with each picture only, in one list with what the pictures say of themselves, which
        browsers pass over. A decoder that knows nothing of the file finds the latter alone.
        """
        context: Any = self._track.codec_context
        matrices = _matrices(context, first)
        if matrices and self._codec in _MAY_TURN:
            stranger: Any = av.CodecContext.create(self._codec, "r")
            stranger.extradata = context.extradata
            if len(_matrices(stranger, first)) == len(matrices):
                matrices = []
        return Orientation.of_matrix(matrices[0]) if matrices else Orientation()

    def _frame(self, index: int, picture: av.VideoFrame) -> Frame:
        if picture.is_corrupt:
            raise ValueError("the decoder found it corrupt")
        if picture.pts is None:
            raise ValueError("it has no presentation time")
        base = self._track.time_base or Fraction(1, 1000)
        time_ms = float(picture.pts * base) * 1000
        self._end_ms = time_ms + float((picture.duration or 0) * base) * 1000
        stored = (picture.width, picture.height)
        if index == 0:
            self._size = self._shown_size(*stored)
        elif stored != self._stored:
            self._change_size(stored, time_ms)
        self._stored = stored
        return Frame(
            index=index,
            time_ms=time_ms,
            picture=picture,
            width=self._size[0],
            height=self._size[1],
            codec=self._codec,
            orientation=self._orientation,
        )

    def _shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Sides in square pixels, turned; browsers enlarge the short side and never shrink one."""
        self._check_pixels(width, height)
        aspect = self._track.sample_aspect_ratio or Fraction(1)
        if not Fraction(1, 16) <= aspect <= 16:
            raise VideoError(
                f"{self.name}: its pixel aspect {aspect} is absurd; encode it with square pixels"
            )
        width, height = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
        self._check_pixels(width, height)
        return (height, width) if self._orientation.is_sideways else (width, height)

    def _change_size(self, stored: tuple[int, int], time_ms: float) -> None:
        """
        Note that the pictures are larger or smaller from here on, as browsers' recorders make them.

        Shown at the first one's size they lie where they did. Of another shape they would not: the page
        lays a film out by its sides, and the face would jump.
        """
        width, height = self._shown_size(*stored)
        first_width, first_height = self._size
        if abs(width - height * first_width / first_height) > _SAME_SHAPE_PX:
            raise VideoError(
                f"{self.name}: its picture changes from {first_width}x{first_height} to {width}x{height} "
                f"at {time_ms / 1000:.2f} s, and so does a player; encode it at one size"
            )
        self._size_changes.append(SizeChange(time_ms=time_ms, width=width, height=height))

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


def _matrices(context: Any, first: av.Packet[av.VideoStream]) -> list[tuple[int, ...]]:
    """The display matrices that a decoder gives with the first picture, the file's own first."""
    pictures = [*context.decode(first), *context.decode(None)]
    context.flush_buffers()
    try:
        notes = list(pictures[0].side_data) if pictures else []
        return [struct.unpack("=9i", bytes(note)) for note in notes if note.type == SideData.DISPLAYMATRIX]
    except ValueError:  # a note of a kind that PyAV has no name for
        return []


def _codec(stream: av.VideoStream) -> str | None:
    """The codec's canonical name; None where FFmpeg knows none."""
    context: Any = stream.codec_context
    return context.codec.canonical_name if context is not None else None


def _reason(error: Exception) -> str:
    """An FFmpeg error without its number and the file name it repeats."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
