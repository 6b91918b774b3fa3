"""How a player turns and mirrors a picture before it shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# What players take for a quarter turn may be off by so much of the whole: a matrix holds 16 binary places.
_SLACK = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """
    Turn first, then mirror.

    Args:
        rotation: degrees counter-clockwise: 0, 90, 180 or 270.
        is_mirrored: left and right change places.
    """

    rotation: int = 0
    is_mirrored: bool = False

    @classmethod
    def of_matrix(cls, matrix: Sequence[float]) -> Self:
        """
        What a display matrix (a b u, c d v, x y w) asks for; upright where it is none of the eight.

        A point (x, y) of the stored picture, y downwards, is shown at (a x + c y, b x + d y). Browsers turn
        by quarters only and take any other matrix for none.

        Source: ISO/IEC 14496-12, 8.3.2; Chromium's media/base/video_transformation.cc.
        """
        a, b, _, c, d, *_ = (float(number) for number in matrix)
        is_mirrored = a * d - b * c < 0
        if is_mirrored:  # what is left without it is a turn
            a, c = -a, -c
        slack = _SLACK * max(abs(a), abs(b))
        if abs(a - d) > slack or abs(b + c) > slack or min(abs(a), abs(b)) > slack or not slack:
            return cls()
        clockwise = (0 if a > 0 else 180) if abs(a) > abs(b) else (90 if b > 0 else 270)
        return cls(rotation=-clockwise % 360, is_mirrored=is_mirrored)

    @classmethod
    def of_matrices(cls, matrices: Sequence[Sequence[float]]) -> Self:
        """What the first of them asks for, if there is one."""
        return cls.of_matrix(matrices[0]) if matrices else cls()

    @property
    def is_sideways(self) -> bool:
        """Whether width and height change places."""
        return self.rotation % 180 != 0

    def shown(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The stored *pixels* (height, width, ...) as a player shows them."""
        turned = np.rot90(pixels, self.rotation // 90)
        return np.ascontiguousarray(turned[:, ::-1] if self.is_mirrored else turned)


def matrix_of_turn(degrees: float) -> tuple[float, ...]:
    """The display matrix that turns a picture by *degrees* counter-clockwise."""
    angle = math.radians(-degrees)
    a, b = math.cos(angle), math.sin(angle)
    return (a, b, 0, -b, a, 0, 0, 0, 1)
