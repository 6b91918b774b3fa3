"""
A video file into decoded pictures.

The only room that knows PyAV. What FFmpeg is never asked: which container it is (see
``container``), to open another file, or how many frames a header claims.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BufferedReader
from typing import Any

import av
import numpy as np
from av.codec.context import ThreadType
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from anchord.errors import VideoError
from anchord.tracking.video.colour import Colours
from anchord.tracking.video.container import Container
from anchord.tracking.video.front import Front
from anchord.tracking.video.header import Header
from anchord.tracking.video.holes import has_hole
from anchord.tracking.video.orientation import Orientation, matrix_of_turn
from anchord.tracking.video.tracks import Track, shown_track

# FFmpeg's own vp8 and vp9 decoders drop alpha without a word; these keep it.
_ALPHA_DECODERS = {"vp9": "libvpx-vp9", "vp8": "libvpx"}

_LARGE_PIXELS = 1280 * 720

# Every packet of theirs shows one picture; of vp8 some show none, unless it has alpha.
_ONE_PICTURE_EACH = ("av1", "vp9")

# Codecs whose pictures may say themselves how they lie, which browsers pass over.
_MAY_TURN = ("h264", "hevc")

# What comes out of FFmpeg, and of numbers that make no sense, where a file is damaged.
_DAMAGE = (av.FFmpegError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture, as it is stored: not yet turned, nor its pixels made square."""

    frame: av.VideoFrame
    time_ms: float
    end_ms: float

    @property
    def size(self) -> tuple[int, int]:
        """Stored (width, height)."""
        return self.frame.width, self.frame.height

    @property
    def claim(self) -> tuple[int, bool]:
        """The matrix of its colours as ITU-T H.273 numbers it, and whether its black is 0, not 16."""
        is_full = self.frame.color_range == ColorRange.JPEG or self.frame.format.name.startswith("yuvj")
        return self.frame.colorspace, is_full

    def pixels(self, size: tuple[int, int], colours: Colours) -> NDArray[np.uint8]:
        """
        Scaled to *size* (width, height): (height, width, 3 or 4) uint8, red first, alpha last if it has any.

        Raises:
            MemoryError: there is not enough for it.
            VideoError: FFmpeg does not know its pixels.
        """
        has_alpha = any(component.is_alpha for component in self.frame.format.components)
        try:
            scaled = self.frame.reformat(
                width=size[0],
                height=size[1],
                format="rgba" if has_alpha else "rgb24",
                src_colorspace=colours.matrix,
                src_color_range=ColorRange.JPEG if colours.is_full_range else ColorRange.MPEG,
                dst_colorspace=colours.matrix,
                dst_color_range=ColorRange.JPEG,
                threads=1,  # it is called in as many threads as there should be
            )
            return np.asarray(scaled.to_ndarray(), np.uint8)
        except MemoryError:
            raise
        except _DAMAGE as error:
            raise VideoError(
                f"the picture at {self.time_ms:.0f} ms cannot be shown: {_reason(error)}"
            ) from error


@dataclass(slots=True, kw_only=True)
class Reader:
    """
    An opened file; ``close()`` it.

    Args:
        stream: the file, opened for reading. FFmpeg gets nothing but this.
        name: what messages call it.
        whole: its kind, and how much of it.
        max_pixels: no decoder makes room for more.

    Raises:
        VideoError: there is no video in it that can be decoded.
    """

    stream: BufferedReader
    name: str
    whole: Container
    max_pixels: int
    header: Header = field(init=False)
    #: So many pictures were decoded, and how they lie, known once the first is there.
    decoded: int = field(default=0, init=False)
    orientation: Orientation = field(default_factory=Orientation, init=False)
    _container: av.container.InputContainer = field(init=False)
    _track: av.VideoStream = field(init=False)

    def __post_init__(self) -> None:
        self.stream.seek(0)
        try:
            self._container = av.open(
                Front(self.stream, self.whole.end) if self.whole.trailing_bytes else self.stream,
                mode="r",
                format=self.whole.demuxer,
                metadata_errors="ignore",
                options=self.whole.options,
            )
            self._track = self._shown_track()
            self.header = _header(self._container, self._track)
        except BaseException as error:
            if hasattr(self, "_container"):
                self._container.close()
            # Too little memory is not the video's fault, though FFmpeg says so in its own words.
            if isinstance(error, _DAMAGE) and not isinstance(error, MemoryError):
                raise VideoError(f"{self.name}: cannot be opened as a video: {_reason(error)}") from error
            raise

    def close(self) -> None:
        """Let go of the decoder."""
        self._container.close()

    def pictures(self, *, threads: int) -> Iterator[Picture]:
        """
        Every picture, in the order of presentation.

        Raises:
            VideoError: something is missing, or broken.
        """
        try:
            for frame in self._frames(threads):
                self.decoded += 1
                yield self._picture(frame)
        except MemoryError:
            raise
        except _DAMAGE as error:
            raise VideoError(
                f"{self.name}: is damaged at frame {self.decoded}: {_reason(error)}; encode it again"
            ) from error

    def _shown_track(self) -> av.VideoStream:
        streams = self._container.streams.video
        if not streams:
            raise VideoError(f"{self.name}: has no video track")
        # Only MP4 can switch a track off; what WebM calls default, browsers pass over.
        can_switch = self.whole.demuxer == "mov"
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
            what = "a cover picture, but no video" if all(map(_codec, streams)) else "a codec that is unknown"
            raise VideoError(f"{self.name}: has {what}; encode it as VP9 or H.264")
        return streams[index]

    def _frames(self, threads: int) -> Iterator[av.VideoFrame]:
        codec, has_alpha = self.header.codec, self.header.has_alpha
        context = self._prepared(threads)
        decoder: Any = context
        if has_alpha:
            decoder = av.CodecContext.create(_ALPHA_DECODERS[codec], "r")
            decoder.options = self._decoding
        packets = 0
        first: bytes | None = None
        for packet in self._container.demux(self._track):
            is_last = packet.dts is None and not packet.size
            if not is_last:
                content = bytes(packet)
                if packet.is_corrupt or has_hole(content, codec):
                    raise ValueError("there is a hole in it, as an unfinished upload leaves")
                packets += not packet.is_discard  # an edit list hides it
                if first is None:
                    first = content
                    if has_alpha:
                        self.orientation = Orientation.of_matrices(_matrices_in(context, first))
                if has_alpha and codec == "vp8":
                    context.decode(packet)  # libvpx forgives more than FFmpeg's own, which therefore looks on
            for frame in decoder.decode(None if is_last else packet):
                if not self.decoded and not has_alpha:
                    self.orientation = self._oriented(frame, first or b"")
                yield frame
        if self.decoded < packets and (codec in _ONE_PICTURE_EACH or has_alpha):
            raise ValueError(f"only {self.decoded} of {packets} frames can be decoded")

    def _prepared(self, threads: int) -> Any:
        """The track's own decoder."""
        context: Any = self._track.codec_context
        # A small picture is decoded faster than faces are found: more threads would only take cores away.
        is_large = context.width * context.height > _LARGE_PIXELS
        # These notice damage only where they decode one frame in several threads.
        is_sliced = context.name in ("vp8", "hevc")
        context.thread_count = max(threads if is_large else 1, 1 + is_sliced)
        context.thread_type = ThreadType.SLICE if is_sliced else ThreadType.AUTO
        context.options = self._decoding
        return context

    @property
    def _decoding(self) -> dict[str, str]:
        """Options of a decoder: conceal nothing, and make no room for a picture that is refused anyway."""
        # Twice: they round the sides up to whole blocks before they compare.
        # Unaligned: a picture that is cropped on its left is cropped there exactly.
        return {"err_detect": "explode", "max_pixels": str(2 * self.max_pixels), "flags": "+unaligned"}

    def _oriented(self, frame: av.VideoFrame, first: bytes) -> Orientation:
        """
        How the file says that its pictures lie.

        FFmpeg tells it with each of them only, in one list with what the pictures say of themselves, which
        browsers pass over. A decoder that knows nothing of the file finds the latter alone.
        """
        matrices = _matrices(frame)
        if matrices and self.header.codec in _MAY_TURN:
            stranger: Any = av.CodecContext.create(self.header.codec, "r")
            stranger.extradata = self._track.codec_context.extradata
            if len(_matrices_in(stranger, first)) == len(matrices):
                matrices = []
        return Orientation.of_matrices(matrices)

    def _picture(self, frame: av.VideoFrame) -> Picture:
        if frame.is_corrupt:
            raise ValueError("the decoder found it corrupt")
        if frame.pts is None:
            raise ValueError("it has no presentation time")
        base = self._track.time_base or Fraction(1, 1000)
        time_ms, lasts_ms = (float(ticks * base) * 1000 for ticks in (frame.pts, frame.duration or 0))
        return Picture(frame=frame, time_ms=time_ms, end_ms=time_ms + lasts_ms)


def _matrices_in(context: Any, packet: bytes) -> list[tuple[float, ...]]:
    """The display matrices that a decoder gives with the first picture; it is as new afterwards."""
    frames = [*context.decode(av.Packet(packet)), *context.decode(None)]
    context.flush_buffers()
    return _matrices(frames[0]) if frames else []


def _matrices(frame: av.VideoFrame) -> list[tuple[float, ...]]:
    """The display matrices that come with a picture, the file's own first."""
    try:
        all_notes: Any = frame.side_data  # PyAV's stubs call it a text
        notes = [bytes(note) for note in all_notes if note.type == SideData.DISPLAYMATRIX]
    except ValueError:  # beside it is a note of a kind that PyAV has no name for; the angle it still tells
        return [matrix_of_turn(frame.rotation)] if frame.rotation else []
    return [struct.unpack("=9i", note) for note in notes]


def _header(container: av.container.InputContainer, track: av.VideoStream) -> Header:
    codec = _codec(track)
    assert codec is not None  # such a track is not chosen
    rate, last = track.average_rate, track.index_entries[-1:]
    return Header(
        codec=codec,
        has_alpha=track.metadata.get("alpha_mode") == "1" and codec in _ALPHA_DECODERS,
        size=(track.codec_context.width, track.codec_context.height),
        pixel_aspect=track.sample_aspect_ratio or Fraction(1),
        fps=float(rate) if rate else None,
        duration_s=(container.duration or 0) / 1e6,
        frames=max(0, track.frames),
        needed_bytes=max((entry.pos + entry.size for entry in last), default=0),
    )


def _codec(stream: av.VideoStream) -> str | None:
    """The codec's canonical name; None where FFmpeg knows none."""
    context: Any = stream.codec_context
    return context.codec.canonical_name if context is not None else None


def _reason(error: Exception) -> str:
    """An FFmpeg error without its number and the file name it repeats."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
