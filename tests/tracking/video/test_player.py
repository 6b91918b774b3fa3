"""What a player shows is what is tracked. Which file it shows how stands in test_formats.py."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from anchord.errors import VideoError
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Timeline
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from anchord.tracking.video import Video
from tests.containers import AVC1, box, webm, webm_track, with_box, with_matrix
from tests.films import SIZE, small_film
from tests.formats import FRAMES, blocks, h264, vp9


def extracted(content: bytes, folder: Path, finder: FaceFinder) -> Timeline:
    file = folder / "idle"
    file.write_bytes(content)
    with file.open("rb") as stream:
        settings = ExtractSettings(sample_rate=5, target_width=SIZE[0], target_height=SIZE[1])
        return extract(stream, file.name, settings, Limits(), finder)


def test_the_anchors_of_a_mirrored_film_are_mirrored(tmp_path: Path, finder: FaceFinder) -> None:
    """As a phone's front camera writes it."""
    content = small_film("h264.mp4").read_bytes()
    plain = extracted(content, tmp_path, finder)
    mirrored = extracted(with_matrix(content, (-1, 0, 0, 1)), tmp_path, finder)
    assert (plain.source.mirrored, mirrored.source.mirrored) == (False, True)
    assert plain.source.rotation == mirrored.source.rotation == 0
    assert mirrored.quality.coverage == 1
    for here, there in zip(plain.frames, mirrored.frames, strict=True):
        for part in ("mouth", "eyes"):
            one, other = getattr(here, part), getattr(there, part)
            # The model sees a face and its mirror image slightly differently.
            assert other.cx == pytest.approx(SIZE[0] - one.cx, abs=2)
            assert other.cy == pytest.approx(one.cy, abs=2)
            assert other.roll == pytest.approx(-one.roll, abs=2)


def test_what_is_odd_about_the_file_stands_in_the_timeline(tmp_path: Path, finder: FaceFinder) -> None:
    content = small_film("h264.mp4").read_bytes()
    codes = [warning.code for warning in extracted(content, tmp_path, finder).quality.warnings]
    odd = [warning.code for warning in extracted(content + bytes(8), tmp_path, finder).quality.warnings]
    assert odd == ["trailing_bytes", *codes]


def played(content: bytes, folder: Path, **limits: Any) -> int:
    file = folder / "idle"
    file.write_bytes(content)
    with file.open("rb") as stream, Video(stream=stream, name=file.name, limits=Limits(**limits)) as video:
        return sum(1 for _ in video.frames())


def humble() -> bytes:
    """A WebM whose header says that its pictures are smaller than they are, and takes no time."""
    return webm([webm_track(b"V_VP9", (88, 72))], blocks(vp9()), duration_ms=0)


@pytest.mark.parametrize(
    ("key", "limit"),
    [("max_pixels", 10_000), ("max_frames", 5), ("max_bytes", 1000), ("max_duration_s", 0.2)],
)
def test_a_limit_holds_whatever_the_header_says(tmp_path: Path, key: str, limit: float) -> None:
    assert played(humble(), tmp_path) == FRAMES
    with pytest.raises(VideoError, match=f"over the limit {key} = {limit}"):
        played(humble(), tmp_path, **{key: limit})


@pytest.mark.parametrize("aspect", [(17, 1), (1, 17), (100_000, 1)])
def test_pixels_of_an_absurd_shape_are_refused(tmp_path: Path, aspect: tuple[int, int]) -> None:
    """A few bytes would make a picture of gigabytes."""
    content = with_box(h264(), AVC1, box(b"pasp", struct.pack(">II", *aspect)))
    with pytest.raises(VideoError, match="is absurd"):
        played(content, tmp_path)


def test_a_frame_that_is_not_later_than_the_one_before_is_counted_and_left_out(tmp_path: Path) -> None:
    """A player never shows it."""
    shown = blocks(vp9())
    again = [
        (track, 40 if time_ms == 80 else time_ms, key, content) for track, time_ms, key, content in shown
    ]
    file = tmp_path / "idle"
    file.write_bytes(webm([webm_track(b"V_VP9", SIZE)], again, duration_ms=480))
    with file.open("rb") as stream, Video(stream=stream, name=file.name, limits=Limits()) as video:
        indices = [frame.index for frame in video.frames()]
        assert indices == [0, 1, *range(3, FRAMES)]
        assert video.facts().frame_count == FRAMES


def test_a_film_of_no_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="has no frames"):
        played(webm([webm_track(b"V_VP9", SIZE)], [], duration_ms=480), tmp_path)
