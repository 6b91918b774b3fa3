"""
A still's lips in the shapes of speech, for films.

An instrument, and none of the product: what films are held to must not change with the sprites that anchord
makes, so these lips are their own.

Lips are moved by thin-plate splines (Bookstein 1989), one for what hangs on the skull and one for what hangs
on the jaw; the teeth are the portrait's own and stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from testing.warp import Floats, Points, everywhere, filled, sampled, smooth, spline

# From the corner on the picture's left to the other, in MediaPipe's face mesh.
_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    Lips of one viseme. Lengths are in widths of the mouth; from nowhere, look right.

    Args:
        width: of the mouth over the portrait's.
        upper, lower: share of the portrait's opening that this lip closes.
        jaw: how far the lower lip goes down.
        lift: how far the upper lip goes up.
        corners: how far the corners come down, out of the smile.
        light: how bright teeth are inside.
        tongue: how high its tip stands in the opening, 0–1; None where it is not seen.
    """

    width: float = 1.0
    upper: float = 0.0
    lower: float = 0.0
    jaw: float = 0.0
    lift: float = 0.0
    corners: float = 0.0
    light: float = 1.0
    tongue: float | None = None


VISEMES = {
    "REST": Shape(width=0.93, upper=0.46, lower=0.56, corners=0.015, light=0.3),
    "AA": Shape(width=0.87, jaw=0.19, lift=0.02, corners=0.055, light=0.82, tongue=0.3),
    "EE": Shape(width=1.0, lower=0.1),
    "OH": Shape(width=0.68, jaw=0.13, corners=0.075, light=0.62, tongue=0.22),
    "OO": Shape(width=0.55, upper=0.4, lower=0.26, jaw=0.03, corners=0.07, light=0.28),
    "FF": Shape(width=0.9, upper=-0.05, lower=0.62, corners=0.025),
    "TH": Shape(width=0.9, upper=0.1, jaw=0.06, corners=0.03, light=0.92, tongue=0.62),
}


def speaking(pixels: Floats, points: Points, shape: Shape, sharpness: float) -> Floats:
    """
    The mouth with its lips in *shape*.

    Args:
        pixels: (height, width, 3) the portrait's mouth, upright.
        points: (478, 2) landmarks in them.
        shape: of the viseme.
        sharpness: pixels here in a pixel of the portrait.
    """
    height, width = pixels.shape[:2]
    outer_upper, outer_lower, inner_upper, inner_lower = (
        points[list(rim)] for rim in (_OUTER_UPPER, _OUTER_LOWER, _INNER_UPPER, _INNER_LOWER)
    )
    corners = outer_upper[[0, -1]]
    middle = corners.mean(axis=0)
    size = float(np.ptp(corners[:, 0]))
    opening = np.maximum(inner_lower[:, 1] - inner_upper[:, 1], 0.0)

    def moved(rim: Points, fall: Floats, closing: Floats) -> Points:
        across = np.clip((rim[:, 0] - middle[0]) / (size / 2), -1, 1)
        narrow = middle[0] + (rim[:, 0] - middle[0]) * shape.width
        # The corners come down with the square of the way to them: a smile is about a parabola.
        return np.stack([narrow, rim[:, 1] + shape.corners * size * across**2 + fall + closing], axis=1)

    bulge = 1 - np.clip((inner_upper[:, 0] - middle[0]) / (size / 2), -1, 1) ** 2
    up, down = -shape.lift * size * bulge, shape.jaw * size * bulge
    to_inner_upper = moved(inner_upper, up, shape.upper * opening)
    to_inner_lower = moved(inner_lower, down, -shape.lower * opening)
    # Lips are soft: their outer rims follow, but less far.
    to_outer_upper = moved(outer_upper, 0.8 * up, 0.4 * shape.upper * opening)
    to_outer_lower = moved(outer_lower, 0.9 * down, -0.45 * shape.lower * opening)
    # The skin at the cell's rim stays, or the sprite's edge would show.
    x, y = np.linspace(0, width, 9), np.linspace(0, height, 7)
    rim = np.array([(a, b) for a in x for b in y if a in (x[0], x[-1]) or b in (y[0], y[-1])])
    skull = spline(
        np.vstack([to_outer_upper, to_inner_upper, rim]), np.vstack([outer_upper, inner_upper, rim])
    )
    jaw = spline(np.vstack([to_outer_lower, to_inner_lower, rim]), np.vstack([outer_lower, inner_lower, rim]))

    grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    left, right = to_outer_upper[0], to_outer_upper[-1]
    line = np.interp(
        grid[0, :, 0],
        np.concatenate([[left[0]], to_inner_upper[:, 0], [right[0]]]),
        np.concatenate([[left[1]], (to_inner_upper[:, 1] + to_inner_lower[:, 1]) / 2, [right[1]]]),
    )
    # Between the corners the lips part at a line; beside them skin passes into skin.
    beside = np.maximum(0, np.maximum(left[0] - grid[..., 0], grid[..., 0] - right[0]))
    lower = smooth((grid[..., 1] - line) / (1.2 + 0.9 * beside) / 2 + 0.5)[..., None]
    where = (1 - lower) * everywhere(skull, grid) + lower * everywhere(jaw, grid)
    face = sampled(pixels, where)

    hole = filled(np.vstack([to_inner_upper, to_inner_lower[::-1]]), (height, width))[..., None]
    inside = _inside(pixels, points, shape, sharpness, grid, to_inner_upper, to_inner_lower)
    return face * (1 - hole) + inside * hole


def _inside(
    pixels: Floats, points: Points, shape: Shape, sharpness: float, grid: Floats, upper: Points, lower: Points
) -> Floats:
    """What is seen between the lips: the portrait's own teeth, the dark behind them, perhaps a tongue."""
    height, width = pixels.shape[:2]
    x, y = grid[..., 0], grid[..., 1]
    top = np.interp(x, upper[:, 0], upper[:, 1])
    bottom = np.maximum(np.interp(x, lower[:, 0], lower[:, 1]), top + 1e-3)
    depth = np.clip((y - top) / (bottom - top), 0, 1)
    middle, half = (upper[0, 0] + upper[-1, 0]) / 2, max((upper[-1, 0] - upper[0, 0]) / 2, 1.0)
    across = np.clip(np.abs(x - middle) / half, 0, 1)
    dark = np.array([52.0, 17, 19]) * (1 - 0.45 * depth[..., None]) + 4

    if shape.tongue is not None:
        tall = float((bottom - top).max())
        centre_y = float(bottom[:, int(middle)].max()) - shape.tongue * tall * 0.35
        reach = ((x - middle) / (0.62 * half)) ** 2 + ((y - centre_y) / (0.55 * shape.tongue * tall + 3)) ** 2
        tongue = smooth(1.6 - reach)[..., None] * 0.9
        flesh = np.array([176.0, 92, 90]) * (1.05 - 0.35 * reach.clip(0, 1)[..., None])
        dark = dark * (1 - tongue) + flesh * tongue

    rim = np.vstack([points[list(_INNER_UPPER)], points[list(_INNER_LOWER)][::-1]])
    teeth = filled(rim, (height, width), soften=1.5)[..., None]
    # The upper lip throws a shadow, and the corners lie in the dark.
    light = shape.light * (0.62 + 0.38 * smooth((y - top) / (5 * sharpness))) * (1 - 0.45 * across**3)
    # In the dark teeth turn warm, never grey: what light there is has been through lips and cheeks.
    warm = light[..., None] ** np.array([0.85, 1.05, 1.25])
    inside: Floats = dark * (1 - teeth) + pixels * warm * teeth
    return inside
