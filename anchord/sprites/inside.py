"""
What is behind the lips: teeth, a tongue, the dark. In the light of the face that they are for.

Where the clip shows this person's teeth, theirs is the colour; else a white thing is as light as the whites
of the eyes tell. What colour flesh has is read from the lips. So teeth suit a dark room, a warm lamp and
any skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.sprites.visemes import Shape
from anchord.sprites.warp import Floats, Points, blurred, depth_inside, filled, grey, smooth
from anchord.tracking.faces.mesh import LEFT_EYE, LIPS_INSIDE, LIPS_RIM, RIGHT_EYE

# Halves of upper teeth from the middle outwards, in widths of the relaxed mouth (50 mm): incisors of 8.5 and
# 6.5 mm, a canine of 7.5, then what turns away into the cheek. Source: Wheeler's Dental Anatomy.
_UPPER = (0.17, 0.30, 0.44, 0.55, 0.64)
_LOWER = (0.105, 0.22, 0.36, 0.48, 0.58)
# Upper incisors end so far below where the lips meet; the lower ones stand behind them.
_UPPER_TIPS, _OVERBITE = 0.045, 0.03
# Teeth are ivory, and their light has been through lips.
# How much of the light gets to them, at best.
_LIT = 0.88
# Inner rims of the lips, from left to right, and pixels between them that say what teeth look like.
_INNER = (
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
_FEWEST_TEETH = 60
# Red, green and blue of skin under white light, over their brightness; from light to dark it is the same hue.
_SKIN = np.array([1.25, 0.95, 0.78])
# Of that light so much is believed: a person's skin is redder or paler than the usual.
_TINTED = 0.7
_IVORY = np.array([0.98, 0.93, 0.84])


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """
    Colours and measures of the inner mouth.

    Args:
        white: what a white thing looks like in the light of this face.
        flesh: the lips' colour.
        middle: of the mouth, px.
        line_y: where the lips meet in the middle, px.
        unit: the relaxed mouth's width, px.
    """

    white: Floats
    flesh: Floats
    middle: float
    line_y: float
    unit: float


def inside_of(
    mouth: Floats,
    points: Points,
    eyes: Floats,
    eye_points: Points,
    unit: float,
    shown: Sequence[tuple[Floats, Points]] = (),
) -> Inside:
    """
    Read the colours off a face.

    Args:
        mouth: (height, width, 3) the mouth's cut.
        points: (478, 2) landmarks in it.
        eyes: likewise, the eyes'.
        eye_points: likewise.
        unit: the relaxed mouth's width, px of the mouth's cut.
        shown: frames brought onto the mouth's cut, with their landmarks: some may show teeth.
    """
    size = (mouth.shape[1], mouth.shape[0])
    lips = (filled(points[list(LIPS_RIM)], size, 0) > 0.9) & (
        filled(points[list(LIPS_INSIDE)], size, 2) < 0.05
    )
    flesh = np.median(mouth[lips], axis=0) if lips.any() else np.array([150.0, 90, 85])
    upper, lower = points[13], points[14]
    teeth = _teeth_in(shown, np.asarray(flesh))
    skin = np.median(mouth[_skin(points, size)], axis=0)
    return Inside(
        white=_white(eyes, eye_points, float(grey(flesh)), skin) if teeth is None else teeth,
        flesh=np.asarray(flesh),
        middle=float(upper[0]),
        line_y=float(upper[1] + 0.35 * max(0.0, lower[1] - upper[1])),
        unit=unit,
    )


def _teeth_in(shown: Sequence[tuple[Floats, Points]], flesh: Floats) -> Floats | None:
    """What white teeth would look like, by the lightest that are seen between open lips; None without any."""
    found = []
    for pixels, points in shown:
        size = (pixels.shape[1], pixels.shape[0])
        upper, lower = points[list(_INNER[0])], points[list(_INNER[1])]
        inner = depth_inside(filled(np.vstack([upper, lower[::-1]]), size, 0) > 0.5) > 1
        if inner.sum() < _FEWEST_TEETH:
            continue
        behind = pixels[inner]
        low, high = np.quantile(grey(behind), (0.75, 0.95))
        light = behind[(grey(behind) >= low) & (grey(behind) <= high)].mean(axis=0)
        # A tongue or a lip is as red as the lips are.
        if _redness(light) < 0.6 * _redness(flesh) and grey(light) > 1.05 * grey(flesh):
            found.append(light)
    if not found:
        return None
    lightest = max(found, key=lambda colour: float(grey(colour)))
    return np.asarray(np.minimum(lightest / _IVORY / _LIT, 255))


def _redness(colour: Floats) -> float:
    return float((colour[0] - colour[1]) / max(float(grey(colour)), 1.0))


def _skin(points: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Both cheeks beside the mouth, and what is between lips and chin."""
    beside = points[[205, 425, 50, 280, 18, 200]]
    side = 0.05 * float(np.linalg.norm(points[263] - points[33]))
    found = np.zeros(size[::-1], bool)
    for x, y in beside.tolist():
        left, top = max(0, int(x - side)), max(0, int(y - side))
        found[top : max(0, int(y + side) + 1), left : max(0, int(x + side) + 1)] = True
    return found if found.any() else ~found


def _white(eyes: Floats, points: Points, flesh: float, skin: Floats) -> Floats:
    """
    What a white thing looks like: as light as the whites of the eyes, coloured between theirs and the skin.

    Lenses and lamps tint an eye more than a mouth, and skin is never white; each makes up for the other.
    """
    light = np.maximum(skin, 4) / _SKIN
    light = light / float(grey(light))
    size = (eyes.shape[1], eyes.shape[0])
    inner = np.zeros(size[::-1], bool)
    for rim in (RIGHT_EYE, LEFT_EYE):
        inner |= filled(_ring(points[list(rim)]), size, 0) > 0.9
    if inner.sum() < 20:
        return np.asarray(min(235.0, 1.7 * flesh) * light)
    pixels = eyes[inner]
    shades = grey(pixels)
    # Reflections are the lightest, lashes and irises the darker half.
    low, high = np.quantile(shades, (0.72, 0.93))
    found = np.maximum(pixels[(shades >= low) & (shades <= high)].mean(axis=0), 4)
    # Eyes lie in their sockets' shade. A white that is darker than the lips is none, one far lighter a lamp.
    shade = min(float(np.clip(1.2 * grey(found), 1.55 * flesh, max(2.6 * flesh, 90.0))), 238.0)
    tint = np.sqrt(light * found / float(grey(found))) ** _TINTED
    return np.asarray(np.minimum(shade * tint / float(grey(tint)), 250))


def _ring(rim: Points) -> Points:
    """A rim, from one corner around to where it began."""
    middle = rim.mean(axis=0)
    order = np.argsort(np.arctan2(rim[:, 1] - middle[1], rim[:, 0] - middle[0]))
    return np.asarray(middle + 0.9 * (rim[order] - middle))


def painted(inside: Inside, shape: Shape, upper: Points, lower: Points, grid: Floats) -> Floats:
    """
    (height, width, 3) what is seen between two rims; only what lies between them means anything.

    Args:
        inside: colours and measures.
        shape: of the viseme.
        upper: (11, 2) the upper lip's inner rim.
        lower: (11, 2) the lower lip's.
        grid: (height, width, 2) of pixels.
    """
    x, y = grid[..., 0], grid[..., 1]
    top = np.interp(x, upper[:, 0], upper[:, 1])
    bottom = np.maximum(np.interp(x, lower[:, 0], lower[:, 1]), top + 1e-3)
    depth = np.clip((y - top) / (bottom - top), 0, 1)
    half = max(float(np.ptp(upper[:, 0])) / 2, 1.0)
    across = np.clip(np.abs(x - inside.middle) / half, 0, 1)
    # Little light gets out of a mouth that is wide open, and much of it where the lips are near.
    deep = smooth((bottom - top) / (0.22 * inside.unit))
    picture: Floats = inside.flesh * (0.44 - 0.25 * deep - 0.05 * depth)[..., None]

    fall = float(lower[5, 1]) - inside.line_y
    jaw = (1 - shape.bare) * fall
    if shape.tongue is not None:
        picture = _tongue(picture, inside, shape.tongue, grid, bottom, half)
    # The row bends back: seen from the front its sides stand higher and in the dark.
    turned = np.clip((x - inside.middle) / (0.62 * inside.unit), -1, 1)
    lower_tips = (
        inside.line_y
        + (_UPPER_TIPS - _OVERBITE) * inside.unit
        + max(jaw, 0.0)
        - 0.02 * inside.unit * turned**2
    )
    lit = _LIT * (1 - 0.55 * across**3)
    # Rounded lips stand out before the teeth, and their hole is dark.
    without = picture * (0.35 + 0.65 * shape.teeth)
    if fall > 0.02 * inside.unit:
        picture = _teeth(picture, inside, x, y, _LOWER, lower_tips, +1, 0.8 * lit)
    # Raised lips show more of the upper teeth, never move them.
    upper_tips = inside.line_y + _UPPER_TIPS * inside.unit - 0.03 * inside.unit * turned**2
    if shape.tongue is not None and shape.tongue > 0.6:
        picture = _tip(picture, inside, grid, upper_tips, bottom, half)
    # The upper lip throws a shadow.
    shadow = 0.62 + 0.38 * smooth((y - top) / (0.07 * inside.unit))
    picture = _teeth(picture, inside, x, y, _UPPER, upper_tips, -1, lit * shadow)
    picture = without * (1 - shape.teeth) + picture * shape.teeth
    return blurred(picture, 0.012 * inside.unit)


def _teeth(
    picture: Floats,
    inside: Inside,
    x: Floats,
    y: Floats,
    edges: tuple[float, ...],
    tips: Floats,
    side: int,
    lit: Floats,
) -> Floats:
    """A row of teeth over a picture, above (*side* -1) or below its tips."""
    off = np.abs(x - inside.middle) / inside.unit
    starts = np.array((0.0, *edges[:-1]))
    which = np.clip(np.searchsorted(np.array(edges), off), 0, len(edges) - 1)
    width = np.array(edges)[which] - starts[which]
    along = np.clip((off - starts[which]) / width, 0, 1) * 2 - 1
    # Each tip is round at its corners, each gap a soft dark line.
    tip = tips + side * 0.012 * inside.unit * np.abs(along) ** 3
    is_tooth = smooth(side * (y - tip) / (0.014 * inside.unit) + 0.5)
    gap = 1 - 0.28 * smooth((np.abs(along) - 0.80) / 0.2)
    round_ = 1 - 0.10 * along**2 - 0.05 * np.array([0, 1, 2.2, 3.4, 4.6])[which]
    reach = smooth((edges[-1] + 0.03 - off) / 0.12)
    colour = inside.white * _IVORY * (lit * gap * round_)[..., None]
    share = (is_tooth * reach)[..., None]
    return np.asarray(picture * (1 - share) + colour * share)


def _tongue(
    picture: Floats, inside: Inside, tall: float, grid: Floats, bottom: Floats, half: float
) -> Floats:
    """A back of a tongue that lies on the mouth's floor."""
    height = tall * inside.unit * 0.42
    reach = ((grid[..., 0] - inside.middle) / (0.66 * half)) ** 2 + (
        (grid[..., 1] - bottom.max()) / max(height, 1.0)
    ) ** 2
    share = (smooth(1.5 * (1.15 - reach)) * 0.9)[..., None]
    colour = inside.flesh * (0.72 - 0.22 * np.clip(reach, 0, 1))[..., None]
    return np.asarray(picture * (1 - share) + colour * share)


def _tip(picture: Floats, inside: Inside, grid: Floats, tips: Floats, bottom: Floats, half: float) -> Floats:
    """A tongue's tip between the teeth: it touches the upper ones and hides the lower."""
    x, y = grid[..., 0], grid[..., 1]
    reach = np.abs((x - inside.middle) / (0.62 * half)) ** 2.5
    share = (smooth((1 - reach) * 2.5) * smooth((y - tips) / (0.02 * inside.unit) + 0.6))[..., None]
    depth = np.clip((y - tips) / np.maximum(bottom - tips, 1.0), 0, 1)
    colour = inside.flesh * (0.98 + 0.08 * np.sin(np.pi * depth) - 0.16 * np.clip(reach, 0, 1))[..., None]
    return np.asarray(picture * (1 - share) + colour * share)
