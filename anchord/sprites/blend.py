"""How much of a sprite shows at each pixel, and whether its edge does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from anchord.sprites.lids import RIMS
from anchord.sprites.warp import Floats, Points, blurred, depth_inside, filled, grey, grid_of, hull, smooth

# Lips are covered and so much around them, then the mask fades, both in distances of the eyes' corners.
_COVERED, _FADES = 0.07, 0.13
# What moves with every word: the skin between the lower lip and the chin.
_NEAR = (18, 83, 313, 200)
_NOSTRILS = (2, 97, 326)

# A step this much above what the skin has by itself is seen; below so many grey levels none is.
_SEEN_OVER_TEXTURE, _SEEN_LEAST = 2.0, 4.0


def mouth_mask(
    points: Points, ovals: Iterable[Points], rims: Iterable[Points], size: tuple[int, int]
) -> Floats:
    """
    (height, width) 0–1: the mouth and the skin around it, inside the face in every frame of the clip.

    Args:
        points: (478, 2) landmarks in the cut.
        ovals: the face's outline, in frames spread over the clip.
        rims: lips as they lie in the clip and in every viseme: all of them must be covered.
        size: (width, height) of the cut.
    """
    y = grid_of(size)[..., 1]
    eyes_px = float(np.linalg.norm(points[263] - points[33]))
    within = filled(hull(np.vstack([*rims, points[list(_NEAR)]])), size, 0) > 0.5
    beyond = depth_inside(~within)
    mask = 1 - smooth((beyond / eyes_px - _COVERED) / _FADES)
    # Nostrils are none of the mouth's business.
    nose = float(points[list(_NOSTRILS), 1].max())
    mask = mask * smooth((y - nose) / (0.07 * eyes_px) + 0.4)
    inside = np.ones(size[::-1], bool)
    for oval in ovals:
        inside &= filled(oval, size, 0) > 0.5
    return np.asarray(mask * smooth(depth_inside(inside) / (0.14 * eyes_px) - 0.15))


def edge_of(mask: Floats, rims: Points) -> Points:
    """
    (n, 2) points along the outer edge of a mask: what lies there must not move.

    Args:
        mask: (height, width) 0–1.
        rims: (k, 2) where lips go; an edge that is nearer to them than skin could stretch is left out.
    """
    height, width = mask.shape
    ys, xs = np.nonzero(mask > 0.5)
    middle = np.array([xs.mean(), ys.mean()]) if len(xs) else np.array([width / 2, height / 2])
    found = []
    for angle in np.linspace(0, 2 * np.pi, 28, endpoint=False):
        way = np.array([np.cos(angle), np.sin(angle)])
        steps = middle + np.arange(max(width, height))[:, None] * way
        at = np.clip(steps.astype(int), 0, (width - 1, height - 1))
        beyond = np.flatnonzero(mask[at[:, 1], at[:, 0]] < 0.06)
        found.append(steps[beyond[0] if len(beyond) else -1])
    edge = np.clip(np.array(found), 0, (width, height)).astype(np.float64)
    away = np.linalg.norm(edge[:, None] - rims[None], axis=2).min(axis=1)
    far = edge[away > 0.5 * float(np.median(away))]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    return np.vstack([far, corners])


def eyes_mask(points: Points, size: tuple[int, int]) -> Floats:
    """(height, width) 0–1: both openings, their lashes and lids, and no more."""
    x, y = np.moveaxis(grid_of(size), -1, 0)
    mask = np.zeros(size[::-1])
    for upper_rim, lower_rim in RIMS:
        rim = np.vstack([points[list(upper_rim)], points[list(lower_rim)]])
        middle = (rim.min(axis=0) + rim.max(axis=0)) / 2
        w, h = np.ptp(rim, axis=0)
        up, down = 0.5 * h + 0.30 * w * 0.5 + 1, 0.5 * h + 0.22 * w * 0.5 + 1
        reach = (np.abs(x - middle[0]) / (0.62 * w)) ** 2.5 + (
            np.abs(y - middle[1]) / np.where(y < middle[1], up, down)
        ) ** 2.5
        mask = np.maximum(mask, smooth((1 - reach) * 2.6))
    return mask


def seam(sprite: Floats, mask: Floats, frames: Sequence[Floats], wide: float) -> tuple[float, float]:
    """
    How much a sprite's edge shows: its step of colour, and what the skin has there by itself, grey levels.

    Args:
        sprite: (height, width, 3).
        mask: (height, width) 0–1.
        frames: other frames of the clip, brought onto the reference: what a page draws it on.
        wide: how far the eye looks, px.
    """
    edge = np.hypot(*np.gradient(mask))
    if not edge.any():
        return 0.0, 0.0
    steps, textures = [], []
    for frame in frames:
        # Where the mask changes fast and the two differ, there is an edge that was not in the face.
        off = np.abs(blurred(grey(sprite - frame), 0.3 * wide))
        steps.append(float(np.average(off, weights=edge)))
        own = np.abs(grey(frame) - blurred(grey(frame), wide))
        textures.append(float(np.average(own, weights=edge)))
    worst = int(np.argmax(steps))
    return steps[worst], textures[worst]


def is_seen(step: float, texture: float) -> bool:
    """Whether a person would see it."""
    return step > max(_SEEN_LEAST, _SEEN_OVER_TEXTURE * texture)
