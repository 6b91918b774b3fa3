"""Whose word on colours counts. That it is then right, test_formats.py shows."""

from __future__ import annotations

import pytest

from anchord.tracking.video.colour import colours

BT601, BT709, BT2020 = 5, 1, 9  # as libswscale numbers them
UNSAID = 2


@pytest.mark.parametrize(
    ("named", "meant"), [(1, BT709), (5, BT601), (6, BT601), (7, 7), (9, BT2020), (10, BT2020)]
)
@pytest.mark.parametrize("codec", ["h264", "vp9", "av1", "prores"])
def test_what_a_file_names_is_believed(codec: str, named: int, meant: int) -> None:
    for height in (480, 1080):
        assert colours(codec=codec, height=height, matrix=named, is_full_range=False).matrix == meant


@pytest.mark.parametrize("unknown", [UNSAID, 0, 3, 8, 14, 99])
def test_what_it_does_not_name_is_guessed_from_its_height(unknown: int) -> None:
    def guessed(codec: str, height: int) -> int:
        return colours(codec=codec, height=height, matrix=unknown, is_full_range=False).matrix

    assert [guessed("h264", height) for height in (719, 720)] == [BT601, BT709]
    assert [guessed("vp9", height) for height in (719, 720)] == [BT601, BT601]
    assert [guessed("av1", height) for height in (719, 720)] == [BT601, BT601]


def test_vp8_says_nothing_whatever_ffmpeg_makes_of_it() -> None:
    assert colours(codec="vp8", height=720, matrix=5, is_full_range=False).matrix == BT709


@pytest.mark.parametrize("is_full_range", [True, False])
def test_the_range_is_what_it_says(is_full_range: bool) -> None:
    assert (
        colours(codec="h264", height=1, matrix=1, is_full_range=is_full_range).is_full_range is is_full_range
    )
