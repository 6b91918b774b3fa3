"""Damage that FFmpeg would pass over in silence."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import av
import pytest

from anchord.errors import VideoError
from anchord.settings import Limits
from anchord.tracking.video import Video
from anchord.tracking.video.colour import Colours
from anchord.tracking.video.reader import Picture
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
