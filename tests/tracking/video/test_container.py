"""Kind and wholeness from structure alone."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from anchord.demo.film import encode, film
from anchord.errors import IncompleteVideoError, VideoError
from anchord.tracking.video.container import checked_container
from tests.films import small_film

KINDS = ["vp9.webm", "h264.mp4", "h264.mov"]


def check(file: Path) -> str:
    with file.open("rb") as stream:
        return checked_container(stream, file.name).demuxer


@pytest.mark.parametrize(
    ("name", "demuxer"), [("vp9.webm", "matroska"), ("h264.mp4", "mov"), ("h264.mov", "mov")]
)
def test_a_whole_file_names_its_demuxer(name: str, demuxer: str) -> None:
    assert check(small_film(name)) == demuxer


@pytest.mark.parametrize("name", KINDS)
@hypothesis.given(share=st.floats(0.01, 0.999))
@hypothesis.settings(max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_a_file_cut_anywhere_is_incomplete(
    tmp_path_factory: pytest.TempPathFactory, name: str, share: float
) -> None:
    whole = small_film(name).read_bytes()
    file = tmp_path_factory.mktemp("cut") / name
    file.write_bytes(whole[: max(16, int(len(whole) * share))])
    with pytest.raises(IncompleteVideoError, match="in the middle"):
        check(file)


def test_a_live_recording_without_sizes_is_whole_and_cut_inside_a_block_is_not(tmp_path: Path) -> None:
    """Browsers' recorders leave the sizes of segment and clusters unknown."""
    file = tmp_path / "live.webm"
    pictures = list(film(times_ms=[0, 100, 200], size=(64, 80)))
    encode(file, pictures, form="webm", container_options={"live": "1"})
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in file.read_bytes()
    assert check(file) == "matroska"
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


def test_a_lost_piece_in_the_middle_is_damage(tmp_path: Path) -> None:
    """Sizes no longer lead from block to block, or to the end of the file."""
    for name in KINDS:
        whole = small_film(name).read_bytes()
        file = tmp_path / name
        file.write_bytes(whole[: len(whole) // 2] + whole[len(whole) // 2 + 1000 :])
        with pytest.raises(VideoError):
            check(file)


def test_a_second_webm_behind_the_first_is_refused(tmp_path: Path) -> None:
    """Players disagree on what to show of it."""
    file = tmp_path / "idle.webm"
    whole = small_film("vp9.webm").read_bytes()
    file.write_bytes(whole + whole)
    with pytest.raises(VideoError, match=f"a second video from byte {len(whole)} on"):
        check(file)


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
    assert check(file) == "mov"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello, I am a video", "neither a WebM nor an MP4"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "neither a WebM nor an MP4"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "neither a WebM nor an MP4"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "neither a WebM nor an MP4"),
        (bytes(range(7, 255)), "neither a WebM nor an MP4"),
    ],
)
def test_anything_else_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "idle.webm"
    file.write_bytes(content)
    with pytest.raises(VideoError, match=words) as caught:
        check(file)
    assert "idle.webm" in str(caught.value)
    assert not isinstance(caught.value, IncompleteVideoError)


@hypothesis.given(st.binary(max_size=200), st.sampled_from([b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp"]))
@hypothesis.settings(suppress_health_check=list(hypothesis.HealthCheck), deadline=None)
def test_noise_behind_a_magic_number_is_an_answer_not_a_crash(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, magic: bytes
) -> None:
    file = tmp_path_factory.mktemp("noise") / "idle.webm"
    file.write_bytes(magic + noise)
    with pytest.raises(VideoError):
        check(file)
