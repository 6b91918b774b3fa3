"""Zeros that were never written, and zeros that were."""

from __future__ import annotations

import pytest

from anchord.tracking.video.holes import has_hole

NOISE = bytes(range(1, 256)) * 20


@pytest.mark.parametrize("codec", ["vp8", "vp9", "av1", "h264", "hevc", "mpeg2video", "png"])
def test_a_hole_is_found_at_either_end_of_a_page(codec: str) -> None:
    assert not has_hole(NOISE, codec)
    assert has_hole(b"", codec)
    assert has_hole(bytes(16) + NOISE, codec)
    assert has_hole(NOISE + bytes(4096) + NOISE, codec)
    assert has_hole(bytes(4096), codec)


def test_a_few_zeros_are_a_pictures_own() -> None:
    assert not has_hole(bytes(4) + NOISE + bytes(300) + NOISE + bytes(500), "h264")


def test_stuffing_behind_an_mpeg_picture_is_not_one_and_behind_others_is() -> None:
    """MPEG keeps a bit rate with zeros; a VP9 picture ends with its last byte."""
    assert not has_hole(NOISE + bytes(4096), "mpeg2video")
    assert has_hole(NOISE + bytes(4096), "vp9")


@pytest.mark.parametrize("codec", ["dnxhd", "rawvideo", "qtrle"])
def test_black_may_be_nothing_but_zeros_but_for_a_header(codec: str) -> None:
    assert not has_hole(bytes(4096) + b"\x01" + bytes(4096), codec)
    assert has_hole(bytes(4096), codec)
