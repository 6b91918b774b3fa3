"""The score of real faces reads what was put in: on films, where what is right is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from testing import truth
from testing.films import FILMS
from testing.making import VIDEO
from testing.perfect import document
from testing.product import face_finder, find_with
from testing.reading import Floats, Reading
from testing.scores.lock import Lock, lock
from testing.skin import Skin, skin_of
from testing.store import kept
from testing.truth import PARTS, Truth

_FILM = next(film for film in FILMS if film.name == "blinks")


@pytest.fixture(scope="module")
def measured() -> Iterator[tuple[Truth, Skin]]:
    pack = kept(_FILM)
    known = truth.read(pack)
    assert known is not None
    with face_finder() as finder:
        yield known, skin_of(pack / VIDEO, find_with(finder))


def scored(measured: tuple[Truth, Skin], part: str, shift: Floats) -> Lock:
    known, skin = measured
    score = lock(skin.truth, Reading(document(known, shift=shift)), part, skin.judged[part])
    assert score is not None
    return score


@pytest.mark.parametrize("part", PARTS)
def test_all_of_an_easy_film_is_judged_and_what_is_right_reads_next_to_nothing(
    measured: tuple[Truth, Skin], part: str
) -> None:
    known, skin = measured
    assert skin.judged[part].mean() > 0.98
    right = scored(measured, part, np.zeros((len(known.times_ms), 2)))
    assert right.lock_px < 0.1
    assert right.jitter_px < 0.1


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("rms_px", [0.5, 1.5])
def test_a_slide_that_was_put_in_is_read(measured: tuple[Truth, Skin], part: str, rms_px: float) -> None:
    n = len(measured[0].times_ms)
    turn = 2 * np.pi * np.arange(n) / n
    slide = rms_px * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert scored(measured, part, slide).lock_px == pytest.approx(rms_px, rel=0.1)


@pytest.mark.parametrize("part", PARTS)
def test_a_shiver_that_was_put_in_is_read(measured: tuple[Truth, Skin], part: str) -> None:
    shiver = np.random.default_rng(2).normal(0, 0.1, (len(measured[0].times_ms), 2))
    assert scored(measured, part, shiver).jitter_px == pytest.approx(0.2, rel=0.15)


@pytest.mark.parametrize("part", PARTS)
def test_a_jump_by_much_is_not_overlooked(measured: tuple[Truth, Skin], part: str) -> None:
    """A score whose matches begin at the anchors that it judges loses the skin there, and sees nothing."""
    jump = np.zeros((len(measured[0].times_ms), 2))
    jump[40:60] = (30, -20)
    assert scored(measured, part, jump).worst_px == pytest.approx(np.hypot(30, 20), rel=0.02)
