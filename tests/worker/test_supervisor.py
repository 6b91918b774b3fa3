"""When a worker is kept, and when it is replaced; and that no bug, refusal or kill ends the place."""

from __future__ import annotations

import errno
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from anchord.errors import WorkerError, WorkerKilledError, WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker import protocol, supervisor
from anchord.worker.executor import Draft, Finished, Health, Progressed
from tests.worker import lying
from tests.worker.conftest import LIMIT_S, Bench, a_task
from tests.worker.test_lies import children, descriptors

Make = Callable[..., Bench]


@pytest.fixture
def honest(tmp_path: Path) -> tuple[str, ...]:
    """A worker that answers at once, whatever it is asked."""
    (tmp_path / "marker").touch()
    return (sys.executable, str(Path(lying.__file__)), "", str(tmp_path / "marker"))


@pytest.fixture
def hangs(tmp_path: Path) -> tuple[str, ...]:
    """The first worker never answers, and ignores what can be ignored."""
    return (sys.executable, str(Path(lying.__file__)), "silence_and_no_signal", str(tmp_path / "marker"))


def wait(is_true: Callable[[], bool]) -> None:
    ends_at_s = time.monotonic() + LIMIT_S
    while not is_true():
        assert time.monotonic() < ends_at_s
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("reuse", "owners", "workers"),
    [
        ("owner", [1, 1, 2, 1], [1, 1, 2, 3]),
        ("always", [1, 1, 2, 1], [1, 1, 1, 1]),
        ("never", [1, 1, 2], [1, 2, 3]),
    ],
)
def test_a_worker_is_reused_as_the_settings_say(
    reuse: str, owners: list[int], workers: list[int], bench: Make, video: Path, honest: tuple[str, ...]
) -> None:
    """By default never for a video of another owner: whoever took it over with one would see the other."""
    made, seen = bench(*honest, reuse=reuse), []
    with structlog.testing.capture_logs() as logged:
        for owner in owners:
            assert made.do(video, owner) == Draft(lying.HONEST)
            seen.append(sum(event["event"] == "worker_started" for event in logged))
    assert seen == workers


def test_a_worker_is_replaced_after_its_jobs(bench: Make, video: Path, honest: tuple[str, ...]) -> None:
    made = bench(*honest, max_jobs=2)
    with structlog.testing.capture_logs() as logged:
        for _ in range(5):
            assert made.do(video) == Draft(lying.HONEST)
        wait(lambda: made.executor.health().state == "idle")
    started = [event for event in logged if event["event"] == "worker_started"]
    assert len(started) == 3
    assert [event["jobs"] for event in logged if event["event"] == "worker_retired"] == [2, 2]


def test_an_idle_worker_ends(bench: Make, video: Path, honest: tuple[str, ...]) -> None:
    before = children()
    made = bench(*honest, idle_s=1)
    assert made.do(video) == Draft(lying.HONEST)
    assert made.executor.health().state == "idle"
    wait(lambda: made.executor.health().state == "down")
    wait(lambda: children() == before)
    assert made.do(video) == Draft(lying.HONEST)


def test_an_idle_worker_that_ends_by_itself_is_noticed(
    bench: Make, video: Path, honest: tuple[str, ...]
) -> None:
    """And costs no task."""
    before = children()
    made = bench(*honest)
    assert made.do(video) == Draft(lying.HONEST)
    (pid,) = children() - before
    os.kill(pid, 9)
    wait(lambda: made.executor.restarts == 1)
    assert made.do(video) == Draft(lying.HONEST)


def test_other_settings_hold_from_the_next_task_on(bench: Make, video: Path, honest: tuple[str, ...]) -> None:
    made = bench(*honest)
    with structlog.testing.capture_logs() as logged:
        made.do(video)
        made.executor.reload(WorkerSettings(threads=2, processes=1))
        made.do(video)
        made.executor.reload(WorkerSettings(threads=3, processes=1))
        made.do(video)
    assert [event["reason"] for event in logged if event["event"] == "worker_retired"] == ["other settings"]


def test_a_place_is_free_again_when_its_task_is_said_to_be_finished(
    bench: Make, video: Path, honest: tuple[str, ...]
) -> None:
    made = bench(*honest)
    free: list[int] = []
    tell = made.said.put

    def report(message: Progressed | Finished) -> None:
        free.append(made.executor.places())
        tell(message)

    made.executor._supervisors[0].report = report
    assert made.executor.places() == 1
    made.do(video)
    made.do(video)
    assert free == [1, 1]


def test_a_task_too_many_is_answered_too(bench: Make, video: Path, hangs: tuple[str, ...]) -> None:
    made = bench(*hangs)
    made.executor.submit(a_task(), video.open("rb"))
    assert made.executor.places() == 0
    stream = video.open("rb")
    made.executor.submit(a_task(), stream)
    assert isinstance(made.outcome(), WorkerStartError)
    assert stream.closed
    made.executor.kill()
    assert isinstance(made.outcome(), WorkerKilledError)


def test_a_kill_ends_what_runs_within_seconds(bench: Make, video: Path, hangs: tuple[str, ...]) -> None:
    """Whatever it ignores; its task ends without a fault of the video's, and nothing more is taken."""
    before = (children(), descriptors(), threading.active_count())
    made = bench(*hangs)
    made.executor.submit(a_task(), video.open("rb"))
    wait(lambda: made.executor.health().state == "working" and children() != before[0])
    began_s = time.monotonic()
    made.executor.kill()
    assert time.monotonic() - began_s < 5
    assert isinstance(made.outcome(), WorkerKilledError)
    assert (children(), descriptors(), threading.active_count()) == before
    assert made.executor.places() == 0
    assert made.executor.restarts == 0
    assert isinstance(made.do(video), WorkerStartError)


def test_a_closed_place_finishes_what_it_does(bench: Make, video: Path, tmp_path: Path) -> None:
    """And its worker ends with it."""
    before = children()
    made = bench()
    made.executor.submit(a_task(), video.open("rb"))
    made.executor.close()
    made.executor.close()
    assert isinstance(made.outcome(), Draft)
    wait(lambda: children() == before)


def test_a_bug_in_the_supervisor_costs_one_task(
    bench: Make, video: Path, honest: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told with its traceback, its process is killed, and the place goes on."""
    made = bench(*honest)

    def fail(**_job: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(protocol, "Job", fail)
    with structlog.testing.capture_logs() as logged:
        outcome = made.do(video)
    assert type(outcome) is WorkerError
    assert "ZeroDivisionError('a bug')" in str(outcome)
    (told,) = [event for event in logged if event["event"] == "supervisor_failed"]
    assert told["exc_info"]
    monkeypatch.undo()
    assert made.do(video) == Draft(lying.HONEST)


def test_a_listener_that_raises_does_not_end_the_place(
    bench: Make, video: Path, honest: tuple[str, ...]
) -> None:
    made = bench(*honest)

    def fail(_message: object) -> None:
        raise ZeroDivisionError

    made.executor._supervisors[0].report = fail
    made.executor.submit(a_task(), video.open("rb"))
    wait(lambda: made.executor.places() == 1)
    made.executor._supervisors[0].report = made.said.put
    assert made.do(video) == Draft(lying.HONEST)


def test_no_descriptors_are_the_machine_s_fault(bench: Make, video: Path, honest: tuple[str, ...]) -> None:
    """EMFILE at whichever step of a start; and it works as soon as there are some again."""
    made = bench(*honest)
    streams = [video.open("rb") for _ in range(40)]
    filled = [os.dup(0)]
    while len(os.listdir("/proc/self/fd")) <= filled[-1]:
        filled.append(os.dup(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (filled[-1] + 1, hard))
    outcomes = []
    try:
        # Each task closes its video, so that the next one has a descriptor more.
        for stream in streams:
            made.executor.submit(a_task(), stream)
            outcomes.append(made.outcome())
            if isinstance(outcomes[-1], Draft):
                break
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in filled:
            os.close(descriptor)
        for stream in streams:
            stream.close()
    *refused, done = outcomes
    assert done == Draft(lying.HONEST)
    assert len(refused) > 3
    for outcome in refused:
        assert type(outcome) is WorkerStartError, outcome
        assert os.strerror(errno.EMFILE) in str(outcome)
    assert made.executor.health().healthy


def test_an_interpreter_that_appears_later_is_used(
    bench: Make, video: Path, honest: tuple[str, ...], tmp_path: Path
) -> None:
    """As while it is replaced by an upgrade."""
    python = tmp_path / "python"
    made = bench(str(python), *honest[1:])
    outcome = made.do(video)
    assert type(outcome) is WorkerStartError
    assert "No such file or directory" in made.executor.health().detail
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert made.do(video) == Draft(lying.HONEST)
    assert made.executor.health() == Health(state="idle", healthy=True)


def test_a_thread_that_cannot_be_started_is_the_machine_s_fault(
    bench: Make, video: Path, honest: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made = bench(*honest)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    outcome = made.do(video)
    monkeypatch.undo()
    assert type(outcome) is WorkerStartError
    assert descriptors() == before
    assert made.do(video) == Draft(lying.HONEST)


def test_two_hundred_starts_and_ends_leave_nothing(bench: Make, video: Path, honest: tuple[str, ...]) -> None:
    """Neither a descriptor nor a thread nor a process."""
    before = (descriptors(), threading.active_count(), children())
    made = bench(*honest, reuse="never")
    for _ in range(200):
        assert made.do(video) == Draft(lying.HONEST)
    made.executor.kill()
    assert (descriptors(), threading.active_count(), children()) == before


def test_progress_is_told_now_and_then(bench: Make, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who doesn't read it is not drowned in it."""
    made = bench()
    made.executor.submit(a_task(), video.open("rb"))
    told = []
    while not isinstance(message := made.said.get(timeout=LIMIT_S), Finished):
        told.append(message)
    assert len(told) <= 1
    monkeypatch.setattr(supervisor, "_PROGRESS_S", 0.0)
    made.executor.submit(a_task(), video.open("rb"))
    message = made.said.get(timeout=LIMIT_S)
    assert isinstance(message, Progressed)
    assert (message.done, message.expected) == (10, 15)
    assert isinstance(made.outcome(), Draft)
