"""Lips of any face in the shapes of speech: shut, open, round; and nothing else of the face moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anchord.sprite_set import Viseme
from anchord.sprites.lips import shaped, speaking
from anchord.sprites.visemes import SENTENCE, SHAPES
from anchord.sprites.warp import grey
from tests.sprites.conftest import FACES, face, masked


@pytest.mark.parametrize("name", FACES)
def test_mouths_open_as_far_as_their_shape_says_whatever_the_reference_does(name: str) -> None:
    """A smile with teeth and a shut mouth give the same AA; REST is shut on both."""
    mouth, _ = masked(name)
    for viseme, shape in SHAPES.items():
        rims = shaped(mouth, shape)
        gap = float((rims.inner_lower[5] - rims.inner_upper[5])[1])
        assert gap == pytest.approx(shape.opening * mouth.relaxed, abs=0.03 * mouth.relaxed), viseme
        assert (rims.inner_lower[:, 1] >= rims.inner_upper[:, 1] - 1e-6).all()


@pytest.mark.parametrize("name", FACES)
def test_visemes_differ_from_one_another_as_people_see_them(name: str) -> None:
    """EE is wider than REST and shows teeth, OO is narrow: known faults of the first maker."""
    mouth, _ = masked(name)
    width = {
        viseme: float(np.ptp(shaped(mouth, shape).outer_upper[[0, -1], 0]))
        for viseme, shape in SHAPES.items()
    }
    assert width["OO"] < 0.8 * mouth.relaxed
    assert width["OO"] < width["OH"] < width["AA"] < width["EE"]


@pytest.mark.parametrize("name", FACES)
def test_nothing_that_shows_moves_where_the_mask_ends(name: str) -> None:
    """Grey levels on the page, where a sprite is all but transparent: or an edge would be seen."""
    pixels, _ = face(name)
    mouth, mask = masked(name)
    rim = (mask > 0.01) & (mask < 0.15)
    for viseme, shape in SHAPES.items():
        shown = np.abs(grey(speaking(mouth, shape) - pixels)) * mask
        assert shown[rim].mean() < 1, viseme


@pytest.mark.parametrize("name", ["astronaut", "admiral", "dark"])
def test_an_open_mouth_has_teeth_above_and_the_dark_below_them(name: str) -> None:
    mouth, _ = masked(name)
    shown = grey(speaking(mouth, SHAPES["AA"]))
    rims = shaped(mouth, SHAPES["AA"])
    x = int(mouth.inside.middle)
    top, bottom = float(rims.inner_upper[5, 1]), float(rims.inner_lower[5, 1])

    def at(share: float) -> float:
        y = int(top + share * (bottom - top))
        return float(shown[y - 1 : y + 2, x - 4 : x + 5].mean())

    assert at(0.2) > 1.8 * at(0.55)


def test_a_reference_that_is_shut_is_at_rest_as_it_is() -> None:
    """Nothing could look more like it."""
    mouth, _ = masked("admiral")
    assert not mouth.is_parted
    assert speaking(mouth, SHAPES["REST"]) is mouth.pixels


def test_an_open_smile_is_shut_for_rest() -> None:
    """Its teeth, lighter than all around them, are gone."""
    mouth, _ = masked("astronaut")
    assert mouth.is_parted
    (x, top), (_, bottom) = mouth.points[13], mouth.points[14]
    middle = (slice(int(top), int(bottom) + 1), slice(int(x) - 8, int(x) + 9))
    before, after = grey(mouth.pixels)[middle], grey(speaking(mouth, SHAPES["REST"]))[middle]
    assert after.mean() < 0.9 * before.mean()


def test_the_sentence_has_every_viseme_in_it() -> None:
    sounds = {"AA": "far", "EE": "beach", "OH": "oh", "OO": "blue", "FF": "five", "TH": "then"}
    assert set(sounds) | {"REST"} == set(SHAPES)
    assert all(word in SENTENCE.lower() for word in sounds.values())


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("viseme", ["AA", "OH"])
def test_skin_below_a_dropped_lip_never_folds(name: str, viseme: Viseme) -> None:
    """On a picture that says how far down each pixel was, what is lower stays lower."""
    mouth, mask = masked(name)
    height, width = mask.shape
    ramp = np.repeat(np.arange(height, dtype=np.float32)[:, None, None], width, axis=1).repeat(3, axis=2)
    on_ramp = replace(mouth, pixels=ramp * (200 / height))
    to = shaped(on_ramp, SHAPES[viseme])
    moved = speaking(on_ramp, SHAPES[viseme])
    x, start = round(float(to.outer_lower[5, 0])), round(float(to.outer_lower[5, 1]))
    below = moved[start : round(float(mouth.points[152, 1])), x - 3 : x + 4, 0]
    assert (np.diff(below, axis=0) > 0).all()


@pytest.mark.parametrize("name", FACES)
def test_the_hole_of_an_oo_is_dark(name: str) -> None:
    """Rounded lips stand out before the teeth; in an EE the same place is full of them."""
    mouth, _ = masked(name)

    def seen(viseme: Viseme) -> float:
        to, moved = shaped(mouth, SHAPES[viseme]), grey(speaking(mouth, SHAPES[viseme]))
        y = round(float((to.inner_upper + to.inner_lower)[5, 1]) / 2)
        x = round(float(to.inner_upper[5, 0]))
        return float(moved[y - 1 : y + 2, x - 4 : x + 5].mean())

    assert seen("OO") < 0.5 * seen("EE")
