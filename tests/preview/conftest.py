"""Timelines to be shown, made by hand: a head that sways, a gap, a hand, a bridged stretch."""

from __future__ import annotations

import math

import msgspec
import pytest

from anchord.timeline import Anchor, Sample, Signals, Timeline, VideoWarning
from tests.test_timeline import made


def swaying(count: int = 40, *, hidden: range = range(0), bridged: range = range(0)) -> Timeline:
    """Four seconds at 10 Hz: the face sways by 20 px; at 0.5 s and 2.5 s the eyes are shut."""

    def anchor(i: int, cy: float) -> Anchor:
        cx = 256 + 20 * math.sin(2 * math.pi * i / 40)
        return Anchor(x=cx - 50, y=cy - 20, w=100, h=40, cx=cx, cy=cy, roll=0.2 * i % 3)

    frames = [
        Sample(
            frame=3 * i,
            time_ms=100.0 * i,
            status="interpolated" if i in bridged else "tracked",
            mouth=anchor(i, 400),
            eyes=anchor(i, 250),
            hidden=["mouth"] if i in hidden else msgspec.UNSET,
            signals=Signals(
                mouth_open=0, eye_open_left=float(i not in (5, 25)), eye_open_right=float(i not in (5, 25))
            ),
        )
        for i in range(count)
    ]
    return made(frames)


@pytest.fixture
def eventful() -> Timeline:
    """With a gap from 1.4 to 1.9 s, a hand at 2 s, a stretch that was bridged at 3 s, and a warning."""
    film = swaying(hidden=range(20, 25), bridged=range(30, 33))
    quality = msgspec.structs.replace(
        film.quality,
        gaps=[(1400.0, 1900.0)],
        coverage=0.85,
        warnings=[VideoWarning(code="dark", message="the face is dark <b>(mean 20 of 255)</b>: use light")],
    )
    frames = [sample for sample in film.frames if not 1400 <= sample.time_ms <= 1900]
    return msgspec.structs.replace(film, quality=quality, frames=frames)
