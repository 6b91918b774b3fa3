"""
A sprite's place and size on a tracked face: pose from the timeline, size from the sprite. Pure.

As ``web/src/placing.js``: the tracked box only says how the face has moved since the reference, the moment at
which it lies as in the base face; that motion moves the static anchor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import UNSET

from anchord.reading import PARTS, Curves, Values
from anchord.timeline import Anchor, Part, Timeline


class Reference(NamedTuple):
    """The tracked part at the reference, and the way from there to the static anchor's middle."""

    w: float
    roll: float
    dx: float
    dy: float


def references(timeline: Timeline, curves: Curves, statics: Mapping[Part, Values]) -> dict[Part, Reference]:
    """
    Where the parts are while the face lies as in the base face.

    Args:
        timeline: says so itself; or else it is where the parts are nearest to the static anchors.
        curves: of the timeline, which has samples.
        statics: part -> cx, cy, w, h, roll on the base face.
    """
    told = timeline.reference
    nearest_ms = _nearest_sample(timeline, curves, statics)
    found: dict[Part, Reference] = {}
    for part in PARTS:
        at, is_sure = None, told is not UNSET
        if told is not UNSET:
            own = getattr(told, part)
            at = _values(own) if isinstance(own, Anchor) else curves.at(part, told.time_ms)
        if at is None:
            at, is_sure = curves.at(part, nearest_ms) or statics[part], False
        found[part] = _reference(at, statics[part], is_sure)
    return found


def placed(at: Values, reference: Reference, still: Values) -> Values:
    """The sprite's own box on the face, where the tracked one is *at* and the static anchor *still*."""
    cx, cy, w, _, roll = at
    scale, turn = w / reference.w, roll - reference.roll
    c, s = scale * math.cos(math.radians(turn)), scale * math.sin(math.radians(turn))
    return (
        cx + c * reference.dx - s * reference.dy,
        cy + s * reference.dx + c * reference.dy,
        still[2] * scale,
        still[3] * scale,
        still[4] + turn,
    )


def _reference(at: Values, still: Values, is_sure: bool) -> Reference:
    dx, dy = still[0] - at[0], still[1] - at[1]
    # A guess that is far off says that the static anchors are not this clip's: the tracked middle is better.
    is_near = is_sure or (abs(dx) <= still[2] / 4 and abs(dy) <= still[3] / 4)
    return Reference(w=at[2] or 1, roll=at[4], dx=dx if is_near else 0, dy=dy if is_near else 0)


def _nearest_sample(timeline: Timeline, curves: Curves, statics: Mapping[Part, Values]) -> float:
    """When the parts lie nearest to *statics*."""
    best_ms, least = timeline.frames[0].time_ms, math.inf
    for sample in timeline.frames:
        found = [(part, curves.at(part, sample.time_ms)) for part in PARTS]
        away = 0 if sample.status == "tracked" else 1e9  # only where there is no other
        for part, at in found:
            if at is None:
                away = math.inf
                break
            still = statics[part]
            # A turn counts by how far it moves the sprite's end.
            turn = (at[4] - still[4]) * math.pi * still[2] / 360
            away += (at[0] - still[0]) ** 2 + (at[1] - still[1]) ** 2 + turn**2
        if away < least:
            best_ms, least = sample.time_ms, away
    return best_ms


def _values(anchor: Anchor) -> Values:
    return anchor.cx, anchor.cy, anchor.w, anchor.h, anchor.roll
