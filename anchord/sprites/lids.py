"""
The reference's own eyes, shut.

A lid is skin of its surroundings drawn over the eye: its colours run from the skin above the lashes to that
below, so that nothing of a brow or of glasses is pulled along; the lashes are the eye's own, taken down.
"""

from __future__ import annotations

import numpy as np

from anchord.sprites.warp import Floats, Points, blurred, grid_of, sampled, smooth

# Upper and lower rim of an opening, from the picture's left to its right.
RIMS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
#: State -> how far the upper lid comes down, 0–1; the lower one comes up to meet it.
CLOSED = {"open": 0.0, "half": 0.5, "closed": 0.93}
# Lids' skin is looked for this far from the lashes, in heights of the opening.
_ABOVE, _BELOW = 0.55, 0.38
_LASHES = 0.20
_DARKEST = 0.8


def lidded(pixels: Floats, points: Points, closed: float) -> Floats:
    """
    Eyes with their upper lids let down.

    Args:
        pixels: (height, width, 3) the eyes' cut.
        points: (478, 2) landmarks in it.
        closed: share of the opening that is covered.
    """
    if closed == 0:
        return pixels
    result = pixels
    for upper_rim, lower_rim in RIMS:
        result = _one(result, points[list(upper_rim)], points[list(lower_rim)], closed)
    return result


def _one(pixels: Floats, upper: Points, lower: Points, closed: float) -> Floats:
    height, width = pixels.shape[:2]
    grid = grid_of((width, height))
    x, y = grid[..., 0], grid[..., 1]
    tall = max(float((lower[:, 1] - upper[:, 1]).max()), 1.0)
    left, right = float(upper[0, 0]), float(upper[-1, 0])
    u = np.clip((grid[0, :, 0] - left) / (right - left), 0, 1)
    lid = curve(grid[0, :, 0], upper)
    floor = np.maximum(curve(grid[0, :, 0], lower), lid)
    edge = lid + closed * (floor - lid)
    ends = np.sin(np.pi * u) ** 0.35
    above = _row(pixels, lid - _ABOVE * tall * ends, tall)
    below = _row(pixels, floor + _BELOW * tall * ends, tall)
    # Thick glasses and low brows come near to the lashes: a lid is hardly darker than the skin below the eye.
    above = np.maximum(above, _DARKEST * below)
    # From the skin above to a lid in the light, and darker again where it turns to the lashes.
    along = np.clip((y - lid) / np.maximum(edge - lid, 1e-3), 0, 1)[..., None]
    skin = above * (1 - 0.35 * along) + below * (0.35 * along)
    round_ = 1 + 0.03 * np.sin(np.pi * along) - 0.10 * along**5
    grain = pixels - blurred(pixels, 1.2)
    texture = sampled(grain, np.stack([x, np.clip(2 * (lid - _ABOVE * tall) - y, 0, height - 1)], axis=-1))
    covered = skin * round_ + texture
    # The lashes travel with the lid: what is dark right above the eye, from its own surroundings down.
    fall = edge - lid
    moved = sampled(pixels, np.stack([x, y - fall], axis=-1))
    dark = np.clip(moved - blurred(np.broadcast_to(above, pixels.shape), 1), -90, 0)
    lashes = smooth(1 - np.abs(y - edge) / (_LASHES * tall + 1))[..., None]
    covered = covered + dark * lashes
    soft = 0.05 * tall + 0.6
    is_eye = smooth((x - left) / (0.10 * (right - left))) * smooth((right - x) / (0.10 * (right - left)))
    from_above = smooth((y - lid + 0.45 * tall) / (0.35 * tall))
    to_edge = smooth((edge + 0.06 * tall - y) / (2 * soft) + 0.5)
    share = (is_eye * from_above * to_edge)[..., None]
    return np.asarray(pixels * (1 - share) + covered * share)


def _row(pixels: Floats, at: Floats, tall: float) -> Floats:
    """(1, width, 3) the skin along a line: the middle of what lies about it, and no lash or rim."""
    height, width = pixels.shape[:2]
    rows = [np.clip(at + share * tall, 0, height - 1) for share in (-0.10, -0.05, 0.0, 0.05, 0.10)]
    where = np.stack([np.broadcast_to(np.arange(width) + 0.5, (len(rows), width)), np.array(rows)], axis=-1)
    found = np.median(sampled(blurred(pixels, 0.8), where), axis=0)[None]
    return blurred(np.asarray(found), 0.35 * tall)


def curve(x: Floats, rim: Points) -> Floats:
    """Height of a lid at *x*: the parabola-like polynomial through its rim, which landmarks only hint at."""
    middle, half = (rim[0, 0] + rim[-1, 0]) / 2, (rim[-1, 0] - rim[0, 0]) / 2
    chord = np.interp(x, [rim[0, 0], rim[-1, 0]], [rim[0, 1], rim[-1, 1]])
    u = (rim[:, 0] - middle) / half
    v = np.clip((x - middle) / half, -1, 1)
    rise = rim[:, 1] - np.interp(rim[:, 0], [rim[0, 0], rim[-1, 0]], [rim[0, 1], rim[-1, 1]])
    basis = np.stack([1 - u**2, (1 - u**2) * u, (1 - u**2) * u**2], axis=1)
    fitted = np.linalg.lstsq(basis, rise, rcond=None)[0]
    return np.asarray(chord + np.stack([1 - v**2, (1 - v**2) * v, (1 - v**2) * v**2], axis=1) @ fitted)
