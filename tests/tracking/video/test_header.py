"""How many frames to expect, from what a header claims."""

from __future__ import annotations

from fractions import Fraction

import pytest

from anchord.tracking.video.header import Header


@pytest.mark.parametrize(
    ("frames", "fps", "duration_s", "expected"),
    [
        (120, 30.0, 9.0, 120),
        (0, 30.0, 4.0, 120),
        (0, None, 4.0, 0),
        (0, 30.0, 0.0, 0),
        (0, 30.0, 1e12, 0),  # a header that makes no sense
    ],
)
def test_frames_are_counted_or_worked_out_or_unknown(
    frames: int, fps: float | None, duration_s: float, expected: int
) -> None:
    header = Header(
        codec="vp9",
        has_alpha=False,
        size=(1, 1),
        pixel_aspect=Fraction(1),
        fps=fps,
        duration_s=duration_s,
        frames=frames,
        needed_bytes=0,
    )
    assert header.frames_expected == expected
