"""What a pack's manifest says of where mouth and eyes lie: its static anchors, in target pixels."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec
from msgspec import Struct

#: As in a timeline: far beyond any target.
_FAR = 1_000_000


class Box(Struct, frozen=True, kw_only=True):
    """An upright box, px of the target, into which the base face is drawn as large as it is."""

    x: float
    y: float
    w: float
    h: float


class Statics(Struct, frozen=True, kw_only=True):
    """Where an overlay lies on the base face."""

    mouth: Box
    eyes: Box

    def sha256(self) -> str:
        """Digest that is equal where the boxes are."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def statics_in(manifest: Any) -> Statics | None:
    """
    The static anchors of a decoded manifest; None where it has not both, or not such as can be followed.

    A page makes do with strange ones, so they are no error.
    """
    boxes = {}
    for part in ("mouth", "eyes"):
        found = manifest.get(part) if isinstance(manifest, dict) else None
        box = _box(found.get("anchor") if isinstance(found, dict) else None)
        if box is None:
            return None
        boxes[part] = box
    return Statics(**boxes)


def _box(anchor: Any) -> Box | None:
    if not isinstance(anchor, dict):
        return None
    values = {}
    for name in ("x", "y", "w", "h"):
        value = anchor.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not math.isfinite(value) or abs(value) > _FAR:
            return None
        values[name] = float(value)
    return Box(**values) if min(values["w"], values["h"]) >= 1 else None
