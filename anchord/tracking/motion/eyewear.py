"""
Whether eyes are behind something for a whole clip: sunglasses, or hair over one of them. Pure.

``occlusion`` compares samples of a clip with each other, and so can't know what never leaves. What stays in
front of eyes is told by the skin around them, which is as bright as the cheek below, and by lids and brows,
which look like drawn ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anchord.tracking.faces.mesh import EYE_SURROUNDINGS, LOWER_CHEEKS
from anchord.tracking.motion.occlusion import POINTS, Texture, likeness
from anchord.tracking.tuning import TUNING

_AROUND, _CHEEKS = (
    [np.searchsorted(POINTS, points) for points in sides] for sides in (EYE_SURROUNDINGS, LOWER_CHEEKS)
)


class Eyes(NamedTuple):
    """
    How a sample's eyes look.

    Args:
        shade: (right, left) brightness of the skin around them over that of the cheek below, a logarithm.
        likeness: of both to drawn ones, -1 to 1.
    """

    shade: tuple[float, float]
    likeness: float


def eyes(seen: Texture) -> Eyes:
    """What one sample says; not a number where the picture ends before."""
    brightness = seen[:, 0].astype(np.float64)
    shades = [
        # Lids, lashes and irises are dark on anybody: a quarter of the points is skin.
        float(np.percentile(brightness[around], 75) - np.median(brightness[cheek]))
        for around, cheek in zip(_AROUND, _CHEEKS, strict=True)
    ]
    return Eyes(shade=(shades[0], shades[1]), likeness=likeness(seen, "eyes"))


def behind(seen: Sequence[Eyes]) -> str | None:
    """What the eyes of a clip are behind, in words that follow "behind"; None where they can be seen."""
    known = [one for one in seen if np.isfinite(one.shade).all()]
    if not known:
        return None
    shades = np.array([one.shade for one in known])
    drawn = float(np.median([one.likeness for one in known]))
    if drawn < TUNING.eyes_drawn and float(np.median(shades.max(axis=1))) < TUNING.eyes_shaded:
        return "something dark such as sunglasses"
    uneven = np.median(shades[:, 0] - shades[:, 1])
    if abs(uneven) > TUNING.eyes_uneven:
        return "something such as hair on one side"
    return None
