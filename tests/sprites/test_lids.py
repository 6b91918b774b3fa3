"""Lids that come down: step by step, out of their own surroundings, and over nothing but the eye."""

from __future__ import annotations

import numpy as np
import pytest

from anchord.sprites import blend
from anchord.sprites.lids import CLOSED, RIMS, lidded
from anchord.sprites.warp import filled, grey
from tests.sprites.conftest import FACES, face


@pytest.mark.parametrize("name", [name for name in FACES if name != "admiral"])
def test_an_eye_that_shuts_loses_its_contrast(name: str) -> None:
    """White and pupil go away under the lid; the admiral's lenses keep their reflections."""
    pixels, marks = face(name)
    size = (pixels.shape[1], pixels.shape[0])
    rims = [np.vstack([marks[list(upper)], marks[list(lower)][::-1]]) for upper, lower in RIMS]
    inner = np.maximum(*(filled(rim, size, 0) for rim in rims)) > 0.5
    spread = [float(np.std(grey(lidded(pixels, marks, closed))[inner])) for closed in CLOSED.values()]
    assert spread[0] > 1.1 * spread[2]


@pytest.mark.parametrize("name", FACES)
def test_what_is_not_in_the_mask_stays(name: str) -> None:
    """Brows and the frames of glasses above all."""
    pixels, marks = face(name)
    mask = blend.eyes_mask(marks, (pixels.shape[1], pixels.shape[0]))
    away = np.abs(grey(lidded(pixels, marks, 0.93) - pixels))
    assert away[mask < 0.02].mean() < 0.1


def test_open_eyes_are_the_reference_s_own() -> None:
    pixels, marks = face("lisa")
    assert lidded(pixels, marks, 0.0) is pixels
