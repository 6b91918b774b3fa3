"""The light on the skin, for a compositor that wants to match an overlay to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.mesh import CHEEKS, EYE_CORNERS, Landmarks

Floats = NDArray[np.float64]

# Half a side of the squares that are averaged, in distances of the eyes' corners.
_HALF_SIDE = 0.06


def skin_colour(pixels: NDArray[np.uint8], landmarks: Landmarks) -> Floats:
    """
    Mean red, green and blue of the cheeks, 0–255.

    Args:
        pixels: (height, width, 3) uint8.
        landmarks: (478, 2) in its pixels.
    """
    right, left = landmarks[list(EYE_CORNERS)]
    half = max(1.0, _HALF_SIDE * float(np.linalg.norm(left - right)))
    squares = [_square(pixels, landmarks[index], half) for index in CHEEKS]
    seen = [square for square in squares if square.size]
    if not seen:
        return np.full(3, 128.0)
    colour: Floats = np.mean([square.reshape(-1, 3).mean(axis=0) for square in seen], axis=0)
    return colour


def relative(colours: Sequence[Floats]) -> Floats:
    """(n, 3): each sample's colour over the clip's mean."""
    if not colours:
        return np.zeros((0, 3))
    all_colours = np.maximum(np.array(colours), 1.0)
    shares: Floats = all_colours / all_colours.mean(axis=0)
    return shares


def _square(pixels: NDArray[np.uint8], middle: Floats, half: float) -> NDArray[np.uint8]:
    left, top = np.maximum(np.floor(middle - half), 0).astype(int).tolist()
    right, bottom = np.ceil(middle + half).astype(int).tolist()
    return pixels[top : max(bottom, 0), left : max(right, 0)]
