"""
Moving, blurring and packing pixels. The only room of this wing that knows OpenCV.

Coordinates count from a picture's edge, so that the first pixel's middle is at a half.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

#: (n, 2) float64, pixels.
Points: TypeAlias = NDArray[np.float64]
#: Floating point numbers of any shape; pixels are 0–255, red first.
Floats: TypeAlias = NDArray[np.floating]
#: (2, 3) float64.
Matrix: TypeAlias = NDArray[np.float64]
Move: TypeAlias = Callable[[Floats], Floats]


def spline(at: Points, to: Points) -> Move:
    """
    The smoothest map with *at* -> *to*, as a function of (..., 2) points.

    Source: thin-plate splines, Bookstein 1989.
    """
    # Rims share their corners, and a point twice has no solution.
    _, first = np.unique(at.round(3), axis=0, return_index=True)
    at, to = at[first], to[first]
    n = len(at)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _bend(at, at)
    system[:n, n:] = np.hstack([np.ones((n, 1)), at])
    system[n:, :n] = system[:n, n:].T
    # A trace of slack, where two landmarks lie on one another and are sent apart.
    system[:n, :n] += 1e-3 * np.eye(n)
    weights = np.linalg.solve(system, np.vstack([to - at, np.zeros((3, 2))]))

    def moved(points: Floats) -> Floats:
        flat = points.reshape(-1, 2)
        shift = _bend(flat, at) @ weights[:n] + np.hstack([np.ones((len(flat), 1)), flat]) @ weights[n:]
        return np.asarray((flat + shift).reshape(points.shape))

    return moved


def _bend(a: Floats, b: Floats) -> Floats:
    squared = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))


def everywhere(move: Move, grid: Floats) -> Floats:
    """*move* over a whole *grid* of (height, width, 2), worked out at every 4th point: it is smooth."""
    height, width = grid.shape[:2]
    rows, columns = -(-height // 4), -(-width // 4)
    coarse = np.stack(
        np.meshgrid((np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows),
        axis=-1,
    )
    return np.asarray(
        grid + cv2.resize(move(coarse) - coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    )


def grid_of(size: tuple[int, int]) -> Floats:
    """(height, width, 2) the middles of the pixels of a picture of *size* (width, height)."""
    return np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), axis=-1)


def sampled(pixels: Floats, where: Floats) -> Floats:
    """*pixels* at *where*, (height, width, 2)."""
    at = (where - 0.5).astype(np.float32)
    return np.asarray(
        cv2.remap(
            pixels.astype(np.float32),
            at[..., 0],
            at[..., 1],
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def cut_out(
    pixels: NDArray[np.uint8], matrix: Matrix, size: tuple[int, int], *, outside: int | None = None
) -> Floats:
    """
    (height, width, 3) the part of a picture that *matrix* leads to.

    Args:
        pixels: (height, width, 3) uint8.
        matrix: from pixels of the cut to pixels of the picture.
        size: (width, height) of the cut.
        outside: the colour beyond the picture; its edge, if None.
    """
    matrix = matrix.copy()
    shrink = int(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrink > 1:
        # Whoever takes every third pixel sees a pattern that is not there.
        pixels = np.asarray(
            cv2.resize(
                pixels,
                (max(1, pixels.shape[1] // shrink), max(1, pixels.shape[0] // shrink)),
                interpolation=cv2.INTER_AREA,
            ),
            np.uint8,
        )
        matrix /= shrink
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    found = cv2.warpAffine(
        pixels,
        matrix,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT,
        borderValue=(outside or 0,) * 3,
    )
    return np.asarray(found, np.float32)


def resized(pixels: Floats, size: tuple[int, int]) -> Floats:
    """A picture brought to *size* (width, height)."""
    shrinks = size[0] < pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels.astype(np.float32), size, interpolation=how))


def blurred(values: Floats, sigma: float) -> Floats:
    """A Gaussian's mean around each pixel; *sigma* in pixels."""
    if sigma <= 0:
        return values
    return np.asarray(
        cv2.GaussianBlur(values.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    )


def filled(polygon: Points, size: tuple[int, int], soften: float = 0.9) -> Floats:
    """1 inside *polygon*, 0 outside, in a picture of *size* (width, height)."""
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round((polygon - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return blurred(mask.astype(np.float32) / 255, soften)


def hull(points: Points) -> Points:
    """(k, 2) the smallest outline without dents around points."""
    return np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0], np.float64)


def depth_inside(mask: NDArray[np.bool_]) -> Floats:
    """How far each pixel lies inside *mask*, px; 0 outside."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5))


def smooth(value: Floats) -> Floats:
    """0 below 0, 1 above 1, and a soft way between."""
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped))


def grey(pixels: Floats) -> Floats:
    """How bright each pixel is, 0–255."""
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114], np.float32))


def labelled(pixels: NDArray[np.uint8], text: str) -> None:
    """Write *text* into the upper left corner of a picture, in place."""
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(pixels, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, width, cv2.LINE_AA)


def packed(pixels: Floats) -> bytes:
    """A picture of one, three or four channels, 0–255, as PNG."""
    whole = np.clip(np.round(pixels), 0, 255).astype(np.uint8)
    if whole.ndim == 3:
        order = cv2.COLOR_RGBA2BGRA if whole.shape[2] == 4 else cv2.COLOR_RGB2BGR
        whole = np.asarray(cv2.cvtColor(whole, order), np.uint8)
    done, content = cv2.imencode(".png", whole, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise MemoryError
    return bytes(content)
