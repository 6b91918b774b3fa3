"""
A head that turns and nods: the still bent over the depth of its own face mesh.

The mesh's depth says how far in front of the head's rim each point of the face is; a turn moves it by its
depth times the sine of the angle. At the rim that is nothing, so the outline, the hair and the background
stay, as those of a head that turns about its own axis nearly do.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from anchord.tracking.faces.mesh import OVAL
from testing.stills import STILL_SIZE, Floats, still

# The field is kept for every 4th pixel: it is smooth.
_STEP = 4
# How wide the mesh's depth is smeared, px: less, and noses fold over cheeks at 25 degrees.
_SMEAR = 20.0
# Steps towards the inverse of the field; each halves at least what is missing.
_STEPS = 14


class Turn:
    """
    Where points of a still go when the head turns.

    Args:
        who: the person.
        yaw_deg: to the picture's right.
        pitch_deg: downwards.
    """

    def __init__(self, who: str, yaw_deg: float, pitch_deg: float) -> None:
        depth, share, middle = _depth(who)
        yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
        y, x = np.mgrid[: depth.shape[0], : depth.shape[1]] * float(_STEP)
        # Rotation of (x, y, depth) about the head's middle, seen from far away; the rim's share of the
        # foreshortening is none, else the whole picture would be squeezed.
        dx = depth * np.sin(yaw) + share * (x - middle[0]) * (np.cos(yaw) - 1)
        dy = depth * np.sin(pitch) + share * (y - middle[1]) * (np.cos(pitch) - 1)
        self._forward = np.stack([dx, dy], axis=-1).astype(np.float32)

    def moved(self, points: Floats) -> Floats:
        """Where points (n, 2) of the still at rest are seen."""
        return points + _read(self._forward, points)

    def inverse(self) -> Floats:
        """(h, w, 2) for every 4th pixel of the turned still: from there to where its pixels are at rest."""
        y, x = np.mgrid[: self._forward.shape[0], : self._forward.shape[1]] * float(_STEP)
        there = np.stack([x, y], axis=-1).reshape(-1, 2)
        back = -_read(self._forward, there)
        for _ in range(_STEPS):
            back = -_read(self._forward, there + back)
        return back.reshape(*self._forward.shape)


def read_at(field: Floats, points: Floats) -> Floats:
    """A field of ``Turn.inverse`` at any points (..., 2) of the still."""
    return _read(field.astype(np.float32), points.reshape(-1, 2)).reshape(points.shape)


def _read(field: Floats, points: Floats) -> Floats:
    at = (points / _STEP).astype(np.float32)[None]
    # OpenCV's remap reads at 1/32 of a pixel only: that would be seen in the truth.
    x, y = np.floor(at[0, :, 0]), np.floor(at[0, :, 1])
    height, width = field.shape[:2]
    x0 = np.clip(x, 0, width - 2).astype(int)
    y0 = np.clip(y, 0, height - 2).astype(int)
    u = np.clip(at[0, :, 0] - x0, 0, 1)[:, None]
    v = np.clip(at[0, :, 1] - y0, 0, 1)[:, None]
    top = field[y0, x0] * (1 - u) + field[y0, x0 + 1] * u
    low = field[y0 + 1, x0] * (1 - u) + field[y0 + 1, x0 + 1] * u
    return np.asarray(top * (1 - v) + low * v, np.float64)


@functools.lru_cache(maxsize=16)
def _depth(who: str) -> tuple[Floats, Floats, Floats]:
    """For every 4th pixel: px in front of the head's rim; 1 in the face and 0 outside. And the middle."""
    mesh = still(who).mesh
    rim = mesh[list(OVAL)]
    middle = rim[:, :2].mean(axis=0)
    # The rim is widened: hair and ears turn too, and the way from face to background is long enough to
    # be bent without folds.
    wide = middle + (rim[:, :2] - middle) * 1.35
    outside = np.concatenate([wide, middle + (rim[:, :2] - middle) * 1.7])
    known = np.vstack(
        [
            np.column_stack([mesh[:, :2], np.median(rim[:, 2]) - mesh[:, 2]]),
            np.column_stack([outside, np.zeros(len(outside))]),
        ]
    )
    columns, rows = STILL_SIZE[0] // _STEP, STILL_SIZE[1] // _STEP
    y, x = np.mgrid[:rows, :columns] * float(_STEP)
    total, weight = np.zeros_like(x), np.full_like(x, 1e-9)
    inside = np.zeros_like(x)
    for px, py, z in known:
        pull = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * _SMEAR**2))
        total += pull * z
        weight += pull
    # Outside of all points nothing pulls, and nothing shall.
    depth = np.where(weight > 1e-4, total / weight, 0.0)
    mask = np.zeros((rows, columns), np.float32)
    cv2.fillPoly(mask, [np.round(wide / _STEP).astype(np.int32)], 1.0)
    inside = cv2.GaussianBlur(mask, (0, 0), 9)
    depth = cv2.GaussianBlur(np.maximum(depth, 0) * inside, (0, 0), 2.5)
    return np.asarray(depth, np.float64), np.asarray(inside, np.float64), middle
