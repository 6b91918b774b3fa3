"""Tasks to the executor, and how their ends are judged."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import pytest
import structlog

from anchord.errors import (
    AnchordError,
    IncompleteVideoError,
    OutputError,
    VideoError,
    WorkerError,
    WorkerKilledError,
    WorkerStartError,
)
from anchord.files import FileKey
from anchord.service.delivery import Delivered
from anchord.service.lanes import Stepped
from anchord.service.queue import Queue
from anchord.service.report.metrics import Result
from anchord.service.runner import Opened, Runner, open_files
from anchord.service.timers import Timers
from anchord.service.verdicts import Verdicts
from anchord.service.watching.scanner import Known, Names, look_at
from anchord.settings import Limits, PackSettings, WorkerSettings
from anchord.timeline import Quality, VideoWarning
from anchord.worker.executor import Draft, Finished, Health, Progressed, Task


class Bench:
    """An executor of so many places that does what the test says, and lanes that run at once."""

    restarts = 0

    def __init__(self, places: int) -> None:
        self.free = places
        self.tasks: list[Task] = []

    def places(self) -> int:
        return self.free

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        video.close()
        self.free -= 1
        self.tasks.append(task)

    def reload(self, settings: WorkerSettings) -> None:
        pass

    def close(self) -> None:
        pass

    def kill(self) -> None:
        pass

    def health(self) -> Health:
        return Health(state="idle", healthy=True)


class Rig:
    """A runner over a root of packs that have tasks."""

    def __init__(self, root: Path, *packs: str, places: int = 1) -> None:
        self.now_s = 0.0
        self.known, self.timers, self.bench = Known(), Timers(), Bench(places)
        self.known.root = str(root)
        self.queue: Queue[Task] = Queue(self.timers)
        self.results: list[Result] = []
        self.steps: list[tuple[str, str, Callable[[], object]]] = []
        verdicts = Verdicts(
            known=self.known,
            queue=self.queue,
            timers=self.timers,
            on_result=self.on_result,
            clock=lambda: self.now_s,
        )
        self.runner = Runner(
            known=self.known,
            queue=self.queue,
            lanes=self,  # type: ignore[arg-type]
            executor=self.bench,
            verdicts=verdicts,
            on_result=self.on_result,
            clock=lambda: self.now_s,
        )
        for pack in packs:
            self.add(pack)

    def on_result(self, result: Result, *_: float | None) -> None:
        self.results.append(result)

    def add(self, pack: str) -> None:
        look = look_at(f"{self.known.root}/{pack}", Names())
        assert look is not None
        self.known.seen[pack] = look
        task = Task(
            pack=pack,
            settings=PackSettings(),
            limits=Limits(),
            feed=look.feed,
            sha256="0" * 64,
            reason="timeline missing",
            owner=0,
        )
        self.queue.add(pack, task, now_s=self.now_s)

    def submit(self, key: str, name: str, call: Callable[[], object]) -> None:
        self.steps.append((key, name, call))

    def run(self) -> None:
        """Begin what can be begun."""
        self.runner.tick()
        while self.steps:
            key, name, call = self.steps.pop(0)
            try:
                result = call()
            except AnchordError as error:
                result = error
            self.runner.stepped(Stepped(key, name, result))

    def end(self, outcome: Draft | AnchordError) -> None:
        self.bench.free += 1
        self.runner.finished(Finished(task=self.bench.tasks[-1], outcome=outcome))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for pack in ("cats", "dogs", "mice"):
        (tmp_path / pack).mkdir()
        (tmp_path / pack / "idle.webm").write_bytes(b"content")
    return tmp_path


def test_as_many_tasks_are_begun_as_there_are_places(root: Path) -> None:
    rig = Rig(root, "cats", "dogs", "mice", places=2)
    rig.run()
    assert [task.pack for task in rig.bench.tasks] == ["cats", "dogs"]
    assert rig.queue.working == {"cats", "dogs"}
    rig.end(VideoError("bad"))
    rig.run()
    assert [task.pack for task in rig.bench.tasks] == ["cats", "dogs", "mice"]


def test_a_task_that_is_no_longer_true_is_not_begun(root: Path) -> None:
    rig = Rig(root, "cats")
    (root / "cats" / "idle.webm").write_bytes(b"another video")
    rig.run()
    assert not rig.bench.tasks
    assert not rig.runner.is_busy
    assert rig.queue.pop_unsettled() == "cats"
    assert rig.results == ["changed"]


def test_a_written_timeline_is_one_line_that_says_it_all(root: Path) -> None:
    rig = Rig(root, "cats")
    rig.run()
    rig.now_s = 2.5
    rig.runner.finished(Finished(task=rig.bench.tasks[0], outcome=Draft(b"{}")))
    rig.steps.clear()
    quality = Quality(
        coverage=0.75,
        samples=4,
        faces=3,
        gaps=[],
        longest_gap_ms=100,
        jitter_px=0.1,
        face_height=0.4,
        warnings=[VideoWarning(code="dark", message="add light")],
    )
    output = FileKey.of((root / "cats").stat())
    with structlog.testing.capture_logs() as logs:
        rig.runner.stepped(Stepped("cats", "deliver", Delivered(output, 12, 999, quality)))
    assert [log["event"] for log in logs] == ["timeline_written", "video_warned"]
    line = logs[0]
    assert (line["pack"], line["coverage"], line["frames"], line["elapsed_s"]) == ("cats", 0.75, 12, 2.5)
    assert rig.known.seen["cats"].output == output
    assert not rig.runner.is_busy
    assert (rig.runner.written, rig.results) == (1, ["written"])


FAULTS = [
    (VideoError("no video"), "parked"),
    (IncompleteVideoError("cut"), "parked"),
    (OutputError("disk full"), "retrying"),
    (WorkerStartError("no descriptors"), "retrying"),
    (WorkerKilledError("by the kernel"), "retrying"),
    (WorkerError("crashed"), "retrying"),
]


@pytest.mark.parametrize(("error", "state"), FAULTS)
def test_a_failure_parks_or_is_tried_again_by_whose_fault_it_is(
    root: Path, error: AnchordError, state: str
) -> None:
    rig = Rig(root, "cats")
    rig.run()
    rig.end(error)
    assert ("cats" in rig.queue.parked, "cats" in rig.queue.retries) == (
        state == "parked",
        state == "retrying",
    )
    assert not rig.queue.working


@pytest.mark.parametrize(("error", "is_counted"), [(WorkerError("x"), True), (WorkerStartError("x"), False)])
def test_a_video_over_which_workers_are_lost_is_left_alone_after_the_second(
    root: Path, error: AnchordError, is_counted: bool
) -> None:
    rig = Rig(root, "cats")
    for _ in range(2):
        rig.add("cats")
        rig.run()
        rig.end(error)
    assert ("cats" in rig.queue.parked) is is_counted
    # Another video is another matter.
    (root / "cats" / "idle.webm").write_bytes(b"other")
    rig.add("cats")
    rig.run()
    rig.end(WorkerError("x"))
    assert "cats" in rig.queue.retries


def test_what_is_said_about_a_video_that_is_another_one_by_now_is_not_held_against_it(root: Path) -> None:
    rig = Rig(root, "cats")
    rig.run()
    (root / "cats" / "idle.webm").write_bytes(b"whole by now")
    look = look_at(str(root / "cats"), Names())
    assert look is not None
    rig.known.seen["cats"] = look
    rig.end(IncompleteVideoError("cut"))
    assert not rig.queue.parked
    assert rig.queue.pop_unsettled() == "cats"


def test_what_is_swapped_between_the_look_and_the_opening_is_noticed(root: Path) -> None:
    rig = Rig(root, "cats")
    turn = rig.queue.start_next(now_s=0.0)
    assert turn is not None
    opened = open_files(str(root), turn[0])
    assert opened.video.read() == b"content"
    opened.close()
    (root / "cats" / "idle.webm").unlink()
    os.mkfifo(root / "cats" / "idle.webm")
    with pytest.raises(AnchordError):
        open_files(str(root), turn[0])


def test_progress_goes_to_who_watches(root: Path) -> None:
    rig = Rig(root, "cats")
    seen: list[tuple[object, ...]] = []

    class Observer:
        def working(self, pack: str, queued: int) -> None:
            seen.append((pack, queued))

        def progressed(self, pack: str, done: int, expected: int) -> None:
            seen.append((pack, done, expected))

        def finished(self, pack: str) -> None:
            seen.append((pack,))

    rig.runner.observer = Observer()
    rig.run()
    rig.runner.progressed(Progressed(task=rig.bench.tasks[0], done=10, expected=120))
    rig.end(VideoError("bad"))
    assert seen == [("cats", 0), ("cats", 10, 120), ("cats",)]


def test_what_is_opened_when_the_daemon_stops_is_closed_and_held_against_nobody(root: Path) -> None:
    rig = Rig(root, "cats")
    rig.runner.tick()
    busy = [rig.runner.is_busy]
    rig.runner.stop()
    busy.append(rig.runner.is_busy)
    assert busy == [True, False]  # a disk that does not answer is not waited for
    key, name, opening = rig.steps.pop()
    opened = opening()
    assert isinstance(opened, Opened)
    rig.runner.stepped(Stepped(key, name, opened))
    assert opened.video.closed
    assert not rig.runner.is_busy
    assert not rig.bench.tasks
    assert not rig.results
