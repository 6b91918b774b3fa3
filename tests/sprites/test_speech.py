"""Which frames of a clip show which mouth, and which show shut eyes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from anchord.sprites import speech
from anchord.sprites.clip import Shot
from anchord.sprites.warp import Points
from anchord.tracking.faces import Face
from anchord.tracking.faces.mesh import LIPS_INSIDE, LIPS_RIM
from tests.sprites.conftest import face

_UPPER, _LOWER = (13, 82, 81, 80, 312, 311, 310), (14, 87, 88, 178, 317, 402, 318)


def mouth(*, opening: float = 0.0, width: float = 1.0, lower: float = 1.0) -> Points:
    """A face at rest whose lips are parted by *opening* widths of the mouth, and as wide as *width*."""
    _, marks = face("admiral")
    marks = marks.copy()
    unit = float(np.linalg.norm(marks[61] - marks[291]))
    middle = marks[[61, 291]].mean(axis=0)
    lips = list({*LIPS_RIM, *LIPS_INSIDE})
    marks[lips, 0] = middle[0] + width * (marks[lips, 0] - middle[0])
    marks[list(_LOWER)] = marks[list(_UPPER)] + (0, opening * unit)
    marks[[17, 84, 314, 181, 405]] = marks[14] + lower * (face("admiral")[1][17] - face("admiral")[1][14])
    return np.asarray(marks)


def shot(index: int, marks: Points, **other: object) -> Shot:
    made = Shot(
        index=index,
        time_ms=40.0 * index,
        face=Face(landmarks=marks),
        pins={},
        detail=10.0,
        light=np.ones(3),
        hidden=False,
    )
    return replace(made, **other)  # type: ignore[arg-type]


REST = shot(0, mouth())


def clip(*others: Points) -> list[Shot]:
    return [shot(i, mouth()) for i in range(12)] + [shot(12 + i, marks) for i, marks in enumerate(others)]


def test_each_mouth_is_found_by_its_shape() -> None:
    said = {
        "AA": mouth(opening=0.35),
        "EE": mouth(opening=0.12, width=1.15),
        "OH": mouth(opening=0.22, width=0.85),
        "OO": mouth(opening=0.07, width=0.72),
        "FF": mouth(opening=0.04, lower=0.55),
    }
    found = speech.spoken(clip(*said.values()), REST)
    assert {viseme: shots[0].index for viseme, shots in found.items()} == {
        viseme: 12 + i for i, viseme in enumerate(said)
    }


def test_a_grin_is_no_dropped_jaw() -> None:
    found = speech.spoken(clip(mouth(opening=0.22, width=1.2)), REST)
    assert "AA" not in found
    assert found["EE"][0].index == 12


def test_shut_lips_are_no_viseme_but_rest() -> None:
    """Neither pressed, which is an M, nor hardly parted."""
    assert speech.spoken(clip(mouth(lower=0.5), mouth(opening=0.02)), REST) == {}


def test_one_frame_is_not_two_mouths() -> None:
    found = speech.spoken(clip(mouth(opening=0.21, width=0.9)), REST)
    assert len({shots[0].index for shots in found.values()}) == len(found) == 1


def test_frames_of_one_shape_are_averaged_and_no_other() -> None:
    wide = [mouth(opening=0.35 + 0.002 * i) for i in range(3)]
    found = speech.spoken(clip(*wide, mouth(opening=0.2)), REST)
    assert {shot.index for shot in found["AA"]} == {12, 13, 14}


def test_a_hand_a_turn_and_a_blur_do_not_count() -> None:
    open_ = mouth(opening=0.35)
    turned = Face(landmarks=open_, pose=(20.0, 0.0, 0.0))
    shots = [*clip(), shot(12, open_, hidden=True), shot(13, open_, face=turned)]
    assert speech.spoken(shots, REST) == {}
    sharp = speech.spoken([*clip(), shot(12, open_, detail=2.0), shot(13, open_)], REST)
    assert sharp["AA"][0].index == 13


def test_a_short_clip_shows_nothing() -> None:
    assert speech.spoken(clip()[:3], REST) == {}


def lids(open_: float, signal: float) -> Shot:
    marks = mouth().copy()
    for upper, lower in ((159, 145), (386, 374)):
        marks[upper] = marks[lower] + open_ * (marks[upper] - marks[lower])
    made = shot(20, marks)
    return replace(made, face=replace(made.face, signals=(0.0, signal, signal)))


def test_a_blink_gives_shut_and_half_shut_eyes() -> None:
    found = speech.blinks([*clip(), lids(0.1, 0.2), lids(0.5, 0.6)], REST)
    assert {name: round(speech._lids(shots[0]), 2) for name, shots in found.items()} == {
        "closed": round(speech._lids(lids(0.1, 0.2)), 2),
        "half": round(speech._lids(lids(0.5, 0.6)), 2),
    }


def test_eyes_that_only_look_down_are_not_shut() -> None:
    assert speech.blinks([*clip(), lids(0.5, 0.6)], REST) == {}
    assert speech.blinks([*clip(), lids(0.2, 0.9)], REST) == {}
