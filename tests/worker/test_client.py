"""A worker's crash, hang or runaway costs one job, and is named."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anchord.demo.film import Pose, encode, even_times_ms, film
from anchord.errors import ModelError, WorkerError, WorkerKilledError, WorkerStartError
from anchord.settings import ExtractSettings, Limits, WorkerSettings
from anchord.worker.client import Worker
from anchord.worker.protocol import Job


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 small frames: some 4 s of CPU time with every frame looked at."""
    pictures = film(
        lambda t_s: Pose(x=48, y=56, scale=0.45).matrix(), times_ms=even_times_ms(100, 4), size=(96, 120)
    )
    options = {"deadline": "realtime", "cpu-used": "8"}
    return encode(tmp_path_factory.mktemp("film") / "idle.webm", pictures, options=options)


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    """Starts workers, and ends them."""
    started: list[Worker] = []

    def start(*command: str, **settings: float) -> Worker:
        chosen = WorkerSettings(**{"threads": 2, **settings})  # type: ignore[arg-type]
        started.append(Worker(chosen, command=command) if command else Worker(chosen))
        return started[-1]

    yield start
    for worker in started:
        worker.end()


def work(
    worker: Worker, video: Path, on_progress: Callable[[int, int], None] = lambda done, expected: None
) -> bytes:
    job = Job(number=1, video=video.name, settings=ExtractSettings(sample_rate=1), limits=Limits())
    with video.open("rb") as stream:
        return worker.work(job, stream, on_progress=on_progress)


def test_a_runaway_is_ended_by_the_cpu_time_of_its_job(
    start: Callable[..., Worker], long_video: Path
) -> None:
    """The kernel counts or, where it lets this process set no limit, this process."""
    with pytest.raises(WorkerError, match=r"was ended by SIG(XCPU|KILL): over worker\.cpu_s = 1 while"):
        work(start(cpu_s=1), long_video)


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_named_by_its_signal(
    crash: signal.Signals, start: Callable[..., Worker], long_video: Path
) -> None:
    """A decoder that writes where it must not, or gives up."""
    worker = start()
    with pytest.raises(WorkerError, match=f"was ended by {crash.name}: ") as caught:
        work(worker, long_video, lambda *_progress: os.kill(worker.pid, crash))
    assert type(caught.value) is WorkerError


def test_who_kills_it_from_outside_does_not_accuse_the_video(
    start: Callable[..., Worker], long_video: Path
) -> None:
    """The kernel does so for want of memory, and the daemon where it stops."""
    worker = start()
    with pytest.raises(WorkerKilledError, match="by the kernel for want of memory"):
        work(worker, long_video, lambda *_progress: os.kill(worker.pid, signal.SIGKILL))
    worker = start()
    with pytest.raises(WorkerKilledError, match="was ended by SIGKILL: anchord is stopping"):
        work(worker, long_video, lambda *_progress: worker.stop("anchord is stopping"))


def test_one_that_hangs_is_killed_though_it_cannot_be_asked(
    start: Callable[..., Worker], long_video: Path
) -> None:
    """A stopped process answers nothing, and takes no other signal."""
    worker = start(timeout_s=1)
    worker.wait_ready()
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerError, match=r"was ended by SIGKILL: over worker\.timeout_s = 1 while"):
        work(worker, long_video)
    assert worker.is_gone


def test_an_interpreter_that_is_not_there_is_no_video_s_fault(start: Callable[..., Worker]) -> None:
    with pytest.raises(WorkerStartError, match=r"cannot be started: No such file or directory \(/nowhere/py"):
        start("/nowhere/python")


def test_one_without_its_packages_is_no_video_s_fault(start: Callable[..., Worker], video: Path) -> None:
    """As for a moment during an upgrade."""
    worker = start(sys.executable, "-S", "-P", "-c", "import anchord_that_is_being_replaced")
    with pytest.raises(WorkerStartError, match=r"status 1: .*No module named .* before it was ready"):
        work(worker, video)


def test_one_that_cannot_get_ready_says_why_and_keeps_the_exit_status(
    start: Callable[..., Worker], video: Path
) -> None:
    """``anchord extract`` ends with it, and the daemon tries again."""
    without = (
        "import pathlib; from anchord.worker import process;"
        "process.checked_model.__defaults__ = (pathlib.Path('/nowhere'),); process.main()"
    )
    with pytest.raises(WorkerStartError, match="the face model cannot be read: No such file") as caught:
        work(start(sys.executable, "-P", "-c", without), video)
    assert caught.value.exit_status == ModelError.exit_status
