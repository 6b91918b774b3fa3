"""Damage that FFmpeg would pass over in silence."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import av
import pytest

from anchord.errors import IncompleteVideoError, VideoError
from anchord.settings import Limits
from anchord.tracking.video import Video
from anchord.tracking.video.colour import Colours
from anchord.tracking.video.orientation import Orientation
from anchord.tracking.video.reader import Picture, _matrices_in
from tests.torture.films import films


def frames(content: bytes, folder: Path) -> int:
    file = folder / "idle.webm"
    file.write_bytes(content)
    with file.open("rb") as stream, Video(stream=stream, name=file.name, limits=Limits(), threads=2) as video:
        return sum(1 for _ in video.frames())


@pytest.mark.parametrize("name", sorted(films()))
def test_every_container_and_codec_is_decoded_to_its_last_frame(name: str, tmp_path: Path) -> None:
    assert frames(films()[name], tmp_path) == 12


@pytest.mark.parametrize("name", ["h264.mp4", "h264-fragmented.mp4", "h264.mov", "av1.mp4"])
def test_a_hole_in_the_pictures_is_found_though_the_index_is_whole(name: str, tmp_path: Path) -> None:
    """What space reserved for an upload looks like before the rest arrives; an AV1 decoder skips it."""
    whole = films()[name]
    start = whole.rindex(b"mdat") + 2000 if "fragmented" not in name else len(whole) // 2
    hole = min(4096, len(whole) - start - 1200)
    with pytest.raises(VideoError):
        frames(whole[:start] + bytes(hole) + whole[start + hole :], tmp_path)


def test_what_vp8_conceals_is_damage(tmp_path: Path) -> None:
    """FFmpeg's decoder says so only where it decodes a frame in several threads."""
    whole = films()["vp8.webm"]
    refused = 0
    for at in range(len(whole) - 1500, len(whole) - 500, 25):
        try:
            frames(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :], tmp_path)
        except VideoError:
            refused += 1
    assert refused


def test_a_want_of_memory_is_not_called_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's error for it is one of FFmpeg's errors and a MemoryError at once."""

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise av.error.MemoryError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(MemoryError):
        frames(films()["vp9.webm"], tmp_path)


def test_a_picture_that_finds_no_memory_is_not_called_damage() -> None:
    """FFmpeg's error for it is one of FFmpeg's errors too."""

    class Decoded:
        format = av.VideoFormat("yuv420p", 16, 16)
        colorspace = color_range = 2

        def reformat(self, **_options: object) -> None:
            raise av.error.MemoryError(0, "none")

    decoded: Any = Decoded()
    with pytest.raises(MemoryError):
        Picture(frame=decoded, time_ms=0, end_ms=1).pixels((16, 16), Colours(matrix=5, is_full_range=False))


def test_the_turn_is_known_beside_a_note_that_pyav_has_no_name_for() -> None:
    """Pictures for two eyes come with such a note, and then none can be read."""

    class Decoded:
        rotation = -90

        @property
        def side_data(self) -> None:
            raise ValueError("37 is not a valid Type")

    class Decoder:
        def decode(self, packet: object) -> list[Decoded]:
            return [Decoded()] if packet else []

        def flush_buffers(self) -> None: ...

    assert Orientation.of_matrices(_matrices_in(Decoder(), b"x")) == Orientation(rotation=270)


@pytest.mark.parametrize("name", sorted(films()))
def test_half_an_upload_is_never_taken_for_a_whole_one(name: str, tmp_path: Path) -> None:
    """Neither where the file grows, nor where its space is set aside first and filled from the front."""
    whole = films()[name]
    for share in range(1, 32):
        front = whole[: len(whole) * share // 32]
        for content in (front, front + bytes(len(whole) - len(front))):
            try:
                # Nothing tells where a live recording or a film in fragments should have ended.
                assert frames(content, tmp_path) == 12 or (content == front and is_cut_between(whole, front))
            except VideoError:
                continue


def test_a_cut_behind_a_picture_shows_in_the_index(tmp_path: Path) -> None:
    """The box of pictures has no length here, as a camera leaves it that does not know yet."""
    whole = films()["h264-faststart.mp4"]
    at = whole.index(b"mdat") - 4
    open_ended = whole[:at] + bytes(4) + whole[at + 4 :]
    assert frames(open_ended, tmp_path) == 12
    with av.open(io.BytesIO(whole), "r") as container:
        starts = [packet.pos for packet in container.demux(video=0) if packet.size]
    for start in starts:
        assert start is not None
        with pytest.raises(IncompleteVideoError, match="in the middle"):
            frames(open_ended[:start], tmp_path)


def is_cut_between(whole: bytes, front: bytes) -> bool:
    """Whether a box begins where the front ends."""
    return whole[len(front) + 4 : len(front) + 8] in (b"moof", b"mdat", b"mfra")
