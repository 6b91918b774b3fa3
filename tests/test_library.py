"""anchord from a program: what it gives, what it refuses, and what it loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import anchord
from anchord import Extractor, Timeline, anchor_at, errors, extract, read_timeline, timeline
from tests.films import small_film
from tests.service.running import drop


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "me" / "idle.webm"
    drop(file, small_film())
    return file


def test_a_video_becomes_a_timeline_and_nothing_is_written(video: Path) -> None:
    seen: list[int] = []
    made = extract(video, sample_rate=5, include=["pose"], on_progress=lambda done, _: seen.append(done))

    assert isinstance(made, Timeline)
    assert made.source.sample_every_n_frames == 5
    assert {0, 5, 10, 14} <= {sample.frame for sample in made.frames}
    assert made.frames[0].pose
    assert seen
    assert anchor_at(made, "mouth", 100)
    assert [file.name for file in video.parent.iterdir()] == ["idle.webm"]

    written = video.with_name("anchors_timeline.json")
    written.write_bytes(timeline.encode(made))
    assert read_timeline(written) == made


def test_one_worker_does_one_video_after_another_and_outlives_a_bad_one(video: Path) -> None:
    bad = video.with_name("bad.webm")
    bad.write_bytes(b"no video at all")
    with Extractor() as extractor:
        pid = extractor._worker.pid
        with pytest.raises(anchord.VideoError, match=r"bad\.webm"):
            extractor.extract(bad)
        assert extractor.extract(video).quality.coverage == 1
        assert extractor._worker.pid == pid


def test_a_worker_that_was_lost_is_replaced_at_the_next_call(video: Path) -> None:
    with Extractor() as extractor:
        extractor._worker.stop("by a test")
        with pytest.raises(errors.WorkerError):
            extractor.extract(video)
        assert extractor.extract(video).frames


@pytest.mark.parametrize(
    ("options", "says"),
    [({"sample_rate": 0}, r"sample_rate = 0"), ({"sample_rat": 1}, r"did you mean 'sample_rate'")],
)
def test_an_option_that_cannot_be_is_named(video: Path, options: dict[str, int], says: str) -> None:
    with Extractor() as extractor, pytest.raises(errors.SettingsError, match=says):
        extractor.extract(video, **options)  # type: ignore[arg-type]


def test_settings_come_from_the_file_that_is_named(video: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[extract]\nsample_rate = 7\n")
    assert extract(video, settings=file).source.sample_every_n_frames == 7


def test_what_is_no_timeline_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(errors.NoInputError, match=r"none\.json"):
        read_timeline(tmp_path / "none.json")
    file = tmp_path / "some.json"
    for content in (b"{}", b"no JSON", b"[" * 100_000):
        file.write_bytes(content)
        with pytest.raises(errors.FileError, match=r"some\.json: is no timeline"):
            read_timeline(file)


def test_importing_it_loads_none_of_it() -> None:
    program = (
        "import sys, anchord; first = [name for name in sys.modules if name.startswith('anchord.')];"
        "dir(anchord); anchord.anchor_at; anchord.extract;"
        "print(first, sorted({'numpy', 'av', 'cv2', 'mediapipe', 'watchdog'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[] []"


def test_a_name_that_it_has_not_is_no_attribute() -> None:
    assert set(anchord._ROOMS) | {"__version__"} == set(anchord.__all__) <= set(dir(anchord))
    with pytest.raises(AttributeError, match="'extrct'"):
        anchord.extrct  # noqa: B018
