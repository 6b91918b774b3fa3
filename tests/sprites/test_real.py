"""Real frames in place of drawn ones: their light, and whether they fit."""

from __future__ import annotations

import numpy as np
import pytest

from anchord.sprites.real import Take, grafted
from anchord.sprites.reference import Cut
from anchord.sprites.warp import Floats
from tests.sprites.conftest import face, masked


def here(name: str) -> tuple[Cut, Floats]:
    pixels, marks = face(name)
    return Cut(part="mouth", pixels=pixels, points=marks, matrix=np.eye(2, 3), scale=1.0), masked(name)[1]


@pytest.mark.parametrize("name", ["admiral", "beard", "dark"])
def test_a_frame_in_other_light_gets_the_reference_s(name: str) -> None:
    cut, mask = here(name)
    darker = cut.pixels * np.array([0.8, 0.85, 0.9], np.float32) + 6
    made = grafted([Take(pixels=darker, points=cut.points)], cut, cut.pixels, mask)
    assert np.abs(made.pixels - cut.pixels).mean(where=(mask > 0.1)[..., None]) < 3
    assert made.fits


def test_outside_the_mask_nothing_changes() -> None:
    cut, mask = here("admiral")
    other = np.roll(cut.pixels, 9, axis=1)
    made = grafted([Take(pixels=other, points=cut.points + np.array([9, 0]))], cut, cut.pixels, mask)
    assert np.array_equal(made.pixels[mask < 0.05], cut.pixels[mask < 0.05])


def test_what_would_be_seen_to_end_at_the_mask_does_not_fit() -> None:
    """A beard across the mask's edge, where the reference has none: half of it would be cut away."""
    cut, mask = here("admiral")
    bearded = cut.pixels.copy()
    ys, xs = np.nonzero((mask > 0.15) & (mask < 0.85))
    chosen = xs < np.median(xs)
    bearded[ys[chosen], xs[chosen]] -= 70
    made = grafted([Take(pixels=np.clip(bearded, 0, 255), points=cut.points)], cut, cut.pixels, mask)
    assert not made.fits
