"""A face in a picture, and who finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.mesh import Landmarks

#: Enough to notice that there are several; each one costs a mesh.
MAX_FACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """
    One face in one picture.

    Args:
        landmarks: (478, 2) x and y in pixels of the picture.
        pose: yaw, pitch and roll of the head in degrees; positive turns to the person's own left, up,
            and clockwise on the screen.
        signals: how far mouth, left and right eye are open, 0–1.
    """

    landmarks: Landmarks
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0)
    signals: tuple[float, float, float] = (0.0, 1.0, 1.0)

    @property
    def height_px(self) -> float:
        """From the top of the forehead to the chin, as the mesh sees it."""
        return float(np.ptp(self.landmarks[:, 1]))

    def is_inside(self, width: int, height: int) -> bool:
        """Whether all of it lies in a picture of that size."""
        return bool((self.landmarks >= 0).all() and (self.landmarks < (width, height)).all())


class Engine(Protocol):
    """Runs the model's networks, in one thread."""

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """
        The faces in a picture, in no order.

        Args:
            pixels: (height, width, 3) uint8, red first, contiguous.
        """

    def close(self) -> None:
        """Let go of everything."""


def pose_of(turn: NDArray[np.float64]) -> tuple[float, float, float]:
    """
    Yaw, pitch and roll in degrees.

    Args:
        turn: (3, 3) turns and scales the model's face to how it is before the camera.
    """
    turn = turn / np.cbrt(max(float(np.linalg.det(turn)), 1e-9))
    # OpenGL's axes: x to the right, y up, z towards the camera.
    yaw = np.arctan2(turn[0, 2], turn[2, 2])
    pitch = np.arcsin(np.clip(turn[1, 2], -1, 1))
    roll = -np.arctan2(turn[1, 0], turn[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
