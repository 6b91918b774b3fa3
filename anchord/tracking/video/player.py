"""A video file into frames, as a player shows them: in time, upright, with square pixels, in its colours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BufferedReader
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from anchord.errors import VideoError
from anchord.settings import Limits
from anchord.tracking.video.colour import colours
from anchord.tracking.video.container import checked_container
from anchord.tracking.video.facts import SizeChange, VideoFacts
from anchord.tracking.video.orientation import Orientation
from anchord.tracking.video.reader import Picture, Reader
from anchord.tracking.video.timing import timing
from anchord.tracking.video.wholeness import cut

#: (height, width, 3) uint8, red first, upright and with square pixels.
Pixels = NDArray[np.uint8]

# What shows through where a video is transparent; mid-grey keeps the contrast of skin on both sides.
_BACKDROP = 128

# Sides of a picture that is scaled to another's may be off by this much and still have its shape, px.
_SAME_SHAPE_PX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded picture and when a player shows it."""

    index: int
    time_ms: float
    picture: Picture
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
        size = (self.height, self.width) if is_sideways else (self.width, self.height)
        matrix, is_full_range = self.picture.claim
        meant = colours(codec=self.codec, height=size[1], matrix=matrix, is_full_range=is_full_range)
        pixels = self.picture.pixels(size, meant)
        if pixels.shape[2] == 4:
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
    _reader: Reader = field(init=False)
    _times_ms: list[float] = field(default_factory=list, init=False)
    _end_ms: float = field(default=0.0, init=False)
    _stored: tuple[int, int] = field(default=(0, 0), init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    _size_changes: list[SizeChange] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        size = os.fstat(self.stream.fileno()).st_size
        if size > self.limits.max_bytes:
            raise self._over("bytes", size, "max_bytes", self.limits.max_bytes)
        whole = checked_container(self.stream, self.name)
        self._reader = Reader(
            stream=self.stream, name=self.name, whole=whole, max_pixels=self.limits.max_pixels
        )
        try:
            # A box of pictures may go on to the file's end, wherever that is; the index knows better.
            if self._reader.header.needed_bytes > whole.end:
                raise cut(self.name, whole.end, self._reader.header.needed_bytes)
            self._check_pixels(*self._reader.header.size)
            self._check_duration(self._reader.header.duration_s)
        except VideoError:
            self._reader.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    @property
    def frames_expected(self) -> int:
        """How many frames the file claims to have, for a progress bar; 0 where it says nothing."""
        return self._reader.header.frames_expected

    def frames(self) -> Iterator[Frame]:
        """
        Every frame in the order of presentation.

        A frame that is not later than the one before it is counted, but left out: a player never
        shows it.
        """
        for index, picture in enumerate(self._reader.pictures(threads=self.threads)):
            if index >= self.limits.max_frames:
                raise self._over("frames", index + 1, "max_frames", self.limits.max_frames)
            self._end_ms = picture.end_ms
            self._lay_out(picture)
            if self._times_ms and picture.time_ms <= self._times_ms[-1]:
                continue
            self._times_ms.append(picture.time_ms)
            self._check_duration((picture.time_ms - self._times_ms[0]) / 1000)
            yield Frame(
                index=index,
                time_ms=picture.time_ms,
                picture=picture,
                width=self._size[0],
                height=self._size[1],
                codec=self._reader.header.codec,
                orientation=self._reader.orientation,
            )
        if not self._times_ms:
            raise VideoError(f"{self.name}: has no frames")

    def facts(self) -> VideoFacts:
        """What was in the file. Only after the last frame."""
        reader = self._reader
        return VideoFacts(
            timing=timing(self._times_ms, end_ms=self._end_ms, named_fps=reader.header.fps),
            frame_count=reader.decoded,
            width=self._size[0],
            height=self._size[1],
            orientation=reader.orientation,
            alpha=reader.header.has_alpha,
            codec=reader.header.codec,
            trailing_bytes=reader.whole.trailing_bytes,
            size_changes=tuple(self._size_changes),
        )

    def _lay_out(self, picture: Picture) -> None:
        """
        See at which size the picture is shown: the first one's, for all.

        Browsers' recorders make them smaller where the network or the processor is slow; shown at the first
        one's size they lie where they did. Of another shape they would not: a page lays a film out by its
        sides, and the face would jump.
        """
        if picture.size == self._stored:
            return
        width, height = self._shown_size(*picture.size)
        if self._stored == (0, 0):
            self._size = (width, height)
        else:
            first_width, first_height = self._size
            if abs(width - height * first_width / first_height) > _SAME_SHAPE_PX:
                raise VideoError(
                    f"{self.name}: its picture changes from {first_width}x{first_height} to {width}x{height} "
                    f"at {picture.time_ms / 1000:.2f} s, and so does a player; encode it at one size"
                )
            change = SizeChange(time_ms=picture.time_ms, width=width, height=height)
            self._size_changes.append(change)
        self._stored = picture.size

    def _shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Sides in square pixels, turned; browsers enlarge the short side and never shrink one."""
        self._check_pixels(width, height)
        aspect = self._reader.header.pixel_aspect
        if not Fraction(1, 16) <= aspect <= 16:
            raise VideoError(
                f"{self.name}: its pixel aspect {aspect} is absurd; encode it with square pixels"
            )
        width, height = (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))
        self._check_pixels(width, height)
        return (height, width) if self._reader.orientation.is_sideways else (width, height)

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
