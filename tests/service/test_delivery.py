"""A worker's draft is input: compared with its task, and written in our own encoding."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anchord import __version__, timeline
from anchord.errors import ChangedVideoError, FileError, NoInputError, WorkerError, WorkerStartError
from anchord.files import Folder
from anchord.model import MODEL_SHA256
from anchord.packs import feed_of
from anchord.service.delivery import checked, deliver
from anchord.settings import ExtractSettings, Limits, PackSettings
from anchord.worker.executor import Draft, Task
from tests.test_timeline import made

SHA256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"  # of b"content"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "me").mkdir()
    (tmp_path / "me" / "idle.webm").write_bytes(b"content")
    return tmp_path


@pytest.fixture
def task(root: Path) -> Task:
    with Folder(f"{root}/me") as folder:
        feed = feed_of(folder, PackSettings())
    return Task(
        pack="me",
        settings=PackSettings(),
        limits=Limits(),
        feed=feed,
        sha256=SHA256,
        reason="timeline missing",
        owner=os.getuid(),
    )


def honest(task: Task) -> dict[str, Any]:
    """What an honest worker sends for it, as JSON's own types."""
    base, video, extract = made([sample(0), sample(3)]), task.feed[0], ExtractSettings()
    assert video is not None
    good = msgspec.structs.replace(
        base,
        source=msgspec.structs.replace(
            base.source,
            video="idle.webm",
            size=video.size,
            mtime_us=video.mtime_us,
            sha256=SHA256,
            sample_every_n_frames=extract.sample_rate,
        ),
        target=timeline.Target(width=512, height=640, fit="contain"),
        config=timeline.Config(
            **{name: getattr(extract, name) for name in timeline.Config.__struct_fields__}
        ),
        generator=timeline.Generator(
            name="anchord",
            version=__version__,
            method=timeline.METHOD,
            model_sha256=MODEL_SHA256,
            settings_sha256=extract.sha256(),
        ),
    )
    found: dict[str, Any] = json.loads(timeline.encode(good))
    return found


def sample(frame: int) -> timeline.Sample:
    box = timeline.Anchor(x=176.2, y=400.1, w=160.4, h=119.8, cx=256.4, cy=460, roll=0.31)
    return timeline.Sample(frame=frame, time_ms=frame * 33.333, status="tracked", mouth=box, eyes=box)


def draft(said: dict[str, Any]) -> Draft:
    return Draft(json.dumps(said, separators=(",", ":")).encode() + b"\n")


def test_an_honest_draft_is_written_just_as_it_was_sent(root: Path, task: Task) -> None:
    sent = draft(honest(task))
    found = deliver(str(root), task, sent)
    file = root / "me" / "anchors_timeline.json"
    assert file.read_bytes() == sent.content
    assert (found.byte_count, found.output.inode) == (len(sent.content), file.stat().st_ino)
    assert file.stat().st_mode & 0o777 == 0o644


def changed(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def change(said: dict[str, Any]) -> None:
        place: Any = said
        for key in path[:-1]:
            place = place[key]
        assert path[-1] in place or isinstance(path[-1], int), path
        place[path[-1]] = to

    return change


LIES: list[Callable[[dict[str, Any]], object]] = [
    changed("source", "video", to="other.webm"),
    changed("source", "size", to=8),
    changed("source", "mtime_us", to=0),
    changed("source", "sha256", to="0" * 64),
    changed("source", "sha256", to="no digest"),
    changed("source", "sample_every_n_frames", to=1),
    changed("source", "frame_count", to=10**9),
    changed("source", "frame_count", to=1),
    changed("source", "width", to=10**6),
    changed("source", "duration_ms", to=10**9),
    changed("source", "duration_ms", to=-1),
    changed("source", "codec", to="<script>alert(1)</script>"),
    changed("source", "codec", to="\x1b[2J"),
    changed("target", "width", to=100),
    changed("target", "fit", to="cover"),
    changed("config", "mouth_padding", to=9.5),
    changed("config", "follow", to="landmarks"),
    changed("generator", "name", to="evil"),
    changed("generator", "method", to=timeline.METHOD + 1),
    changed("generator", "model_sha256", to="0" * 64),
    changed("generator", "settings_sha256", to="0" * 64),
    changed("quality", "coverage", to=0.123),
    changed("quality", "coverage", to=7),
    changed("quality", "faces", to=10**6),
    changed("quality", "samples", to=-1),
    changed("quality", "warnings", to=[{"code": "a b", "message": ""}]),
    changed("quality", "warnings", to=[{"code": "a", "message": "x" * 5000}]),
    changed("quality", "warnings", to=[{"code": "a", "message": "m"}] * 200),
    changed("frames", 0, "time_ms", to=1e9),
    changed("frames", 1, "frame", to=0),
    changed("frames", 0, "mouth", "cx", to=1e30),
    changed("frames", 0, "mouth", "cx", to="176"),
    changed("frames", 0, "mouth", "cx", to=None),
    changed("frames", 0, "status", to="sure"),
    changed("frames", 0, to=[[[[[]]]]]),
    changed("version", to=2),
    lambda said: said.update(extra=1),
    lambda said: said["frames"][0].update(extra=1),
    lambda said: said["frames"][0]["mouth"].update(extra=1),
    lambda said: said.pop("loop"),
]


@pytest.mark.parametrize("lie", range(len(LIES)))
def test_no_forged_value_reaches_the_file(root: Path, task: Task, lie: int) -> None:
    said = honest(task)
    LIES[lie](said)
    with pytest.raises(WorkerError):
        deliver(str(root), task, draft(said))
    assert os.listdir(root / "me") == ["idle.webm"]


RAW = [
    b"",
    b"{",
    b"[" * 100_000,
    b'{"version":1,"frames":' + b"[" * 100_000,
    b"\xff\xfe",
    b"null",
    b'{"version":' + b"9" * 10_000 + b"}",
]


@pytest.mark.parametrize("raw", RAW)
def test_what_is_no_timeline_is_the_workers_fault(task: Task, raw: bytes) -> None:
    with pytest.raises(WorkerError, match="makes no sense"):
        checked(task, Draft(raw))


def test_another_encoding_of_the_same_is_refused(task: Task) -> None:
    """Two keys of one name, white space, other forms of a number: whoever reads it might read otherwise."""
    said = honest(task)
    good = draft(said).content
    for odd in (
        good.replace(b'{"version":1,', b'{"version":1,"version":1,'),
        good.replace(b",", b", ", 1),
        good + b"\n",
        json.dumps(said, separators=(",", ":")).encode(),
    ):
        with pytest.raises(WorkerError, match="encoded"):
            checked(task, Draft(odd))


def test_a_worker_of_another_version_is_the_machines_fault(task: Task) -> None:
    """An upgrade under way: the video must not be parked for it."""
    said = honest(task)
    said["generator"]["version"] = "9.9.9"
    with pytest.raises(WorkerStartError, match="restart anchord"):
        checked(task, draft(said))


@pytest.mark.parametrize("name", ["idle.webm", "manifest.json", "anchord.toml"])
def test_a_change_under_way_throws_the_result_away(root: Path, task: Task, name: str) -> None:
    (root / "me" / name).write_bytes(b"another")
    with pytest.raises(ChangedVideoError):
        deliver(str(root), task, draft(honest(task)))
    assert not (root / "me" / "anchors_timeline.json").exists()


def test_a_chmod_under_way_throws_nothing_away(root: Path, task: Task) -> None:
    (root / "me" / "idle.webm").chmod(0o600)
    deliver(str(root), task, draft(honest(task)))


def test_a_pack_that_went_away_is_no_error_of_anybody(root: Path, task: Task) -> None:
    (root / "me").rename(root / "away")
    with pytest.raises(NoInputError):
        deliver(str(root), task, draft(honest(task)))


def test_what_is_put_in_the_way_meanwhile_is_not_written_to(root: Path, task: Task) -> None:
    os.mkfifo(root / "me" / "anchors_timeline.json")
    with pytest.raises(FileError, match="is a pipe"):
        deliver(str(root), task, draft(honest(task)))
