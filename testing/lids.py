"""A still's eyes with their lids let down, for films; an instrument like ``lips``."""

from __future__ import annotations

import cv2
import numpy as np

from testing.warp import Floats, Points, sampled

# Upper and lower rim of an opening, from the picture's left to its right.
_LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)


def lidded(pixels: Floats, points: Points, closed: float) -> Floats:
    """Eyes, with their landmarks, with the upper lids let down to *closed* (0–1) of the opening."""
    height, width = pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    from_y = y.copy()
    shade = np.ones_like(y)
    for upper_rim, lower_rim in _LIDS:
        upper, lower = points[list(upper_rim)], points[list(lower_rim)]
        left, right = upper[0, 0], upper[-1, 0]
        eye_height = float((lower[:, 1] - upper[:, 1]).max())
        lid = _curve(x[0], upper)
        floor = np.maximum(_curve(x[0], lower), lid)
        edge = lid + closed * (floor - lid)
        # The lashes' line travels with the lid; what is stretched is the skin between them and the crease.
        lashes = lid - 0.22 * eye_height
        crease = lid - 0.75 * eye_height
        edge_lashes = edge - 0.22 * eye_height
        is_eye = (x > left) & (x < right) & (closed > 0)
        on_lid = is_eye & (y > crease) & (y <= edge_lashes)
        on_lashes = is_eye & (y > edge_lashes) & (y <= edge)
        stretched = crease + (y - crease) * (lashes - crease) / np.maximum(edge_lashes - crease, 1e-3)
        from_y = np.where(on_lid, stretched, np.where(on_lashes, y - (edge - lid), from_y))
        # A lid is round: it catches light in its middle and turns away from it at the lashes.
        along = np.clip((y - crease) / np.maximum(edge - crease, 1e-3), 0, 1)
        drawn = np.clip((edge - lid) / eye_height, 0, 1)
        shade = np.where(on_lid, 1 + drawn * (0.05 * np.sin(np.pi * along) - 0.07 * along**4), shade)
    lidded = sampled(pixels, np.stack([x, from_y], axis=-1)) * shade[..., None]
    # The seam between stretched and still skin is a line of one pixel; soften it and nothing else.
    changed = cv2.GaussianBlur((np.abs(from_y - y) > 0.3).astype(np.float64), (0, 0), 1.2)[..., None]
    soft = cv2.GaussianBlur(lidded, (0, 0), 0.7)
    mixed: Floats = lidded * (1 - changed) + soft * changed
    return mixed


def _curve(x: Floats, rim: Points) -> Floats:
    """Height of a lid at *x*: the parabola-like polynomial through its rim, which landmarks only hint at."""
    middle, half = (rim[0, 0] + rim[-1, 0]) / 2, (rim[-1, 0] - rim[0, 0]) / 2
    chord = np.interp(x, [rim[0, 0], rim[-1, 0]], [rim[0, 1], rim[-1, 1]])
    u = (rim[:, 0] - middle) / half
    v = np.clip((x - middle) / half, -1, 1)
    rise = rim[:, 1] - np.interp(rim[:, 0], [rim[0, 0], rim[-1, 0]], [rim[0, 1], rim[-1, 1]])
    basis = np.stack([1 - u**2, (1 - u**2) * u, (1 - u**2) * u**2], axis=1)
    fitted = np.linalg.lstsq(basis, rise, rcond=None)[0]
    result: Floats = chord + np.stack([1 - v**2, (1 - v**2) * v, (1 - v**2) * v**2], axis=1) @ fitted
    return result
