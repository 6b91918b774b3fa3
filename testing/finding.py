"""Faces for the judges of real footage; the only room of the tests' that asks anchord's own finder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces import FaceFinder
from testing.skin import Find, Seen


def finder_of(faces: FaceFinder) -> Find:
    """A finder for ``skin.measured``: of several faces the largest."""

    def find(pixels: NDArray[np.uint8]) -> Seen | None:
        found: list[Any] = faces.submit(lambda: faces.find(pixels)).result()
        if not found:
            return None
        face = max(found, key=lambda face: float(np.ptp(face.landmarks[:, 1])))
        return Seen(landmarks=face.landmarks, yaw_deg=face.pose[0], pitch_deg=face.pose[1])

    return find
