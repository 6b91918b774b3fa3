"""
How heads move: functions of time that are the truth of the films. Pure.

A motion closes after the film's length unless it is meant not to.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from testing.stills import EYES_AT, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the middle of the eyes is in a film of 512x640, how large and how turned the head is."""

    x: float = 256.0
    y: float = 262.0
    scale: float = 0.95
    roll_deg: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0

    def matrix(self, size: tuple[int, int] = (512, 640)) -> Floats:
        """Still to film pixels, (2, 3), in a film of (width, height)."""
        enlarged = size[0] / 512
        angle = math.radians(self.roll_deg)
        a, b = self.scale * enlarged * math.cos(angle), self.scale * enlarged * math.sin(angle)
        x, y = EYES_AT
        return np.array(
            [
                [a, -b, self.x * enlarged - a * x + b * y],
                [b, a, self.y * size[1] / 640 - b * x - a * y],
            ]
        )


#: Seconds, and the film's length in seconds, to where the head is.
Motion: TypeAlias = Callable[[float, float], Place]


def _turn(t_s: float, times_s: float) -> float:
    return 2 * math.pi * t_s / times_s


def still(t_s: float, length_s: float) -> Place:
    """Nothing moves."""
    return Place()


def breath(t_s: float, length_s: float) -> Place:
    """A few pixels, half a degree, half a percent."""
    a = _turn(t_s, length_s)
    return Place(
        x=256 + 5 * math.sin(a),
        y=262 + 4 * math.sin(a + 1) + 1.2 * math.sin(2 * a),
        scale=0.95 * (1 + 0.006 * math.sin(a + 2)),
        roll_deg=0.8 * math.sin(a + 0.5),
    )


def sway(t_s: float, length_s: float) -> Place:
    """As someone who listens and shifts on a chair."""
    a = _turn(t_s, length_s)
    return Place(
        x=256 + 26 * math.sin(a) + 5 * math.sin(3 * a),
        y=262 + 12 * math.sin(2 * a + 0.7),
        scale=0.95 * (1 + 0.03 * math.sin(a + 1)),
        roll_deg=4 * math.sin(a + 0.3) + math.sin(2 * a),
    )


def fast(t_s: float, length_s: float) -> Place:
    """A laugh: up to 9 px from one frame to the next at 30 Hz."""
    a = _turn(t_s, length_s)
    return Place(
        x=256 + 16 * math.sin(4 * a) + 5 * math.sin(9 * a),
        y=262 + 12 * math.sin(6 * a + 1) + 4 * math.sin(10 * a),
        scale=0.95 * (1 + 0.02 * math.sin(5 * a)),
        roll_deg=3 * math.sin(5 * a + 0.4),
    )


def drift(t_s: float, length_s: float) -> Place:
    """It does not come back."""
    u = t_s / length_s
    return Place(
        x=236 + 42 * u + 3 * math.sin(9 * u), y=262 - 14 * u * u, scale=0.93 + 0.05 * u, roll_deg=5 * u
    )


def zoom(t_s: float, length_s: float) -> Place:
    """Nearer by a third, and back."""
    a = _turn(t_s, length_s)
    return Place(x=256 + 3 * math.sin(a), y=268, scale=0.95 - 0.13 * math.cos(a), roll_deg=math.sin(a))


def tilt(t_s: float, length_s: float) -> Place:
    """A head laid on one shoulder, then on the other."""
    a = _turn(t_s, length_s)
    return Place(x=256 + 14 * math.sin(a), y=264, scale=0.92, roll_deg=17 * math.sin(a))


def look_around(t_s: float, length_s: float) -> Place:
    """Turns by 12 degrees to both sides, nods by 5."""
    a = _turn(t_s, length_s)
    return Place(
        x=256 + 9 * math.sin(a),
        y=262 + 3 * math.sin(2 * a),
        yaw_deg=12 * math.sin(a) + 2 * math.sin(3 * a),
        pitch_deg=5 * math.sin(2 * a + 1),
        roll_deg=1.5 * math.sin(a + 0.4),
    )


def turn_away(t_s: float, length_s: float) -> Place:
    """Looks ahead, turns by 25 degrees, stays, comes back, nods down by 15."""
    u = t_s / length_s
    yaw = 25 * (_ramp(u, 0.12, 0.25) - _ramp(u, 0.45, 0.58))
    pitch = 15 * (_ramp(u, 0.62, 0.72) - _ramp(u, 0.84, 0.95))
    return Place(x=256 + 0.5 * yaw, y=262 + 0.3 * pitch, yaw_deg=yaw, pitch_deg=pitch)


def raise_head(t_s: float, length_s: float) -> Place:
    """Looks up by 13 degrees, a little to one side, and back."""
    u = t_s / length_s
    up = _ramp(u, 0.15, 0.35) - _ramp(u, 0.65, 0.85)
    return Place(y=262 - 8 * up, pitch_deg=-13 * up, yaw_deg=-7 * up, roll_deg=2 * up)


def _ramp(u: float, start: float, end: float) -> float:
    share = min(max((u - start) / (end - start), 0.0), 1.0)
    return share * share * (3 - 2 * share)


MOTIONS: dict[str, Motion] = {
    motion.__name__: motion
    for motion in (still, breath, sway, fast, drift, zoom, tilt, look_around, turn_away, raise_head)
}
#: Those that end elsewhere than they began.
OPEN = frozenset({"drift"})
