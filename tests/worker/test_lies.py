"""A worker that was taken over costs its own task, whatever it says and does, and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anchord.errors import WorkerError, WorkerKilledError, WorkerStartError
from anchord.worker import client
from anchord.worker.executor import Draft
from tests.worker import lying
from tests.worker.conftest import LIMIT_S, Bench

_MOST_GROWTH_KIB = 32 << 10

#: Those that are only found out by waiting.
_SILENT = {"message_as_long_as_can_be", "half_a_message", "silence", "silence_and_no_signal", "stopped"}

#: What is said of the loss; of all others, that the answer makes no sense or was not asked for.
_WORDS = {
    "an answer before the job": "it spoke without being asked",
    "flood_of_progress": "it talks without end",
    "flood_of_prints": "it prints without end",
    "flood_of_lines": "it prints without end",
    "endless_message": "its answer has 4294967295 bytes",
    "message_as_long_as_can_be": "over worker.timeout_s",
    "half_a_message": "over worker.timeout_s",
    "silence": "over worker.timeout_s",
    "silence_and_no_signal": "over worker.timeout_s",
    "stopped": "over worker.timeout_s",
    "closed_channel_but_stays": "it closed its channel, but did not end",
    "closed_channel_and_burns": "it closed its channel, but did not end",
    "burns": "over worker.cpu_s = 1",
    "ends_without_an_answer": "ended with status 0",
    "raises": r"ValueError: \x1b]0;title\x07 of mine",
    "thousands_of_threads": "threads, and ",
    "children_that_hold_the_channel": "ended with status 0",
    "more than a timeline of so many frames": "are the most allowed",
    "more frames than allowed": "frames of 36000 allowed",
    "ready again": "it was ready before",
    "unfit after all": "it was ready before",
    "another job's number": "it answers job 2",
    "progress of another job": "it answers job 0",
    "number: 9223372036854775": "it answers job",
}


def liar(lie: str, folder: Path) -> tuple[str, ...]:
    return (sys.executable, str(Path(lying.__file__)), lie, str(folder / "marker"))


def resident_kib() -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def descriptors() -> set[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
    return found


def children() -> set[int]:
    return {
        int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()
    }


def processes_of(folder: Path) -> list[str]:
    """Command lines of all processes that were started with this folder, and of their children."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in line or b"signal.SIG_IGN) for n in (1, 2, 15)" in line:
            found.append(line.decode())
    return found


@contextmanager
def nothing_is_left(bench: Bench, folder: Path) -> Iterator[None]:
    before = (descriptors(), threading.active_count(), children(), resident_kib())
    yield
    bench.executor.kill()
    assert resident_kib() - before[3] < _MOST_GROWTH_KIB
    assert (descriptors(), threading.active_count(), children()) == before[:3]
    assert processes_of(folder) == []


@pytest.mark.parametrize("lie", ["an answer before the job", *lying.INSTEAD_OF_AN_ANSWER, *lying.DEEDS])
def test_a_lie_costs_its_own_task(lie: str, bench: Callable[..., Bench], video: Path, tmp_path: Path) -> None:
    """The next one is done by a fresh worker, and nothing of the liar is left."""
    timeout_s = 2.0 if lie in _SILENT else LIMIT_S
    made = bench(*liar(lie, tmp_path), timeout_s=timeout_s, cpu_s=1 if lie == "burns" else 1800)
    with nothing_is_left(made, tmp_path):
        first = made.do(video)
        if lie == "killed_by_itself":
            assert isinstance(first, WorkerKilledError)
        elif lie in ("a_second_answer_later", "children_and_an_answer"):
            assert first == Draft(lying.HONEST)
            if lie == "a_second_answer_later":
                _wait(lambda: made.executor.restarts == 1)
        else:
            assert type(first) is WorkerError, first
            assert _WORDS.get(lie, "it ") in str(first)
            assert made.executor.restarts == 1
        if lie != "children_and_an_answer":
            assert made.do(video) == Draft(lying.HONEST)
        assert made.executor.health().healthy


@pytest.mark.parametrize("lie", [*lying.INSTEAD_OF_READY, "silence instead"])
def test_a_lie_before_it_is_ready_is_no_video_s_fault(
    lie: str, bench: Callable[..., Bench], video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And health says so until another has started."""
    if lie == "silence instead":
        monkeypatch.setattr(client, "_START_S", 1.0)
    made = bench(*liar(lie, tmp_path))
    with nothing_is_left(made, tmp_path):
        first = made.do(video)
        assert type(first) is WorkerStartError
        assert not made.executor.health().healthy
        if lie == "silence instead":
            monkeypatch.undo()
        assert made.do(video) == Draft(lying.HONEST)
        assert made.executor.health().healthy


def _wait(is_true: Callable[[], bool]) -> None:
    ends_at_s = time.monotonic() + LIMIT_S
    while not is_true():
        assert time.monotonic() < ends_at_s
        time.sleep(0.01)
