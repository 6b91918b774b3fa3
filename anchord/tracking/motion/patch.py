"""Pieces of samples that are kept to follow the skin in them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces.mesh import LOWER_LIDS, RIGID, UPPER_LIDS
from anchord.tracking.motion.similarity import Complex, Similarities

#: (height, width) uint8.
Grey = NDArray[np.uint8]
#: (k, 1, 2) float32: x, y in pixels of a patch, as OpenCV wants them.
Features = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUp:
    """
    The face and its surroundings, cut out and made no larger than needed.

    Args:
        grey: the pixels.
        to_video: pixels of the close-up to pixels of the video.
    """

    grey: Grey
    to_video: Similarities


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarity:
    """
    How well a face can be seen.

    Args:
        noise: what changes from pixel to pixel where skin is even, grey levels.
        sharpness: how strong the eyes' fine lines are beside their coarse ones.
    """

    noise: float
    sharpness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A sample brought to the reference's place: pixels, features to find again, and the way back."""

    sample: int
    pixels: Grey
    features: Features
    #: (478,) landmarks in pixels of the patch.
    shape: Complex
    to_video: Similarities

    def turned_from(self, other: Patch) -> float:
        """How differently the two faces are turned, px: rms over what moves with the skull."""
        rigid = list(RIGID)
        return float(np.sqrt((np.abs(self.shape[rigid] - other.shape[rigid]) ** 2).mean()))

    def outline(self) -> NDArray[np.int32]:
        """(478, 2) the landmarks in whole pixels."""
        return np.stack([self.shape.real, self.shape.imag], axis=1).round().astype(np.int32)

    def eyes_open(self) -> float:
        """Distance of upper and lower lids, mean of both eyes, px."""
        upper, lower = self.shape[list(UPPER_LIDS)], self.shape[list(LOWER_LIDS)]
        return float(np.abs(upper - lower).mean())


def middle_of(shape: Complex) -> complex:
    """Middle of the upright box around points."""
    return complex(
        (shape.real.min() + shape.real.max()) / 2,
        (shape.imag.min() + shape.imag.max()) / 2,
    )


def matrix(similarity: Similarities) -> NDArray[np.float64]:
    """As OpenCV's 2x3 matrix."""
    a, b = complex(similarity.a), complex(similarity.b)
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
