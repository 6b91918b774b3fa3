"""Which face: the most prominent one, then the same one for the whole clip. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.mesh import Landmarks
from anchord.tracking.tuning import TUNING


@dataclass(slots=True)
class Choice:
    """
    Chooses a face in each sample, which must be shown in order.

    The first choice is the largest and most central face; MediaPipe's own order means nothing. From
    then on it is the one that is where that face was, also when another is larger for a moment.
    """

    size: tuple[int, int]
    _centre: NDArray[np.float64] | None = field(default=None, init=False)
    _height: float = field(default=0.0, init=False)
    _seen_ms: float = field(default=0.0, init=False)

    def of(self, faces: Sequence[Landmarks], *, time_ms: float) -> int | None:
        """Index of the face that is followed, None where it is not among *faces*."""
        if not faces:
            return None
        if self._centre is None:
            chosen = max(range(len(faces)), key=lambda index: self._prominence(faces[index]))
        else:
            chosen = min(range(len(faces)), key=lambda index: self._away(faces[index]))
            limit = TUNING.near + TUNING.near_per_s * (time_ms - self._seen_ms) / 1000
            ratio = _height(faces[chosen]) / self._height
            if self._away(faces[chosen]) > limit or not 1 / TUNING.resized < ratio < TUNING.resized:
                return None
        self._centre, self._height = _middle(faces[chosen]), _height(faces[chosen])
        self._seen_ms = time_ms
        return chosen

    def _prominence(self, face: Landmarks) -> float:
        middle = np.array(self.size) / 2
        away = float(np.linalg.norm(_middle(face) - middle)) / float(np.linalg.norm(middle))
        return _height(face) * (1 - away / 2)

    def _away(self, face: Landmarks) -> float:
        assert self._centre is not None
        return float(np.linalg.norm(_middle(face) - self._centre)) / self._height


def _middle(face: Landmarks) -> NDArray[np.float64]:
    return np.asarray(face.mean(axis=0))


def _height(face: Landmarks) -> float:
    return float(np.ptp(face[:, 1]))
