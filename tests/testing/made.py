"""A truth without a film: what scorers are held to."""

from __future__ import annotations

import numpy as np

from testing.motions import MOTIONS
from testing.truth import PARTS, Truth


def truth(
    motion: str = "sway",
    *,
    frames: int = 120,
    fps: float = 30.0,
    covered: tuple[int, int, float] | None = None,
    gap: tuple[int, int] | None = None,
) -> Truth:
    """
    A head that moves.

    Args:
        motion: of ``motions.MOTIONS``.
        frames, fps: how many and how fine.
        covered: first and last frame in which the mouth is covered, and by how much.
        gap: first and last frame without a face.
    """
    times = np.arange(frames) * 1000 / fps
    places = np.array([MOTIONS[motion](t / 1000, frames / fps).matrix() for t in times])
    cover = np.zeros(frames)
    has_face = np.ones(frames, bool)
    if covered:
        cover[covered[0] : covered[1] + 1] = covered[2]
    if gap:
        has_face[gap[0] : gap[1] + 1] = False
    return Truth(
        size=(512, 640),
        times_ms=times,
        closed=motion != "drift",
        has_face=has_face,
        places=dict.fromkeys(PARTS, places),
        covered={"mouth": cover, "eyes": np.zeros(frames)},
        boxes={"mouth": (200.0, 360.0, 312.0, 400.0), "eyes": (184.0, 240.0, 328.0, 284.0)},
    )
