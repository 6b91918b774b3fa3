"""A face in another light, made to match: once on the whole, then slowly across the skin."""

from __future__ import annotations

import numpy as np

from anchord.sprites.warp import Floats, blurred, smooth

# A camera's gain between two clips of one person; beyond it is another room.
_GAINS = (0.5, 2.0)
# Skin counts where it differs less than this after the first step, grey levels.
_AGREES = 22.0


def matched(pixels: Floats, to: Floats, skin: Floats, wide: float) -> Floats:
    """
    *pixels* in the light of *to*.

    Args:
        pixels: (height, width, 3) the other picture, brought onto the reference.
        to: (height, width, 3) the reference.
        skin: (height, width) 0–1, where both show the same skin: around the mouth, never the mouth itself.
        wide: how slowly light changes, px.
    """
    share = skin > 0.5
    if share.sum() < 50:
        return pixels
    even = np.empty_like(pixels, np.float32)
    for channel in range(3):
        there, here = pixels[share, channel], to[share, channel]
        # Spreads, not regression: two noisy pictures of one thing would lose contrast by that.
        low, middle, high = np.quantile(there, (0.15, 0.5, 0.85))
        low_to, middle_to, high_to = np.quantile(here, (0.15, 0.5, 0.85))
        gain = float(np.clip((high_to - low_to + 4) / (high - low + 4), *_GAINS))
        even[..., channel] = (pixels[..., channel] - middle) * gain + middle_to
    away = np.abs(to - even).max(axis=2)
    weight = (skin * smooth(2 - away / _AGREES))[..., None].astype(np.float32)
    total = blurred(weight[..., 0], wide)[..., None] + 0.02
    return np.asarray(even + blurred((to - even) * weight, wide) / total)
