"""Whether an MP4 is whole, by its boxes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from anchord.errors import IncompleteVideoError, VideoError
from anchord.tracking.video.mp4 import end_of_boxes
from tests.containers import box
from tests.films import small_film
from tests.torture.films import films

FRAGMENTED = "h264-fragmented.mp4"
CLOSED = ["h264.mp4", "h264-faststart.mp4", "h264.mov", "av1.mp4"]


def end(content: bytes) -> int:
    return end_of_boxes(io.BufferedReader(io.BytesIO(content)), len(content), "idle")


def check(file: Path) -> int:
    with file.open("rb") as stream:
        return end_of_boxes(stream, file.stat().st_size, file.name)


def with_hole(content: bytes, at: int, size: int) -> bytes:
    return content[:at] + bytes(size) + content[at + size :]


def test_a_hole_in_the_index_of_an_mp4_is_damage(tmp_path: Path) -> None:
    """The boxes within must fill it exactly."""
    file = tmp_path / "idle.mp4"
    whole = small_film("h264.mp4").read_bytes()
    file.write_bytes(with_hole(whole, whole.index(b"mdia") - 4, 300))
    with pytest.raises(VideoError, match="a box has 0 bytes"):
        check(file)


def test_boxes_nested_without_end_are_not_followed_for_ever(tmp_path: Path) -> None:
    """Each level costs eight bytes; a file could hold a hundred million."""
    file = tmp_path / "idle.mp4"
    nested = b""
    for _ in range(3000):
        nested = (len(nested) + 8).to_bytes(4, "big") + b"moov" + nested
    file.write_bytes(nested + b"\0\0\0\x08mdat")
    assert check(file) == file.stat().st_size


@pytest.mark.parametrize("name", CLOSED)
def test_behind_its_last_box_anything_may_lie(name: str) -> None:
    """The index tells of every picture, and they are all there."""
    whole = films()[name]
    for tail in (b"\r\n--form--\r\n", bytes(8), bytes(4096), b"\xff" * 100, b"abc", films()["vp9.webm"]):
        assert end(whole + tail) == len(whole)


@pytest.mark.parametrize("tail", [b"\r\n--form--\r\n", bytes(8)])
def test_behind_fragments_only_what_is_no_piece_of_one(tail: bytes) -> None:
    whole = films()[FRAGMENTED]
    assert end(whole + tail) == len(whole)


def test_behind_fragments_a_page_of_zeros_is_a_hole() -> None:
    """Nothing says how many there are: an upload that is under way looks the same."""
    for tail in (bytes(4096), b"\xff" * 100, b"\0\0\1"):
        with pytest.raises(VideoError):
            end(films()[FRAGMENTED] + tail)


def test_a_box_that_a_video_goes_on_with_is_cut_though_all_before_it_is_whole() -> None:
    for kind in (b"mdat", b"moof", b"free"):
        with pytest.raises(IncompleteVideoError):
            end(films()["h264.mp4"] + box(kind, bytes(500))[:-1])


@pytest.mark.parametrize("name", CLOSED)
def test_one_that_is_cut_is_never_whole(name: str) -> None:
    whole = films()[name]
    for length in range(8, len(whole), 3):
        with pytest.raises(VideoError):
            end(whole[:length])


def test_one_in_fragments_that_is_cut_is_whole_only_between_them() -> None:
    whole = films()[FRAGMENTED]
    taken = []
    for length in range(1000, len(whole)):
        try:
            taken.append(end(whole[:length]))
        except IncompleteVideoError:
            continue
        assert taken[-1] == length
    assert all(whole[length + 4 : length + 8] in (b"moof", b"mdat", b"mfra") for length in taken)


def test_an_index_without_pictures_is_half_an_upload() -> None:
    """Cut just where the pictures of a file begin that has its index in front."""
    whole = films()["h264-faststart.mp4"]
    with pytest.raises(IncompleteVideoError):
        end(whole[: whole.index(b"mdat") - 4])


def test_a_second_mp4_behind_the_first_is_refused() -> None:
    """Players disagree on what to show of it."""
    whole = films()["h264.mp4"]
    for second in (whole, films()[FRAGMENTED]):
        with pytest.raises(VideoError, match=f"a second video from byte {len(whole)} on"):
            end(whole + second)
