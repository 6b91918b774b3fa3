"""Whether a WebM is whole, by its elements."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from anchord.demo.film import encode, film
from anchord.errors import IncompleteVideoError, VideoError
from anchord.tracking.video.webm import end_of_segment
from tests.films import small_film
from tests.torture.films import films


def end(content: bytes) -> int:
    return end_of_segment(io.BufferedReader(io.BytesIO(content)), len(content), "idle")


def check(file: Path) -> int:
    with file.open("rb") as stream:
        return end_of_segment(stream, file.stat().st_size, file.name)


def test_a_live_recording_without_sizes_is_whole_and_cut_inside_a_block_is_not(tmp_path: Path) -> None:
    """Browsers' recorders leave the sizes of segment and clusters unknown."""
    file = tmp_path / "live.webm"
    pictures = list(film(times_ms=[0, 100, 200], size=(64, 80)))
    encode(file, pictures, form="webm", container_options={"live": "1"})
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in file.read_bytes()
    assert check(file) == file.stat().st_size
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(IncompleteVideoError):
        check(file)


def with_hole(content: bytes, at: int, size: int) -> bytes:
    return content[:at] + bytes(size) + content[at + size :]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.65])
def test_a_hole_between_blocks_is_damage(tmp_path: Path, share: float) -> None:
    """FFmpeg searches for the next cluster and drops every frame up to there without a word."""
    whole = small_film("vp9.webm").read_bytes()
    file = tmp_path / "idle.webm"
    # Larger than any one picture.
    file.write_bytes(with_hole(whole, int(len(whole) * share), len(whole) // 3))
    with pytest.raises(VideoError, match="is damaged at byte"):
        check(file)


@pytest.mark.parametrize("name", ["vp9.webm", "vp9-live.webm", "vp9.mkv"])
@pytest.mark.parametrize("tail", [b"\r\n--form--\r\n", bytes(8)])
def test_what_is_no_piece_of_a_video_may_lie_behind_it(name: str, tail: bytes) -> None:
    whole = films()[name]
    assert end(whole + tail) == len(whole)


def test_behind_a_segment_with_a_size_anything_may_lie() -> None:
    whole = films()["vp9.webm"]
    for tail in (bytes(4096), b"\xff" * 100, films()["h264.mp4"], b"\x1f\x43"):
        assert end(whole + tail) == len(whole)


def test_behind_a_live_recording_a_page_of_zeros_is_a_hole() -> None:
    """It says nowhere how much of it there is: an upload that is under way looks the same."""
    for tail in (bytes(4096), b"\xff" * 100, b"\xa3\x81"):
        with pytest.raises(VideoError):
            end(films()["vp9-live.webm"] + tail)


def unending() -> bytes:
    """A live recording whose only cluster does not say how long it is either."""
    whole = films()["vp9-live.webm"]
    at = whole.index(b"\x1f\x43\xb6\x75") + 4
    assert whole[at] >> 6 == 1  # two bytes of length follow
    return whole[:at] + b"\x7f\xff" + whole[at + 2 :]


@pytest.mark.parametrize("name", ["vp9-live.webm", "vp9.webm"])
def test_one_that_is_cut_is_never_whole(name: str) -> None:
    whole = films()[name]
    for length in range(1, len(whole), 3):
        with pytest.raises(VideoError):
            end(whole[:length])


def test_a_cluster_without_an_end_is_whole_only_behind_a_block() -> None:
    """Nobody can tell how many blocks were still to come."""
    whole = unending()
    taken = []
    for length in range(300, len(whole) + 1):
        try:
            assert end(whole[:length]) == length
            taken.append(length)
        except IncompleteVideoError:
            continue
    assert taken[-1] == len(whole)
    assert all(whole[length] == 0xA3 for length in taken[2:-1])
    assert len(taken) == 12 + 2  # behind each block, the cluster's head and its time


def test_a_second_webm_behind_the_first_is_refused() -> None:
    """Players disagree on what to show of it."""
    whole = films()["vp9.webm"]
    with pytest.raises(VideoError, match=f"a second video from byte {len(whole)} on"):
        end(whole + whole)
