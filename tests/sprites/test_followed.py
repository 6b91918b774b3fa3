"""A frame of another clip is brought onto the reference by its skin."""

from __future__ import annotations

import numpy as np

from anchord.sprites.speech import followed
from tests.sprites.conftest import face


def test_the_skin_says_where_a_face_is_better_than_its_landmarks() -> None:
    """Shifted by five and three pixels, of which landmarks miss a half."""
    pixels, there = face("lisa")
    moved = np.roll(pixels, (3, 5), axis=(0, 1)).astype(np.uint8)
    way = followed("mouth", (pixels.astype(np.uint8), there), (moved, there + np.array([4.5, 3.0])))
    middle = there[[61, 291]].mean(axis=0)
    assert np.abs(way[:, :2] @ middle + way[:, 2] - middle - np.array([5, 3])).max() < 0.4
