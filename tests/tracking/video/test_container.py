"""Kind and wholeness from structure alone."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

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


def test_a_lost_piece_in_the_middle_is_damage(tmp_path: Path) -> None:
    """Sizes no longer lead from block to block, or to the end of the file."""
    for name in KINDS:
        whole = small_film(name).read_bytes()
        file = tmp_path / name
        file.write_bytes(whole[: len(whole) // 2] + whole[len(whole) // 2 + 1000 :])
        with pytest.raises(VideoError):
            check(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (bytes.fromhex("000001ba44000400"), "an MPEG program stream .*ffmpeg -i"),
        (b"OggS\0", "an Ogg file"),
        (b"\x47" + b"\xff" * 187 + b"\x47", "an MPEG transport stream"),
        (b"hello, I am a video", "neither a WebM nor an MP4"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "neither a WebM nor an MP4"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "neither a WebM nor an MP4"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "an AVI video, neither a WebM nor an MP4"),
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
