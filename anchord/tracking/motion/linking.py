"""Features that were found again into a link between two samples. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.motion.patch import Features
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Similarities, fitted_robustly, moved, points
from anchord.tracking.tuning import TUNING


def linked(
    before: tuple[int, Similarities],
    here: tuple[int, Similarities],
    features: Features,
    found: Features,
    *,
    of: int,
    middle: complex,
    eyes_px: float,
    turned: float = 0.0,
) -> tuple[Link, NDArray[np.bool_]]:
    """
    What features that were found again say, and which of them agree with it.

    Args:
        before: index of a sample, and its patch to the video.
        here: the same of the other.
        features: where they are in the one patch.
        found: where they are in the other.
        of: how many were looked for.
        middle: the point of the patch whose shift matters.
        eyes_px: distance of the eyes' outer corners in the patch, px.
        turned: how differently the face is turned, in that distance.
    """
    there, now = points(features[:, 0]), points(found[:, 0])
    motion, weights, sigma = fitted_robustly(there - middle, now - middle, floor=TUNING.residual_floor_px)
    start, end, spread = moved(there, now, noise=TUNING.agreed_px)
    follows = weights > 0.1
    # Where residuals are coarse, that many of them agree means little.
    agree = float(follows.sum() / of) * min(1.0, TUNING.residual_fine_px / sigma)
    between = Similarities(a=motion.a, b=motion.b + middle - motion.a * middle)
    link = Link(
        later=here[0],
        earlier=before[0],
        motion=here[1].after(between).after(before[1].inverse()),
        agree=agree,
        sigma=sigma / eyes_px,
        start=complex(before[1].of(np.array([start]))[0]),
        end=complex(here[1].of(np.array([end]))[0]),
        spread=max(spread, TUNING.residual_floor_px) / eyes_px,
        turned=turned,
    )
    return link, follows
