"""
Pictures and the clip's own sound into a film, in memory. The only room of this wing that knows PyAV.

The sound's packets are copied where the container can hold them, and encoded anew where not.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BufferedReader
from typing import Any, Literal, NamedTuple

import av
from av.video.reformatter import ColorRange, Colorspace

from anchord.errors import VideoError
from anchord.preview.drawing import Pixels
from anchord.tracking.video.container import checked_container

Kind = Literal["webm", "mp4"]


class _How(NamedTuple):
    """How a container is filled: encoders and their options, and which sound it can hold as it is."""

    video: str
    options: dict[str, str]
    audio: str
    holds: tuple[str, ...]


_HOW: dict[Kind, _How] = {
    "webm": _How(
        "libvpx-vp9",
        {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "7", "row-mt": "1"},
        "libopus",
        ("opus", "vorbis"),
    ),
    "mp4": _How("libx264", {"crf": "20", "preset": "veryfast"}, "aac", ("aac", "mp3")),
}
# 1/90000 s, the finest that containers commonly keep.
_TIME_BASE = Fraction(1, 90_000)
# Opus knows this rate and a few that divide it.
_AUDIO_HZ = 48_000
# What H.273 calls BT.709 stands for matrix, primaries and transfer alike.
_BT709 = 1


def encoded(
    pictures: Iterable[tuple[float, Pixels]],
    kind: Kind,
    *,
    fps: float,
    sound: tuple[BufferedReader, str] | None,
    at_most: int,
) -> bytes:
    """
    A film.

    Args:
        pictures: rising presentation times in ms and (height, width, 3) uint8, red first, sides even.
        kind: its container; WebM holds VP9, MP4 holds H.264.
        fps: what it says its rate is; its frames' times are those of the pictures.
        sound: the opened clip whose sound it gets, and that clip's name; None for a silent film.
        at_most: so many bytes.

    Raises:
        VideoError: it would be longer.
    """
    how, out = _HOW[kind], io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream: Any = container.add_stream(how.video, rate=Fraction(fps).limit_denominator(1001))
        stream.options = how.options
        stream.codec_context.time_base = _TIME_BASE
        stream.pix_fmt = "yuv420p"
        speaking = _Sound(*sound, container, how) if sound else None
        try:
            for time_ms, pixels in pictures:
                _describe(stream, pixels)
                if speaking:
                    speaking.go_on(time_ms)
                container.mux(stream.encode(_frame(time_ms, pixels)))
                if out.tell() > at_most:
                    raise VideoError(f"the film has more than {at_most} bytes; show a shorter clip")
            if speaking:
                speaking.go_on(float("inf"))
            container.mux(stream.encode())
        finally:
            if speaking:
                speaking.close()
    return out.getvalue()


def _describe(stream: Any, pixels: Pixels) -> None:
    """Say, before the first picture, how large they are and what their colours mean."""
    context = stream.codec_context
    if not context.is_open:
        stream.height, stream.width = pixels.shape[:2]
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG


def _frame(time_ms: float, pixels: Pixels) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        threads=1,
    )
    frame.pts, frame.time_base = round(time_ms / 1000 / _TIME_BASE), _TIME_BASE
    return frame


class _Apart:
    """A file that is read at a place of its own while the pictures' decoder reads it elsewhere."""

    def __init__(self, descriptor: int, end: int) -> None:
        self._descriptor, self._end, self._at = descriptor, end, 0

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._end - self._at)
        found = os.pread(self._descriptor, left if count < 0 else min(count, left), self._at)
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at


class _Sound:
    """The sound of a clip, brought into a film little by little."""

    def __init__(
        self, stream: BufferedReader, name: str, container: av.container.OutputContainer, how: _How
    ) -> None:
        whole = checked_container(stream, name)
        self._out = container
        # As the tracker opens it: what FFmpeg gets is this file alone.
        self._in = av.open(
            _Apart(stream.fileno(), whole.end),
            mode="r",
            format=whole.demuxer,
            metadata_errors="ignore",
            options=whole.options,
        )
        self._packets: Iterator[tuple[float, Any]] = iter(())
        self._next: tuple[float, Any] | None = None
        tracks = self._in.streams.audio
        if tracks and _codec(tracks[0]) is not None:
            copies = _codec(tracks[0]) in how.holds
            self._packets = self._copied(tracks[0]) if copies else self._anew(tracks[0], how.audio)
            self._next = next(self._packets, None)

    def go_on(self, until_ms: float) -> None:
        """Bring what sounds until then."""
        while self._next is not None and self._next[0] <= until_ms:
            self._out.mux(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Let go of the clip."""
        self._in.close()

    def _copied(self, track: Any) -> Iterator[tuple[float, Any]]:
        stream: Any = self._out.add_stream_from_template(track)
        for packet in self._in.demux(track):
            if packet.dts is not None and packet.size:
                packet.stream = stream
                yield float(packet.dts * packet.time_base) * 1000, packet

    def _anew(self, track: Any, codec: str) -> Iterator[tuple[float, Any]]:
        stream: Any = self._out.add_stream(codec, rate=_AUDIO_HZ, layout="stereo")
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=_AUDIO_HZ)
        for frame in itertools.chain(self._in.decode(track), [None]):
            for part in resampler.resample(frame):
                for packet in stream.encode(part):
                    yield float(packet.dts * packet.time_base) * 1000, packet
        for packet in stream.encode(None):
            yield float(packet.dts * packet.time_base) * 1000, packet


def _codec(track: Any) -> str | None:
    context = track.codec_context
    return context.codec.canonical_name if context is not None else None
