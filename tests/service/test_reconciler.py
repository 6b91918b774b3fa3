"""What is to be done for a pack, decided once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from anchord import timeline
from anchord.errors import AnchordError, FileError, MachineError, SettingsError, VideoError
from anchord.files import FileKey, Folder
from anchord.model import MODEL_SHA256
from anchord.service.lanes import Lanes, Stepped
from anchord.service.queue import Queue, RetryDue
from anchord.service.reconciler import Decision, LookDue, Missing, Reconciler, Unsettled, UpToDate, decide
from anchord.service.timers import Timers
from anchord.service.verdicts import Verdicts
from anchord.service.watching.debounce import Debounce, Settled
from anchord.service.watching.scanner import Known, Look, Names, look_at
from anchord.settings import ExtractSettings, Limits, Settings, pack_settings
from anchord.worker.executor import Task
from tests.test_timeline import made

SHA256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"  # of b"content"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "me").mkdir()
    (tmp_path / "me" / "idle.webm").write_bytes(b"content")
    return tmp_path


def seen(pack: Path, names: Names | None = None) -> Look:
    found = look_at(str(pack), names or Names())
    assert found is not None
    return found


def decided(
    root: Path, settings: Settings | None = None, names: Names | None = None, confirmed: FileKey | None = None
) -> Decision:
    names = names or Names()
    before = seen(root / "me", names)
    return decide(str(root), "me", settings or Settings(), names, before, confirmed)


def write_timeline(
    pack: Path,
    *,
    generator: Mapping[str, object] = {},
    quality: Mapping[str, object] = {},
    **source: object,
) -> None:
    """A timeline of just this video, settings and version."""
    base = made([])
    video = (pack / "idle.webm").stat()
    good = msgspec.structs.replace(
        base,
        source=msgspec.structs.replace(
            base.source,
            **{"size": 7, "mtime_us": video.st_mtime_ns // 1000, "sha256": SHA256} | source,
        ),
        generator=msgspec.structs.replace(
            base.generator,
            method=timeline.METHOD,
            model_sha256=MODEL_SHA256,
            **{"settings_sha256": ExtractSettings().sha256(), **generator},
        ),
        quality=msgspec.structs.replace(base.quality, **quality),
    )
    file = pack / "anchords.part"
    file.write_bytes(timeline.encode(good))
    # Change times have the kernel's tick, and it must be a later one than the video's.
    while file.stat().st_ctime_ns <= video.st_ctime_ns:
        file.chmod(0o644)
    file.rename(pack / "anchors_timeline.json")


def test_a_stale_pack_becomes_a_task_that_is_complete(root: Path) -> None:
    (root / "me" / "anchord.toml").write_text("sample_rate = 1")
    task = decided(root)
    assert isinstance(task, Task)
    assert (task.pack, task.reason, task.sha256) == ("me", "timeline missing", SHA256)
    assert task.settings.extract.sample_rate == 1
    assert task.owner == os.getuid()
    assert task.feed == seen(root / "me").feed


def test_a_timeline_that_matches_is_believed_without_a_look_into_the_video(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_timeline(root / "me")
    monkeypatch.setattr("anchord.packs.digest", lambda *_: pytest.fail("the video was read"))
    assert decided(root) == UpToDate(None)


def test_another_time_with_the_same_content_costs_one_look_into_the_video(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_timeline(root / "me")
    os.utime(root / "me" / "idle.webm", (1, 1))
    first = decided(root)
    assert isinstance(first, UpToDate)
    assert first.read is not None
    monkeypatch.setattr("anchord.packs.digest", lambda *_: pytest.fail("the video was read again"))
    assert decided(root, confirmed=first.read) == UpToDate(None)


def test_other_content_of_the_same_size_and_time_is_noticed(root: Path) -> None:
    """`touch -r`, a restore, a rename: change times can't be set."""
    video = root / "me" / "idle.webm"
    write_timeline(root / "me")
    old = video.stat()
    (root / "new").write_bytes(b"CONTENT")
    os.utime(root / "new", ns=(old.st_atime_ns, old.st_mtime_ns))
    (root / "new").rename(video)
    # Within the kernel's tick nothing can tell which came first; then the video is read, too.
    task = decided(root)
    assert isinstance(task, Task)
    assert task.reason == "video changed"


def test_the_same_content_copied_over_is_noted_on_the_timeline(root: Path) -> None:
    """So that the next start believes it again; its own time stays, and no browser fetches it anew."""
    video, output = root / "me" / "idle.webm", root / "me" / "anchors_timeline.json"
    write_timeline(root / "me")
    old, before = video.stat(), output.stat()
    (root / "copy").write_bytes(b"content")
    os.utime(root / "copy", ns=(old.st_atime_ns, old.st_mtime_ns))
    (root / "copy").rename(video)
    assert isinstance(decided(root), UpToDate)
    after = output.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert after.st_ctime_ns >= video.stat().st_ctime_ns


def lay_anchors(pack: Path, x: float = 10.0) -> str:
    """Static anchors in the manifest; their digest."""
    box = {"x": x, "y": 20, "w": 30, "h": 40}
    (pack / "manifest.json").write_text(json.dumps({"mouth": {"anchor": box}, "eyes": {"anchor": box}}))
    with Folder(str(pack)) as folder:
        statics = pack_settings(Settings(), "me", folder).statics
    assert statics is not None
    return statics.sha256()


@pytest.mark.parametrize(
    ("quality", "is_stale"),
    [
        ({"source": "pixels", "coverage": 1.0}, True),
        ({"source": "landmarks", "samples": 10, "faces": 4}, True),
        ({"source": "landmarks", "samples": 10, "faces": 5}, False),
    ],
)
def test_other_anchors_matter_where_they_were_used_or_could_be(
    root: Path, quality: dict[str, object], is_stale: bool
) -> None:
    pack = root / "me"
    statics = lay_anchors(pack)
    write_timeline(pack, quality=quality, generator={"statics_sha256": statics})
    assert isinstance(decided(root), UpToDate)
    lay_anchors(pack, x=11)
    task = decided(root)
    assert isinstance(task, Task if is_stale else UpToDate)
    assert not isinstance(task, Task) or task.reason == "anchors changed"


def test_anchors_do_not_matter_where_landmarks_alone_were_asked_for(root: Path) -> None:
    pack = root / "me"
    (pack / "anchord.toml").write_text('follow = "landmarks"')
    settings = ExtractSettings(follow="landmarks").sha256()
    write_timeline(
        pack,
        quality={"source": "landmarks", "samples": 10, "faces": 1},
        generator={"settings_sha256": settings},
    )
    lay_anchors(pack)
    assert isinstance(decided(root), UpToDate)


def test_another_base_face_makes_a_timeline_stale_and_the_same_one_again_does_not(root: Path) -> None:
    pack = root / "me"
    (pack / "base_face.png").write_bytes(b"content")
    write_timeline(pack, generator={"base_sha256": SHA256})
    (pack / "base_face.png").write_bytes(b"content")
    assert isinstance(decided(root), UpToDate)
    (pack / "base_face.png").write_bytes(b"another")
    task = decided(root)
    assert isinstance(task, Task)
    assert task.reason == "base face changed"
    assert task.base == task.feed[3] == seen(pack).feed[3]
    (pack / "base_face.png").unlink()
    assert isinstance(decided(root), Task)


def test_a_base_face_of_another_name_is_looked_at(root: Path) -> None:
    """Else its changes would never be seen."""
    (root / "me" / "manifest.json").write_text('{"base": {"src": "me.png"}}')
    found = decided(root)
    assert isinstance(found, Unsettled)
    assert found.names == Names(base="me.png")


def test_what_changed_since_it_was_touched_has_to_settle_again(root: Path) -> None:
    before = seen(root / "me")
    (root / "me" / "idle.webm").write_bytes(b"growing")
    found = decide(str(root), "me", Settings(), Names(), before, None)
    assert isinstance(found, Unsettled)
    assert found.look == seen(root / "me")


def test_a_video_of_another_name_is_looked_at_before_anything_is_decided(root: Path) -> None:
    (root / "me" / "other.webm").write_bytes(b"other")
    (root / "me" / "anchord.toml").write_text('video = "other.webm"')
    found = decided(root)
    assert isinstance(found, Unsettled)
    assert found.names == Names("other.webm")
    assert isinstance(decided(root, names=found.names), Task)


@pytest.mark.parametrize("name", ["idle.mp4", "idle.mov", "idle.m4v", "idle.mkv"])
def test_the_only_other_idle_video_stands_in(root: Path, name: str) -> None:
    (root / "me" / "idle.webm").rename(root / "me" / name)
    found = decided(root)
    assert isinstance(found, Unsettled)
    assert found.names == Names(name, is_stand_in=True)
    task = decided(root, names=found.names)
    assert isinstance(task, Task)
    assert task.settings.video == name


def lay_two(pack: Path) -> None:
    (pack / "idle.mp4").touch()
    (pack / "idle.mov").touch()


def lay_decomposed(pack: Path) -> None:
    (pack / "anchord.toml").write_text('video = "caf\u00e9.webm"')
    (pack / "cafe\u0301.webm").touch()


def link_out(pack: Path) -> None:
    (pack / "idle.webm").unlink()
    (pack / "idle.webm").symlink_to("/dev/zero")


def lay_pipe(pack: Path) -> None:
    (pack / "idle.webm").unlink()
    os.mkfifo(pack / "idle.webm")


NEAR: list[tuple[Callable[[Path], object], list[str]]] = [
    (lambda pack: (pack / "Idle.WEBM").touch(), ["there is Idle.WEBM", "rename it to idle.webm"]),
    (
        lay_two,
        ["there is idle.mov, idle.mp4", 'set video = "idle.mov"'],
    ),
    (
        lambda pack: (pack / "manifest.json").write_text('{"idleVideo": "gone.webm"}'),
        ["there is no gone.webm, which", "manifest.json names"],
    ),
    (
        lay_decomposed,
        ["there is no caf\u00e9.webm", "there is cafe\u0301.webm: rename it"],
    ),
]


@pytest.mark.parametrize(("lay", "words"), NEAR)
def test_a_near_miss_is_named(root: Path, lay: Callable[[Path], object], words: list[str]) -> None:
    pack = root / "me"
    (pack / "idle.webm").unlink()
    lay(pack)
    found = decided(root)
    if isinstance(found, Unsettled):
        found = decided(root, names=found.names)
    assert isinstance(found, Missing)
    assert found.is_hint
    for word in words:
        assert word in found.reason


def test_a_pack_without_any_video_is_no_hint(root: Path) -> None:
    (root / "me" / "idle.webm").unlink()
    assert decided(root) == Missing("there is no idle.webm", is_hint=False)


REFUSED: list[tuple[Callable[[Path], object], type[AnchordError], str]] = [
    (lambda pack: (pack / "anchord.toml").write_text("sample_rat = 1"), SettingsError, "did you mean"),
    (lambda pack: (pack / "anchord.toml").write_text("a = " + "[" * 5000), FileError, "nests more than"),
    (lambda pack: (pack / "anchord.toml").write_text("a = " + "9" * 5000), FileError, "digits"),
    (lambda pack: (pack / "manifest.json").write_text('{"a":' * 5000), FileError, "nests more than"),
    (lambda pack: (pack / "manifest.json").write_bytes(b"\xff\xfe"), SettingsError, "manifest"),
    (lambda pack: os.mkfifo(pack / "manifest.json"), FileError, "is a pipe"),
    (lambda pack: (pack / "anchord.toml").mkdir(), FileError, "is a folder"),
    (lambda pack: os.mkfifo(pack / "anchors_timeline.json"), FileError, "is a pipe; remove it"),
    (lambda pack: (pack / "anchors_timeline.json").symlink_to("x"), FileError, "is a link; remove it"),
    (
        link_out,
        VideoError,
        "leads out of the pack",
    ),
    (
        lay_pipe,
        VideoError,
        "is a pipe, not a regular file",
    ),
    (lambda pack: os.truncate(pack / "idle.webm", 1 << 40), VideoError, "over the limit max_bytes"),
]


@pytest.mark.parametrize(("lay", "kind", "word"), REFUSED)
def test_what_cannot_be_worked_with_is_refused_by_name(
    root: Path, lay: Callable[[Path], object], kind: type[AnchordError], word: str
) -> None:
    lay(root / "me")
    with pytest.raises(kind, match=word) as refused:
        decided(root)
    assert not refused.value.is_environment
    assert "/me" in str(refused.value)


class Rig:
    """A reconciler whose lanes run at once, with a clock moved by hand."""

    def __init__(self, root: Path) -> None:
        self.now_s = 1000.0
        self.steps: list[tuple[str, str, Callable[[], object]]] = []
        self.timers = Timers()
        self.queue: Queue[Task] = Queue(self.timers)
        self.known = Known()
        self.known.root = str(root)
        lanes: Any = self
        self.reconciler = Reconciler(
            settings=Settings(limits=Limits(max_bytes=1 << 20)),
            known=self.known,
            queue=self.queue,
            debounce=Debounce(2.0, self.timers),
            timers=self.timers,
            lanes=lanes,
            verdicts=Verdicts(known=self.known, queue=self.queue, timers=self.timers, clock=self.clock),
            look_at=lambda _pack, path, names, before: look_at(path, names, before),
            clock=self.clock,
        )

    def clock(self) -> float:
        return self.now_s

    def submit(self, key: str, name: str, call: Callable[[], object]) -> None:
        """What lanes do, but when ``turn`` is called."""
        self.steps.append((key, name, call))

    def is_busy_with(self, key: str) -> bool:
        return any(step[0] == key for step in self.steps)

    def turn(self, seconds: float) -> list[str]:
        """Let time go by; the steps that were run meanwhile."""
        until_s, ran = self.now_s + seconds, []
        while True:
            while self.steps:
                key, name, call = self.steps.pop(0)
                ran.append(f"{name} {key}")
                try:
                    result = call()
                except AnchordError as error:
                    result = error
                self.reconciler.stepped(Stepped(key, name, result))
            wait_s = self.timers.wait_s(now_s=self.now_s)
            if wait_s is None or self.now_s + wait_s > until_s:
                self.now_s = until_s
                return ran
            self.now_s += wait_s
            match self.timers.pop_due(now_s=self.now_s):
                case LookDue(pack):
                    self.reconciler.look(pack)
                case Settled(pack):
                    self.reconciler.settled(pack)
                case RetryDue(pack):
                    self.reconciler.again(pack)
                case _:
                    pass


def test_a_storm_of_touches_is_one_look_and_one_decision(root: Path) -> None:
    rig = Rig(root)
    for _ in range(1000):
        rig.reconciler.touch("me")
    assert rig.turn(3.0) == ["look me", "decide me"]
    assert rig.queue.queued == ["me"]


def test_a_neighbour_that_is_rewritten_for_ever_does_not_starve_its_pack(root: Path) -> None:
    rig = Rig(root)
    for i in range(30):
        (root / "me" / "notes.txt").write_text(str(i))
        rig.reconciler.touch("me")
        rig.turn(0.1)
    assert rig.queue.queued == ["me"]


def test_a_video_that_grows_is_waited_for(root: Path) -> None:
    rig = Rig(root)
    for i in range(5):
        (root / "me" / "idle.webm").write_bytes(bytes(i))
        rig.reconciler.touch("me")
        rig.turn(1.9)
        assert not rig.queue.queued
    rig.turn(2.0)
    assert rig.queue.queued == ["me"]


def test_our_own_timeline_touches_nothing_and_its_deletion_does(root: Path) -> None:
    rig = Rig(root)
    rig.reconciler.touch("me")
    rig.turn(3.0)
    rig.queue.start_next(now_s=0.0)
    write_timeline(root / "me")
    output = FileKey.of((root / "me" / "anchors_timeline.json").stat())
    rig.known.wrote("me", output)
    rig.queue.finish("me")
    rig.reconciler.touch("me")
    assert rig.turn(10.0) == ["look me"]
    (root / "me" / "anchors_timeline.json").unlink()
    rig.reconciler.touch("me")
    assert rig.turn(10.0) == ["look me", "decide me"]
    assert rig.queue.queued == ["me"]


def test_a_parked_pack_is_asked_again_when_what_was_wrong_is_gone(root: Path) -> None:
    rig = Rig(root)
    os.mkfifo(root / "me" / "anchors_timeline.json")
    rig.reconciler.touch("me")
    rig.turn(100.0)
    assert "is a pipe" in rig.queue.parked["me"].reason
    (root / "me" / "notes.txt").write_text("x")
    rig.reconciler.touch("me")
    assert "decide me" not in rig.turn(100.0)
    (root / "me" / "anchors_timeline.json").unlink()
    rig.reconciler.touch("me")
    rig.turn(3.0)
    assert rig.queue.queued == ["me"]


def test_the_machines_trouble_is_tried_again_with_growing_pauses_that_events_do_not_shorten(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(root)

    def broken(*_: object) -> Look:
        raise MachineError("Input/output error")

    monkeypatch.setattr(rig.reconciler, "look_at", broken)
    looks = 0
    for _ in range(400):
        rig.reconciler.touch("me")
        looks += rig.turn(0.1).count("look me")
    assert rig.reconciler.verdicts.failed == 4  # at 0, 5, 15 and 35 s
    monkeypatch.undo()
    rig.reconciler.touch("me")
    rig.turn(3.0)
    assert rig.queue.queued == ["me"]


def test_a_pack_that_was_there_before_the_daemon_need_not_wait_to_settle(root: Path) -> None:
    rig = Rig(root)
    old = seen(root / "me")
    video = old.feed[0]
    assert video is not None
    aged = old._replace(feed=(video._replace(ctime_ns=0), None, None, None))
    rig.reconciler.looked("me", aged, is_first=True)
    assert rig.timers.wait_s(now_s=rig.now_s) == 0.0


def test_a_hint_is_told_once(root: Path) -> None:
    rig = Rig(root)
    (root / "me" / "idle.webm").rename(root / "me" / "Idle.WEBM")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            (root / "me" / "notes.txt").write_text("x")
            os.utime(root / "me")
            rig.reconciler.touch("me")
            rig.turn(10.0)
    assert [log["event"] for log in logs].count("video_missing") == 1
    assert "Idle.WEBM" in rig.reconciler.hints["me"]
    assert "me" not in rig.queue.parked


def test_a_pack_that_is_gone_is_forgotten(root: Path) -> None:
    rig = Rig(root)
    rig.reconciler.touch("me")
    rig.turn(3.0)
    (root / "me").rename(root / "away")
    rig.reconciler.touch("me")
    rig.turn(3.0)
    assert not rig.queue.queued
    assert "me" not in rig.known.seen


@pytest.mark.parametrize("name", [".git", "lost+found", "@eaDir", "#recycle", "..data"])
def test_folders_that_nobody_means_as_packs_are_left_alone(root: Path, name: str) -> None:
    rig = Rig(root)
    (root / name).mkdir()
    rig.reconciler.touch(name)
    assert rig.turn(10.0) == []


def test_lanes_fit_the_rig() -> None:
    """The rig stands in for the lanes; it must have what they have."""
    for name in ("submit", "is_busy_with"):
        assert callable(getattr(Lanes, name))
