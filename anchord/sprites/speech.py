"""
Real mouths and real shut eyes: which frames show them, and how those are brought onto the reference.

Mouths are known by their width and opening, over what this person's mouth does in this clip: who mumbles
opens less than who sings, and both have an AA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.sprite_set import Viseme
from anchord.sprites.clip import Clip, Shot, joined
from anchord.sprites.warp import Floats, Matrix, Points
from anchord.tracking.faces.mesh import LIPS_INSIDE, LIPS_RIM, PARTS, RIGID
from anchord.tracking.motion import patch, tracker
from anchord.tracking.motion.similarity import Similarities, fitted, points
from anchord.tracking.motion.tracker import Follower
from anchord.tracking.video.player import Pixels

# A head turned by more than this from the reference shows another mouth, degrees.
_TURNED_DEG = 12.0
# Frames of one shape that are averaged, and how alike they are, in distances of the eyes' corners.
_MOST, _ALIKE = 4, 0.03
# A mouth that differs less from the reference's, or from another viseme's, shows nothing new; likewise.
_OTHER = 0.018
# An eye that is open less than this share of what it mostly is counts as shut; half, between these.
_SHUT, _HALF = 0.38, (0.42, 0.68)
# The model's measure of an open eye, 0–1: shut ones are under this.
_BLINKS = 0.55
# A glance by more than this much of the eye's width is no blink.
_SAME_GAZE = 0.08
# Skin that follows: under this share of it the landmarks are the better guess.
_FOLLOWS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """
    What a viseme looks like, in a person's own terms, and what it must be to count.

    Args:
        opening: over the widest this mouth opens.
        width: quantile of this mouth's widths, 0–1.
        lower: share of the lower lip that is seen, over its usual height.
        opens: least and most opening, in relaxed widths.
        widths: least and most width, likewise.
        lowers: least and most height of the lower lip over the usual.
    """

    opening: float
    width: float
    lower: float = 1.0
    opens: tuple[float, float]
    widths: tuple[float, float]
    lowers: tuple[float, float] = (0.0, 9.0)


# The tongue of a TH no landmark shows: it stays drawn.
_TARGETS: dict[Viseme, _Target] = {
    "AA": _Target(opening=1.0, width=0.5, opens=(0.18, 9), widths=(0.88, 1.12)),
    "EE": _Target(opening=0.35, width=0.9, opens=(0.06, 0.25), widths=(1.0, 1.25)),
    "OH": _Target(opening=0.6, width=0.12, opens=(0.08, 0.4), widths=(0.0, 0.94)),
    "OO": _Target(opening=0.2, width=0.02, opens=(0.0, 0.2), widths=(0.0, 0.88)),
    # Shut lips are an M: the upper teeth must be on the lower one.
    "FF": _Target(
        opening=0.12, width=0.5, lower=0.6, opens=(0.015, 0.12), widths=(0.8, 1.06), lowers=(0, 0.75)
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mouths:
    """(n,) opening and width of mouths in relaxed widths, and the lower lip's height over the usual."""

    opening: Floats
    width: Floats
    lower: Floats

    @classmethod
    def of(cls, shots: Sequence[Shot]) -> Mouths:
        """Measured against the same person's mouth at rest."""
        marks = np.array([shot.face.landmarks for shot in shots])

        def apart(a: int, b: int) -> Floats:
            return np.asarray(np.linalg.norm(marks[:, a] - marks[:, b], axis=1))

        across = apart(33, 263)
        width, opening, lower = apart(61, 291) / across, apart(13, 14) / across, apart(14, 17) / across
        shut = opening <= np.quantile(opening, 0.25)
        unit = float(np.median(width[shut]))
        return cls(opening=opening / unit, width=width / unit, lower=lower / float(np.median(lower)))


def spoken(shots: Sequence[Shot], reference: Shot) -> dict[Viseme, list[Shot]]:
    """The best frames of each viseme that the clip shows, the best first."""
    usable = [shot for shot in shots if not shot.hidden and _turned(shot, reference) < _TURNED_DEG]
    if len(usable) < 8:
        return {}
    mouths = Mouths.of(usable)
    widest = max(float(np.quantile(mouths.opening, 0.97)), 1e-6)
    detail = np.array([shot.detail for shot in usable])
    blur = np.maximum(0, 1 - detail / float(np.median(detail)))
    turned = np.array([_turned(shot, reference) for shot in usable]) / _TURNED_DEG
    found: dict[Viseme, list[Shot]] = {}
    is_new = np.array([_unlike(shot, reference) > _OTHER for shot in usable])
    for viseme, target in _TARGETS.items():
        fits = (
            # A lower lip behind the teeth is a small thing, and known by itself.
            (is_new | (target.lower != 1))
            & _within(mouths.opening, target.opens)
            & _within(mouths.width, target.widths)
            & _within(mouths.lower, target.lowers)
        )
        if not fits.any():
            continue
        off = (
            2 * np.abs(mouths.opening / widest - target.opening)
            + 4 * np.abs(mouths.width - np.quantile(mouths.width, target.width))
            + (np.abs(mouths.lower - target.lower) if target.lower != 1 else 0)
        )
        cost = np.where(fits, off + 0.5 * turned + blur, np.inf)
        best = usable[int(np.argmin(cost))]
        order = [usable[i] for i in np.argsort(cost, kind="stable") if np.isfinite(cost[i])]
        found[viseme] = [shot for shot in order if _unlike(shot, best) < _ALIKE][:_MOST]
        is_new &= [_unlike(shot, best) > _OTHER for shot in usable]
    return found


def blinks(shots: Sequence[Shot], reference: Shot) -> dict[str, list[Shot]]:
    """Frames with shut and half shut eyes, where there are some: the best one of each."""
    usable = [shot for shot in shots if not shot.hidden and _turned(shot, reference) < _TURNED_DEG]
    if not usable:
        return {}
    open_ = np.array([_lids(shot) for shot in usable])
    open_ = open_ / max(float(np.quantile(open_, 0.7)), 1e-6)
    found = {}
    shut = int(np.argmin(open_))
    # Behind lenses landmarks alone are sometimes fooled; the model's own word for a blink is the other half.
    if open_[shut] < _SHUT and max(usable[shut].face.signals[1:]) < _BLINKS:
        found["closed"] = [usable[shut]]
        looks = np.array([_gaze(shot) - _gaze(reference) for shot in usable])
        straight = np.abs(looks).max(axis=1) < _SAME_GAZE
        between = np.flatnonzero((open_ > _HALF[0]) & (open_ < _HALF[1]) & straight)
        if len(between):
            found["half"] = [usable[int(between[np.argmin(np.abs(open_[between] - 0.5))])]]
    return found


def _within(values: Floats, bounds: tuple[float, float]) -> NDArray[np.bool_]:
    return np.asarray((values >= bounds[0]) & (values <= bounds[1]))


def _lids(shot: Shot) -> float:
    """How far the wider of both eyes is open."""
    marks = shot.face.landmarks
    return float(np.linalg.norm(marks[[159, 386]] - marks[[145, 374]], axis=1).max()) / shot.eyes_px


def _gaze(shot: Shot) -> Floats:
    """(2,) where each iris is between the corners of its eye, 0–1, sideways."""
    marks = shot.face.landmarks
    found = []
    for iris, one, other in ((468, 33, 133), (473, 362, 263)):
        way = marks[other] - marks[one]
        found.append(float((marks[iris] - marks[one]) @ way / (way @ way)))
    return np.array(found)


def _turned(shot: Shot, other: Shot) -> float:
    """How differently two heads are turned, degrees; roll is taken out anyway."""
    return float(np.abs(np.subtract(shot.face.pose[:2], other.face.pose[:2])).max())


def _unlike(shot: Shot, other: Shot) -> float:
    rim = list(LIPS_RIM + LIPS_INSIDE)
    here, there = points(shot.face.landmarks), points(other.face.landmarks)
    to = fitted(there[list(RIGID)], here[list(RIGID)])
    return float(np.sqrt((np.abs(to.of(there[rim]) - here[rim]) ** 2).mean())) / shot.eyes_px


def followed(part: str, reference: tuple[Pixels, Points], other: tuple[Pixels, Points]) -> Matrix:
    """
    From px of the reference's video to px of another one: by the skin around a part, else by the landmarks.

    Args:
        part: "mouth" or "eyes".
        reference: a frame, and its (478, 2) landmarks.
        other: likewise, of the same person in any video.
    """
    rigid = list(RIGID)
    motion: Similarities = fitted(points(reference[1])[rigid], points(other[1])[rigid])
    follower = Follower(PARTS[part])
    for pixels, landmarks in (reference, other):
        follower.add(tracker.close_up(pixels, landmarks), landmarks)
    if follower.links and follower.links[-1].agree >= _FOLLOWS:
        motion = follower.links[-1].motion
    return patch.matrix(motion)


def onto(clip: Clip, matrix: Matrix, motion: Matrix) -> Matrix:
    """From px of the reference's cut, whose *matrix* leads to target px, to px of the other video."""
    return joined(motion, clip.to_video(matrix))
