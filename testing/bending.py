"""
What a face does by itself: words, smiles and blinks, by the same warps that make the sample sprites.

Only small windows of the still are bent, so a frame costs some milliseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from anchord.demo.film import Pixels
from testing.lids import lidded
from testing.lips import VISEMES, Shape, speaking
from testing.stills import EYES_PX, Floats, Still

#: Mouths beyond speech.
SHAPES = VISEMES | {
    "SMILE": Shape(width=1.16, corners=-0.06, lift=0.01, upper=-0.05, lower=-0.05),
    "WIDE": Shape(width=0.86, jaw=0.42, lift=0.04, corners=0.08, light=0.85, tongue=0.35),
    "YAWN": Shape(width=0.74, jaw=0.62, lift=0.06, corners=0.12, light=0.8, tongue=0.3),
    "STILL": Shape(),
}

# A still's pixel in pixels of the portraits, about; how sharp the shadow in a mouth is.
_SHARPNESS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """
    When a mouth talks.

    Args:
        spans_s: from when to when.
        seed: of what it says.
        strength: of its shapes; 1 is clear speech.
        per_s: shapes in a second.
    """

    spans_s: tuple[tuple[float, float], ...]
    seed: int = 1
    strength: float = 1.0
    per_s: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grimace:
    """One shape of ``SHAPES`` that comes, stays and goes: a smile, a yawn."""

    shape: str
    start_s: float
    stay_s: float
    change_s: float = 0.3


def eased(share: float) -> float:
    """0 below 0, 1 above 1, and a soft way between."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def visit(t_s: float, start_s: float, enter_s: float, stay_s: float, leave_s: float) -> float:
    """0 before, up to 1 in *enter_s*, there for *stay_s*, back in *leave_s*."""
    since = t_s - start_s
    if since <= enter_s + stay_s:
        return eased(since / enter_s if enter_s else float(since >= 0))
    return 1 - eased((since - enter_s - stay_s) / leave_s if leave_s else 1.0)


def mixed(parts: Sequence[tuple[float, Shape]]) -> Shape:
    """A weighted mean of shapes; what is missing to a weight of one is the face at rest."""
    values = {}
    for field in fields(Shape):
        rest = getattr(SHAPES["STILL"], field.name) or 0.0
        values[field.name] = rest + sum(
            weight * ((getattr(shape, field.name) or 0.0) - rest) for weight, shape in parts
        )
    # Strong speech goes beyond the shapes, but not below darkness.
    values["light"] = max(values["light"], 0.1)
    if values["tongue"] < 0.02:
        values["tongue"] = None
    return Shape(**values)


@functools.lru_cache(maxsize=64)
def _said(words: Words, span: int) -> tuple[tuple[float, str], ...]:
    """When which viseme is reached, in one span; no two equal ones in a row."""
    start, end = words.spans_s[span]
    random = np.random.default_rng((words.seed, span))
    names = list(VISEMES)
    at, last, said = start, "STILL", [(start, "STILL")]
    while True:
        at += float(random.uniform(0.7, 1.5)) / words.per_s
        if at > end - 0.1:
            break
        name = str(random.choice([name for name in names if name != last]))
        said.append((at, name))
        last = name
    said.append((end, "STILL"))
    return tuple(said)


def mouth_at(t_s: float, words: Words | None, grimaces: Sequence[Grimace]) -> Shape | None:
    """The shape of the lips at a time; None where they are at rest."""
    parts: list[tuple[float, Shape]] = []
    for number, (start, end) in enumerate(words.spans_s if words else ()):
        if words is None or not start < t_s < end:
            continue
        said = _said(words, number)
        after = next(i for i, (at, _) in enumerate(said) if at > t_s)
        (t0, first), (t1, second) = said[after - 1], said[after]
        share = eased((t_s - t0) / (t1 - t0))
        parts += [((1 - share) * words.strength, SHAPES[first]), (share * words.strength, SHAPES[second])]
    for grimace in grimaces:
        weight = visit(t_s, grimace.start_s, grimace.change_s, grimace.stay_s, grimace.change_s)
        if weight > 0:
            parts.append((weight, SHAPES[grimace.shape]))
    shape = mixed(parts)
    return None if shape == SHAPES["STILL"] else shape


def eyes_shut_at(t_s: float, blinks_s: Sequence[float]) -> float:
    """How far the lids are down, 0–1: a blink takes a fifth of a second, down faster than up."""
    return max((visit(t_s, at, 0.07, 0.04, 0.12) for at in blinks_s), default=0.0)


def bent(still: Still, mouth: Shape | None, shut: float) -> Pixels:
    """The still with its mouth in a shape and its lids down by *shut*."""
    if mouth is None and shut <= 0:
        return still.pixels
    pixels = still.pixels.copy()
    if mouth is not None:
        left, top, right, bottom = still.box("mouth")
        _bend(
            pixels,
            still,
            # From below the nose to the throat, so that the chin goes down with the jaw.
            (left - 0.35 * EYES_PX, top - 0.2 * EYES_PX, right + 0.35 * EYES_PX, bottom + 0.75 * EYES_PX),
            lambda window, points: speaking(window, points, mouth, _SHARPNESS),
        )
    if shut > 0:
        left, top, right, bottom = still.box("eyes")
        _bend(
            pixels,
            still,
            (left - 0.1 * EYES_PX, top - 0.25 * EYES_PX, right + 0.1 * EYES_PX, bottom + 0.1 * EYES_PX),
            lambda window, points: lidded(window, points, 0.96 * shut),
        )
    return pixels


def _bend(
    pixels: Pixels,
    still: Still,
    window: tuple[float, float, float, float],
    warp: Callable[[Floats, Floats], Floats],
) -> None:
    left, top, right, bottom = (round(value) for value in window)
    points = still.mesh[:, :2] - (left, top)
    bent: Floats = warp(pixels[top:bottom, left:right].astype(np.float64), points)
    pixels[top:bottom, left:right] = np.clip(np.round(bent), 0, 255).astype(np.uint8)
