"""What stays in front of eyes for a whole clip is told by the skin around them."""

from __future__ import annotations

import math

from anchord.tracking.motion.eyewear import Eyes, behind

BARE = Eyes(shade=(-0.1, -0.05), likeness=0.5)
SHADED = Eyes(shade=(-1.1, -1.2), likeness=0.1)


def test_eyes_that_can_be_seen_are_behind_nothing() -> None:
    assert behind([BARE]) is None


def test_both_dark_and_unlike_eyes_are_behind_sunglasses() -> None:
    assert behind([SHADED, SHADED, BARE]) == "something dark such as sunglasses"


def test_deep_sockets_and_dark_skin_have_one_of_the_two_only() -> None:
    assert behind([Eyes(shade=(-0.75, -0.8), likeness=0.46)]) is None
    assert behind([Eyes(shade=(0.1, 0.2), likeness=0.07)]) is None


def test_one_eye_that_is_darker_or_lighter_than_the_other_is_behind_hair() -> None:
    for shade in ((-0.9, -0.1), (-0.1, -0.9), (0.5, -0.1)):
        assert behind([Eyes(shade=shade, likeness=0.3)]) == "something such as hair on one side"


def test_what_a_minority_of_samples_shows_is_no_matter() -> None:
    assert behind([BARE, BARE, SHADED]) is None


def test_nothing_is_known_where_the_picture_ends_before() -> None:
    assert behind([]) is None
    assert behind([Eyes(shade=(math.nan, -0.9), likeness=0.3)]) is None
