"""From a film to a pack's pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from anchord import sprite_set
from anchord.demo.film import Pose, encode, even_times_ms, film
from anchord.errors import VideoError
from anchord.settings import ExtractSettings, Limits
from anchord.sprite_set import LIDS, VISEMES, SpriteSet
from anchord.sprites.make import Source, make
from anchord.sprites.warp import Floats
from anchord.tracking.faces import FaceFinder
from tests.films import FAST, small_film


def picture(content: bytes) -> Floats:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(found, np.float32)


def test_all_pictures_are_there_and_are_what_they_should_be(made: SpriteSet) -> None:
    assert set(sprite_set.checked(made, (512, 640), VISEMES)) == set(made.pictures)
    assert made.preview.startswith(b"\x89PNG")
    assert tuple(made.lids) == LIDS


def test_averaging_takes_noise_and_leaves_what_is_sharp(made: SpriteSet) -> None:
    before, after = made.noise
    assert after < before
    assert 0.9 < made.sharpness < 1.05


def test_no_edge_shows_on_a_clip_at_rest(made: SpriteSet) -> None:
    assert made.faults == []
    assert all(told.step < 4 for told in made.visemes.values())


def test_the_base_face_lies_under_its_own_anchors(made: SpriteSet) -> None:
    """The mouth at rest and the base face are the same picture, where the anchor says."""
    base = picture(made.pictures["base_face.png"])
    cell = picture(made.pictures["mouth_sprites.png"])[:, : made.mouth.width]
    box = made.mouth.anchor
    turn = cv2.getRotationMatrix2D((box.x + box.w / 2, box.y + box.h / 2), box.roll, 1)
    turn[:, 2] -= (box.x, box.y)
    there = cv2.warpAffine(base, turn, (round(box.w), round(box.h)))
    here = cv2.resize(cell, (round(box.w), round(box.h)), interpolation=cv2.INTER_AREA)
    # The upper part: the reference smiles, and REST is shut.
    upper, middle = slice(0, int(0.35 * box.h)), slice(int(0.2 * box.w), int(0.8 * box.w))
    assert np.abs(here[upper, middle] - there[upper, middle]).mean() < 6


def test_masks_run_out_before_the_cell_does(made: SpriteSet) -> None:
    for mask in (picture(made.pictures["mouth_mask.png"]), picture(made.pictures["eyes_mask.png"])):
        assert mask.max() > 250
        assert max(mask[[0, -1]].max(), mask[:, [0, -1]].max()) < 12


def test_some_visemes_are_enough(finder: FaceFinder) -> None:
    with small_film().open("rb") as stream:
        source = Source(stream=stream, name="idle.webm", limits=Limits(), finder=finder)
        made = make(source, None, ExtractSettings(), visemes=("REST", "OO"), with_preview=False)
    assert list(made.visemes) == ["REST", "OO"]
    assert picture(made.pictures["mouth_sprites.png"]).shape[1] == 2 * made.mouth.width
    assert made.preview == b""


@pytest.mark.parametrize(
    ("pose", "words"),
    [(None, "shows no face"), (Pose(x=128, y=150, scale=0.42), "too small")],
)
def test_a_face_that_no_sprites_can_be_made_of_is_refused_with_a_reason(
    pose: Pose | None, words: str, finder: FaceFinder, tmp_path: Path
) -> None:
    where = (pose or Pose()).matrix()
    pictures = film(lambda _t_s: where, times_ms=even_times_ms(10, 0.5), size=(256, 320))
    shown = ((ms, pixels if pose else np.full_like(pixels, 90)) for ms, pixels in pictures)
    with encode(tmp_path / "idle.webm", shown, options=FAST).open("rb") as stream:
        source = Source(stream=stream, name="idle.webm", limits=Limits(), finder=finder)
        with pytest.raises(VideoError, match=words):
            make(source, None, ExtractSettings(), visemes=VISEMES, with_preview=False)
