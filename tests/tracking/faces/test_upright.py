"""A video stands on its head where that is plainer than not."""

from __future__ import annotations

from anchord.tracking.faces.upright import Stand, Stands, is_down

LIKE, UNLIKE = Stand(1.1, 0.5), Stand(0.3, 0.47)


def test_faces_that_are_better_the_other_way_round_are_upside_down() -> None:
    assert is_down([Stands(UNLIKE, LIKE)])
    assert not is_down([Stands(LIKE, UNLIKE)])


def test_both_must_be_better() -> None:
    assert not is_down([Stands(Stand(0.3, 0.5), Stand(0.4, 0.47))])
    assert not is_down([Stands(Stand(0.4, 0.47), Stand(0.3, 0.5))])


def test_a_face_that_is_seen_only_the_other_way_round_is_upside_down_unless_it_is_a_single_one() -> None:
    assert is_down(3 * [Stands(None, UNLIKE)])
    assert not is_down([Stands(None, LIKE), Stands(None, None), Stands(None, None)])


def test_a_face_that_is_seen_more_often_as_it_is_stands_well() -> None:
    assert not is_down([Stands(UNLIKE, LIKE), Stands(UNLIKE, None)])


def test_nothing_is_known_of_what_shows_no_face() -> None:
    assert not is_down([])
    assert not is_down([Stands(None, None)])
