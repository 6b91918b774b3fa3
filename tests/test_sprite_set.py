"""What a worker says are a pack's pictures is compared with what was asked for."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest

from anchord import png, sprite_set
from anchord.sprite_set import LIDS, PICTURES, Box, Measure, PictureName, SpritePlace, SpriteSet, Viseme

TARGET = (32, 40)
VISEMES: tuple[Viseme, ...] = ("REST", "AA")


def packed(width: int, height: int, channels: int) -> bytes:
    return bytes(cv2.imencode(".png", np.full((height, width, channels), 99, np.uint8))[1])


def a_set() -> SpriteSet:
    place = SpritePlace(anchor=Box(x=1, y=2, w=10, h=8, roll=0), width=12, height=9)
    small = Measure(frames=0, step=0, texture=1)
    return SpriteSet(
        time_ms=0,
        mouth=place,
        eyes=place,
        light=(1, 1, 1),
        visemes=dict.fromkeys(VISEMES, small),
        lids=dict.fromkeys(LIDS, small),
        noise=(1, 1),
        sharpness=1,
        faults=[],
        pictures={
            "base_face.png": packed(*TARGET, 3),
            "mouth_sprites.png": packed(24, 9, 3),
            "mouth_mask.png": packed(12, 9, 1),
            "eyes_open.png": packed(12, 9, 3),
            "eyes_half.png": packed(12, 9, 3),
            "eyes_closed.png": packed(12, 9, 3),
            "eyes_mask.png": packed(12, 9, 1),
        },
    )


def test_what_was_asked_for_becomes_files_in_our_own_encoding() -> None:
    files = sprite_set.checked(a_set(), TARGET, VISEMES)
    assert set(files) == set(PICTURES) == sprite_set.own(files)
    as_they_came: dict[str, bytes] = dict(a_set().pictures.items())
    assert not sprite_set.own(as_they_came)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("base_face.png", packed(31, 40, 3)),
        ("base_face.png", packed(96, 120, 3)),
        ("base_face.png", packed(*TARGET, 1)),
        ("mouth_sprites.png", packed(12, 9, 3)),
        ("mouth_mask.png", packed(12, 9, 3)),
        ("eyes_half.png", packed(13, 9, 3)),
        ("eyes_closed.png", b"<svg onload='evil()'/>"),
    ],
)
def test_a_picture_of_another_kind_is_refused_by_name(name: PictureName, content: bytes) -> None:
    pictures = a_set().pictures | {name: content}
    with pytest.raises(ValueError, match=name):
        sprite_set.checked(msgspec.structs.replace(a_set(), pictures=pictures), TARGET, VISEMES)


def test_other_visemes_or_fewer_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="were asked for"):
        sprite_set.checked(a_set(), TARGET, ("REST",))
    fewer = {name: content for name, content in a_set().pictures.items() if name != "eyes_mask.png"}
    with pytest.raises(ValueError, match="just the pictures"):
        sprite_set.checked(msgspec.structs.replace(a_set(), pictures=fewer), TARGET, VISEMES)


def test_a_base_face_may_be_twice_as_fine_and_may_let_the_page_through() -> None:
    pictures = {**a_set().pictures, "base_face.png": packed(64, 80, 4)}
    made = msgspec.structs.replace(a_set(), pictures=pictures)
    assert png.decode(sprite_set.checked(made, TARGET, VISEMES)["base_face.png"]).channels == 4
