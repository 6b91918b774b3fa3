"""
Landmarks of a whole clip into mouth and eyes anchors. Pure.

The face is taken for a rigid plate that moves by similarities (shift, turn, scale). A part's tight
box is measured once, in the plate's own frame over the whole clip, and carried along; so a blink or
an open mouth neither moves an anchor nor changes its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: (n, 2) float64, pixels.
Points = NDArray[np.float64]
#: (n, 478, 2) float64, pixels.
Clip = NDArray[np.float64]
#: (n, 4) float64: scale times cosine, scale times sine, shift x, shift y.
Similarities = NDArray[np.float64]

# Indices into MediaPipe's face mesh: the outer and inner rim of the lips, and the rims of both
# openings. Source: face_mesh_connections.py in the MediaPipe repository.
LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
PARTS = {"mouth": LIPS, "eyes": RIGHT_EYE + LEFT_EYE}

# What moves with the skull alone: nose, forehead, temples, cheekbones and the corners of the eyes.
RIGID = (
    1, 2, 4, 5, 6, 8, 9, 10, 19, 33, 44, 45, 48, 64, 67, 94, 97, 98, 103, 109, 115, 122, 127, 129, 133,
    151, 162, 168, 193, 195, 196, 197, 220, 234, 235, 240, 244, 245, 263, 274, 275, 278, 294, 297, 326,
    327, 332, 338, 344, 351, 356, 358, 362, 389, 417, 419, 440, 454, 455, 460, 464, 465,
)  # fmt: skip

Fit = Literal["contain", "cover", "fill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a video lies in the target: target = video * scale + offset, per axis."""

    scale: tuple[float, float]
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTrack:
    """
    One part's anchor over n samples, in target pixels.

    Args:
        centre: (n, 2) where the overlay is pinned.
        size: (n, 2) width and height, padding included.
        roll: (n,) degrees clockwise, without jumps of a full turn.
    """

    centre: Points
    size: Points
    roll: NDArray[np.float64]


def placement(video: tuple[int, int], target: tuple[int, int], fit: Fit) -> Placement:
    """How a video of (width, height) is drawn into a target of (width, height)."""
    ratios = (target[0] / video[0], target[1] / video[1])
    if fit == "fill":
        return Placement(scale=ratios, offset=(0.0, 0.0))
    scale = min(ratios) if fit == "contain" else max(ratios)
    offset = ((target[0] - scale * video[0]) / 2, (target[1] - scale * video[1]) / 2)
    return Placement(scale=(scale, scale), offset=offset)


def plate_motion(clip: Clip) -> tuple[Points, Similarities]:
    """
    The mean face in its own upright frame, and the similarity that puts it into each sample.

    Generalised Procrustes analysis over the rigid landmarks (Gower 1975).

    Returns:
        (478, 2) the mean face with level eyes, about the size and place of the median face;
        (n, 4) plate to sample pixels.
    """
    reference = clip[len(clip) // 2]
    for _ in range(3):
        back = inverse(fit_similarities(reference[list(RIGID)], clip[:, RIGID]))
        reference = np.median(
            np.stack([apply(m, points) for m, points in zip(back, clip, strict=True)]), axis=0
        )
    level = _levelled(reference)
    return level, fit_similarities(level[list(RIGID)], clip[:, RIGID])


def fit_similarities(plate: Points, clip: Clip) -> Similarities:
    """Least-squares similarities from *plate* (k, 2) to each of *clip* (n, k, 2)."""
    middle = plate.mean(axis=0)
    p = plate - middle
    middles = clip.mean(axis=1)
    q = clip - middles[:, None]
    power = (p**2).sum()
    a = (p * q).sum(axis=(1, 2)) / power
    b = (p[:, 0] * q[..., 1] - p[:, 1] * q[..., 0]).sum(axis=1) / power
    x = middles[:, 0] - (a * middle[0] - b * middle[1])
    y = middles[:, 1] - (b * middle[0] + a * middle[1])
    return np.stack([a, b, x, y], axis=1)


def inverse(motion: Similarities) -> Similarities:
    """The similarities that undo *motion*."""
    a, b, x, y = motion.T
    power = a**2 + b**2
    return np.stack([a / power, -b / power, -(a * x + b * y) / power, (b * x - a * y) / power], axis=1)


def apply(similarity: NDArray[np.float64], points: Points) -> Points:
    """One similarity (4,) applied to points (k, 2)."""
    a, b, x, y = similarity
    moved: Points = points @ np.array([[a, b], [-b, a]]) + (x, y)
    return moved


def anchor_track(
    plate: Points, motion: Similarities, part: Sequence[int], padding: float, where: Placement
) -> AnchorTrack:
    """
    The anchor of the landmarks *part* of the *plate*, carried by *motion* and placed in the target.

    Args:
        plate: (478, 2) the mean face in its own frame.
        motion: (n, 4) plate to video pixels.
        part: indices of landmarks whose tight box counts.
        padding: box over tight box.
        where: video to target pixels.
    """
    low, high = plate[list(part)].min(axis=0), plate[list(part)].max(axis=0)
    middle, size = (low + high) / 2, (high - low) * padding
    scale, offset = np.array(where.scale), np.array(where.offset)
    a, b = motion[:, 0], motion[:, 1]
    centre = np.stack([apply(m, middle[None])[0] for m in motion])
    return AnchorTrack(
        centre=centre * scale + offset,
        size=np.hypot(a, b)[:, None] * size * scale,
        roll=np.degrees(np.unwrap(np.arctan2(b * scale[1], a * scale[0]))),
    )


def _levelled(face: Points) -> Points:
    """The face turned about its middle until the line through the eyes is level."""
    across = face[list(LEFT_EYE)].mean(axis=0) - face[list(RIGHT_EYE)].mean(axis=0)
    angle = -np.arctan2(across[1], across[0])
    middle = face.mean(axis=0)
    cos, sin = np.cos(angle), np.sin(angle)
    level: Points = (face - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    return level
