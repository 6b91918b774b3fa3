"""Cut-outs of a picture, as the networks were trained on them. Has a door of its own to OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def cropped(
    pixels: NDArray[np.uint8], way: NDArray[np.float64], side: int, *, is_zero_outside: bool
) -> NDArray[np.uint8]:
    """
    A square cut-out.

    Args:
        pixels: (height, width, 3).
        way: (2, 3) from the cut-out's pixels to the picture's.
        side: of the cut-out, px.
        is_zero_outside: black beyond the picture's edge, where else the edge is repeated.
    """
    border = cv2.BORDER_CONSTANT if is_zero_outside else cv2.BORDER_REPLICATE
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, way, (side, side), flags=flags, borderMode=border), np.uint8)
