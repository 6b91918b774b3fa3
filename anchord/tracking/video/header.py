"""What a file says of its video before any of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """
    Claims, which may be wrong, or missing.

    Args:
        codec: its name, whichever decoder is used: vp9, av1, h264.
        has_alpha: whether pictures may be transparent.
        size: stored (width, height).
        pixel_aspect: width over height of a stored pixel.
        fps: frames a second, or what FFmpeg made of the first few; None for nothing.
        duration_s: 0 for nothing.
        frames: 0 for nothing.
        needed_bytes: where the last picture ends that the index tells of; 0 for nothing.
    """

    codec: str
    has_alpha: bool
    size: tuple[int, int]
    pixel_aspect: Fraction
    fps: float | None
    duration_s: float
    frames: int
    needed_bytes: int

    @property
    def frames_expected(self) -> int:
        """How many frames to expect, for a progress bar; 0 for nothing."""
        if self.frames > 0 or not self.fps or not 0 < self.duration_s < 86_400:
            return self.frames
        return int(self.duration_s * self.fps)
