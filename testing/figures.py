"""A film and a timeline into the figures that stand in tables and in the budget: smaller is better."""

from __future__ import annotations

from typing import Any

import numpy as np

from testing.films import DRAWN, HANDS, MOTION, SPEECH, TURNS
from testing.making import Film
from testing.reading import Reading
from testing.scores.hidden import Hidden, hidden
from testing.scores.lock import both
from testing.truth import PARTS, Truth

#: Figure -> its unit and meaning, in the order of tables.
FIGURES = {
    "missing": "share of the frames with a face that have no anchor",
    "lock": "px, rms: off the point of the face that it sits on, read as our page does; the worse part",
    "straight": "px, the same, read along straight lines",
    "jitter": "px, rms: change of that from frame to frame",
    "lag": "frames",
    "seam": "px: jump at the end of a closed loop",
    "wobble": "%: of the size, over the face's own",
    "roll": "degrees, rms",
    "off": "px: from the middle of what it must cover, where that is known",
    "missed": "hands of 0.4 s and more over half of a part that were not marked",
    "late": "s: the latest mark, of the hands that are marked at all",
    "overlong": "s: longest mark after nothing covers the part any more",
    "false": "s: marked though nothing is near",
    "ghost": "share of the frames without a face that pass for tracked",
}

_GROUPS = {"motion": MOTION, "speech": SPEECH, "turns": TURNS, "hands": HANDS, "drawn": DRAWN}
# Where lips and heads move freely a size or a lag has no truth that is sharp enough.
_ASKED = {
    "motion": ("missing", "lock", "straight", "jitter", "lag", "seam", "wobble", "roll", "ghost", "false"),
    "speech": ("missing", "lock", "jitter", "wobble", "false"),
    "turns": ("missing", "lock", "jitter", "false"),
    "hands": ("missing", "lock", "jitter", "missed", "late", "overlong", "false"),
    "drawn": ("missing", "lock", "straight", "jitter", "seam", "wobble", "off"),
}

Figures = dict[str, float]


def group_of(film: Film) -> str:
    """Under which heading a film stands."""
    return next((name for name, films in _GROUPS.items() if film in films), "motion")


def figures(film: Film, truth: Truth, document: dict[str, Any] | None) -> Figures:
    """All figures that are asked of a film and can be told."""
    asked = _ASKED[group_of(film)]
    found = _found(truth, document) if document is not None else {"missing": 1.0}
    return {name: found[name] for name in FIGURES if name in asked and name in found}


def _found(truth: Truth, document: dict[str, Any]) -> Figures:
    reading = Reading(document)
    # Where a hand covers a part nobody sees how well it sits; it must be right again when the hand leaves.
    clear = np.all([truth.covered[part] < 0.1 for part in PARTS], axis=0)
    page = list(both(truth, reading, clear).values())
    straight = list(both(truth, Reading(document, "straight"), clear).values())
    if not page:
        return {"missing": 1.0}
    found = {
        "missing": 1 - min(lock.shown for lock in page),
        "lock": max(lock.lock_px for lock in page),
        "straight": max(lock.lock_px for lock in straight),
        "jitter": max(lock.jitter_px for lock in page),
        "wobble": max(lock.wobble for lock in page),
        "roll": max(lock.roll_deg for lock in page),
        "off": max(lock.off_px for lock in page),
    }
    lags = [abs(lock.lag_frames) for lock in page if lock.lag_frames is not None]
    seams = [lock.seam_px for lock in page if lock.seam_px is not None]
    if lags:
        found["lag"] = max(lags)
    if seams:
        found["seam"] = max(seams)
    if not truth.has_face.all():
        found["ghost"] = float(reading.is_tracked(truth.times_ms)[~truth.has_face].mean())
    return found | _marks([hidden(truth, reading, part) for part in PARTS])


def _marks(parts: list[Hidden]) -> Figures:
    return {
        "missed": float(sum(part.hands - part.found for part in parts)),
        "late": max(part.late_ms for part in parts) / 1000,
        "overlong": max(part.overlong_ms for part in parts) / 1000,
        "false": sum(part.false_ms for part in parts) / 1000,
    }
