"""The track that is looked at is the one that is seen. What Chromium takes, test_formats.py's files show."""

from __future__ import annotations

from anchord.tracking.video.tracks import Track, shown_track

ON = Track(codec="h264", is_enabled=True, is_picture=False)
OFF = Track(codec="h264", is_enabled=False, is_picture=False)
COVER = Track(codec="mjpeg", is_enabled=True, is_picture=True)
FOREIGN = Track(codec="prores", is_enabled=True, is_picture=False)
UNKNOWN = Track(codec=None, is_enabled=True, is_picture=False)


def test_the_first_that_is_switched_on() -> None:
    assert shown_track([ON, ON]) == 0
    assert shown_track([OFF, ON]) == 1
    assert shown_track([COVER, OFF, ON]) == 2


def test_the_first_where_none_is() -> None:
    assert shown_track([OFF, OFF]) == 0


def test_one_that_browsers_play_goes_before_one_that_is_switched_on() -> None:
    assert shown_track([FOREIGN, OFF]) == 1


def test_one_that_browsers_do_not_play_is_better_than_none() -> None:
    assert shown_track([COVER, UNKNOWN, FOREIGN]) == 2


def test_covers_and_unknown_codecs_are_no_film() -> None:
    assert shown_track([]) is None
    assert shown_track([COVER, UNKNOWN]) is None
