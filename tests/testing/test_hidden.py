"""The confusion of what is hidden with what is said to be."""

from __future__ import annotations

import pytest

from testing.perfect import document
from testing.reading import Reading
from testing.scores.hidden import Hidden, hidden
from testing.truth import Truth
from tests.testing.made import truth


def scored(known: Truth, marked: range, *, every: int = 1, part: str = "mouth") -> Hidden:
    return hidden(known, Reading(document(known, every=every, hidden={part: list(marked)})), part)


def test_a_hand_that_is_marked_is_found_and_nothing_is_false() -> None:
    score = scored(truth(covered=(30, 59, 0.9)), range(30, 60))
    assert (score.hands, score.found, score.false_ms, score.alarms) == (1, 1, 0, 0)
    assert score.late_ms == 0
    assert score.overlong_ms == 0


def test_a_hand_that_is_not_marked_is_missed() -> None:
    score = scored(truth(covered=(30, 59, 0.9)), range(0))
    assert (score.hands, score.found) == (1, 0)


def test_a_hand_that_is_marked_for_less_than_half_its_time_is_missed() -> None:
    score = scored(truth(covered=(30, 59, 0.9)), range(46, 60))
    assert score.found == 0
    assert score.late_ms == pytest.approx(533.3, abs=0.1)


def test_a_mark_with_nothing_near_is_false_for_as_long_as_it_lasts() -> None:
    score = scored(truth(), range(60, 75))
    assert score.false_ms == pytest.approx(500)
    assert score.alarms == 1
    assert score.clear_ms == pytest.approx(4000)


def test_a_mark_that_outlasts_the_hand_is_overlong_and_beyond_the_fringe_false() -> None:
    score = scored(truth(covered=(30, 59, 0.9)), range(30, 90))
    assert score.overlong_ms == pytest.approx(1000)
    assert score.false_ms == pytest.approx(1000 - 200, abs=34)


def test_less_than_half_of_a_part_and_short_hands_may_be_marked_or_not() -> None:
    for known in (truth(covered=(30, 59, 0.3)), truth(covered=(30, 40, 1.0))):
        for marked in (range(0), range(30, 60 if known.covered["mouth"][50] else 41)):
            score = scored(known, marked)
            assert (score.hands, score.false_ms) == (0, 0)


def test_sparse_samples_are_held_to_the_next() -> None:
    """As a player holds them; the fringe forgives what that costs."""
    score = scored(truth(covered=(30, 59, 0.9)), range(28, 61), every=5)
    assert (score.found, score.false_ms) == (1, 0)


def test_another_parts_mark_is_false() -> None:
    known = truth(covered=(30, 59, 0.9))
    assert scored(known, range(30, 60), part="eyes").false_ms == pytest.approx(1000)
