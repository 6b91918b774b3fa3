"""Moving pixels of a still smoothly, for films. Pure."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: (n, 2) float64, pixels.
Points = NDArray[np.float64]
#: float64, any shape.
Floats = NDArray[np.float64]


def spline(at: Points, to: Points) -> Any:
    """The smoothest map with *at* -> *to*: a thin-plate spline, as a function of (..., 2) points."""
    # Rims share their corners, and a point twice has no solution.
    _, first = np.unique(at.round(3), axis=0, return_index=True)
    at, to = at[first], to[first]
    n = len(at)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _bend(at, at)
    system[:n, n:] = np.hstack([np.ones((n, 1)), at])
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.vstack([to - at, np.zeros((3, 2))]))

    def moved(points: Floats) -> Floats:
        flat = points.reshape(-1, 2)
        shift = _bend(flat, at) @ weights[:n] + np.hstack([np.ones((len(flat), 1)), flat]) @ weights[n:]
        result: Floats = (flat + shift).reshape(points.shape)
        return result

    return moved


def everywhere(move: Any, grid: Floats) -> Floats:
    """*move* over a whole *grid* of (height, width, 2), worked out at every 4th point: it is smooth."""
    height, width = grid.shape[:2]
    rows, columns = -(-height // 4), -(-width // 4)
    coarse = np.stack(
        np.meshgrid((np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows),
        axis=-1,
    )
    shift: Floats = cv2.resize(move(coarse) - coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return grid + shift


def _bend(a: Points, b: Points) -> Floats:
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    bend: Floats = squared * np.log(np.maximum(squared, 1e-12))
    return bend


def sampled(pixels: Floats, where: Floats) -> Floats:
    """*pixels* at *where*, (height, width, 2) in pixels whose middles are at a half."""
    at = (where - 0.5).astype(np.float32)
    result: Floats = cv2.remap(
        pixels, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return result


def filled(polygon: Points, size: tuple[int, int], soften: float = 0.9) -> Floats:
    """1 inside *polygon*, 0 outside, in a picture of *size* (height, width)."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.round((polygon - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    blurred: Floats = cv2.GaussianBlur(mask.astype(np.float64) / 255, (0, 0), soften)
    return blurred


def smooth(value: Floats) -> Floats:
    """0 below 0, 1 above 1, and a soft way between."""
    clipped = np.clip(value, 0, 1)
    result: Floats = clipped * clipped * (3 - 2 * clipped)
    return result
