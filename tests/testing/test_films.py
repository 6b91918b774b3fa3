"""What the films are made of is what their truth says."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from testing import truth
from testing.bending import SHAPES, bent, mouth_at
from testing.films import DRAWN, FILMS, HANDS, SPEECH, TURNS
from testing.hands import COLOURS, Hand, covered
from testing.making import Film, make, rendered
from testing.motions import MOTIONS, OPEN, Place
from testing.stills import EYES_AT, EYES_PX, PEOPLE, still
from testing.store import kept
from testing.turning import Turn, read_at


def test_every_film_has_a_name_of_its_own_and_a_question() -> None:
    assert len({film.name for film in FILMS}) == len(FILMS)
    assert all(film.asks for film in FILMS)


def test_minutes_of_speech_and_turns_have_no_hand_in_them() -> None:
    assert sum(film.seconds for film in SPEECH + TURNS) > 200
    assert not any(film.hands for film in SPEECH + TURNS)


@pytest.mark.parametrize("name", [name for name in MOTIONS if name not in OPEN])
def test_motions_close(name: str) -> None:
    first, last = (MOTIONS[name](t, 4.0) for t in (0.0, 4.0))
    assert np.allclose(first.matrix(), last.matrix(), atol=1e-9)
    assert (first.yaw_deg, first.pitch_deg) == pytest.approx((last.yaw_deg, last.pitch_deg), abs=1e-9)


@pytest.mark.parametrize("who", PEOPLE)
def test_every_persons_eyes_are_at_the_same_place_and_size(who: str) -> None:
    corners = still(who).mesh[[33, 263], :2]
    assert np.hypot(*(corners[1] - corners[0])) == pytest.approx(EYES_PX)
    assert corners.mean(axis=0) == pytest.approx(EYES_AT)


def test_a_turn_is_undone_by_its_inverse_and_leaves_the_background() -> None:
    turn = Turn("beard", 25, 15)
    field = turn.inverse()
    rest = still("beard").mesh[:, :2]
    seen = turn.moved(rest)
    back = np.hypot(*(seen + read_at(field, seen) - rest).T)
    # By the wings of the nose, where the picture is squeezed most, the field is a little coarse.
    assert back.max() < 0.5
    assert np.median(back) < 0.03
    assert np.hypot(*(seen - rest).T).max() > 0.15 * EYES_PX
    corners = np.array([(5.0, 5.0), (690.0, 5.0), (5.0, 820.0)])
    assert turn.moved(corners) == pytest.approx(corners, abs=0.01)


def test_a_turned_head_is_seen_where_its_truth_says() -> None:
    """A white dot between the eyes goes where the forward map says, in pixels that went the way back."""
    from testing.making import _moved

    turn = Turn("admiral", 12, -5)
    dot = np.array([EYES_AT])
    pixels = np.zeros((832, 704, 3), np.uint8)
    cv2.circle(pixels, (round((dot[0, 0] - 0.5) * 16), round((dot[0, 1] - 0.5) * 16)), 6 * 16, (255,) * 3, -1,
               cv2.LINE_AA, 4)  # fmt: skip
    matrix = Place().matrix()
    there = turn.moved(dot)[0] @ matrix[:, :2].T + matrix[:, 2]
    seen = _moved(pixels, matrix, (512, 640), turn)[..., 0].astype(float)
    y, x = np.mgrid[:640, :512] + 0.5
    assert [(seen * x).sum() / seen.sum(), (seen * y).sum() / seen.sum()] == pytest.approx(there, abs=0.15)


def test_only_the_mouth_moves_in_speech() -> None:
    person = still("admiral")
    spoken = bent(person, SHAPES["YAWN"], 0.0)
    changed = np.abs(spoken.astype(int) - person.pixels).max(axis=2) > 8
    left, top, right, bottom = (round(value) for value in person.box("mouth"))
    assert changed[top:bottom, left:right].mean() > 0.5
    left, top, right, bottom = (round(value) for value in person.box("eyes"))
    assert not changed[top - 20 : bottom + 20].any()


def test_a_mouth_is_at_rest_before_and_after_its_words() -> None:
    words = next(film.words for film in SPEECH if film.words)
    assert words is not None
    assert mouth_at(0.1, words, ()) is None
    assert mouth_at(words.spans_s[0][0] + 1, words, ()) is not None
    assert mouth_at(words.spans_s[-1][1] + 0.1, words, ()) is None


@pytest.mark.parametrize(
    ("kind", "colour"),
    list(zip(("flat", "spread", "fist", "finger", "two", "mug", "phone"), (*COLOURS, "light"), strict=True)),
)
def test_what_is_covered_is_hidden_and_the_rest_is_not(kind: str, colour: str) -> None:
    hand = Hand(kind=kind, colour=colour, start_s=0, enter_s=0.1, stay_s=1, dark=0.0)  # type: ignore[arg-type]
    matrix = Place().matrix()
    behind = [np.full((640, 512, 3), value, np.float32) for value in (0.0, 255.0)]
    (one, cover), (two, _) = (covered(picture, (hand,), 0.5, 0.04, matrix, matrix) for picture in behind)
    # What is behind shows through by just as much as it is not covered.
    assert (two - one)[..., 0] / 255 == pytest.approx(1 - cover, abs=0.01)
    assert 0.03 < (cover > 0.9).mean() < 0.6


def test_hands_that_must_be_found_cover_half_of_a_part_for_long_enough() -> None:
    known = {film.name: truth.read(kept(film)) for film in HANDS if film.is_quick}
    for name, made in known.items():
        assert made is not None
        cover = np.maximum(made.covered["mouth"], made.covered["eyes"])
        assert (cover >= 0.5).sum() * 0.04 >= 0.39, name
        assert cover[0] == 0, name


def test_a_pack_is_made_once_with_truth_and_static_anchors(tmp_path: Path) -> None:
    film = Film(name="girl_short", asks="nothing", who="girl", seconds=0.4, size=(256, 320), grain=0)
    pack = make(film, tmp_path / "girl")
    known = truth.read(pack)
    assert known is not None
    assert len(known.times_ms) == 12
    manifest = json.loads((pack / "manifest.json").read_text())
    for part in truth.PARTS:
        anchor = manifest[part]["anchor"]
        left, top, right, bottom = known.boxes[part]
        assert anchor["x"] + anchor["w"] / 2 == pytest.approx((left + right) / 2, abs=0.02)
        assert anchor["y"] + anchor["h"] / 2 == pytest.approx((top + bottom) / 2, abs=0.02)
    assert sorted(file.name for file in pack.iterdir()) == [
        "base_face.png", "idle.webm", "manifest.json", "truth.json",
    ]  # fmt: skip


def test_drawn_eyes_shut_in_a_blink() -> None:
    film = next(film for film in DRAWN if film.name == "boy")
    at = round((film.blinks_s[0] + 0.09) * film.fps)
    pictures = [picture for _, (picture, _, _) in zip(range(at + 1), rendered(film), strict=False)]
    assert np.abs(pictures[at].astype(int) - pictures[at - 6]).max() > 100
