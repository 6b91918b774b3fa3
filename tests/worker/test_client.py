"""A worker's crash, hang or runaway costs one job, and is named."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from anchord.demo.film import Pose, encode, even_times_ms, film
from anchord.errors import WorkerError
from anchord.service import jobs
from anchord.service.worker import Ended, Printed, Report, Worker, how_it_ended, work_off
from anchord.settings import ExtractSettings, Limits


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "ended with status 0"),
        (1, "ended with status 1: ValueError: the last line"),
        (-signal.SIGXCPU, "was ended by SIGXCPU: over worker.cpu_s = 1800"),
        (
            -signal.SIGSYS,
            "was ended by SIGSYS: it tried what its sandbox forbids; the video may be an attack",
        ),
        (-signal.SIGABRT, "was ended by SIGABRT: ValueError: the last line"),
        (-signal.SIGSEGV, "was ended by SIGSEGV: a library crashed"),
        (-signal.SIGKILL, "was ended by SIGKILL: by someone else, or by the kernel for want of memory"),
        (-signal.SIGTERM, "was ended by SIGTERM"),
        (-99, "was ended by signal 99"),
    ],
)
def test_an_exit_status_is_put_into_words(status: int, words: str) -> None:
    """With the limit that was broken, by its name in the settings."""
    assert how_it_ended(status, cpu_s=1800, last_line="ValueError: the last line") == words


def test_a_kill_of_our_own_says_why() -> None:
    """Nobody else is suspected then."""
    words = how_it_ended(-signal.SIGKILL, killed_for="over worker.timeout_s = 900")
    assert words == "was ended by SIGKILL: over worker.timeout_s = 900"


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 small frames: some 4 s of CPU time with every frame looked at."""
    pictures = film(
        lambda t_s: Pose(x=48, y=56, scale=0.45).matrix(), times_ms=even_times_ms(100, 4), size=(96, 120)
    )
    options = {"deadline": "realtime", "cpu-used": "8"}
    return encode(tmp_path_factory.mktemp("film") / "idle.webm", pictures, options=options)


@pytest.fixture
def reports() -> SimpleQueue[Report]:
    return SimpleQueue()


@pytest.fixture
def worker(reports: SimpleQueue[Report]) -> Iterator[Worker]:
    """With as little CPU time as can be given."""
    worker = Worker(reports.put, threads=2, cpu_s=1)
    yield worker
    worker.kill()


def _work_off(worker: Worker, reports: SimpleQueue[Report], video: Path, **how: float) -> bytes:
    settings = ExtractSettings(sample_rate=1)
    job = jobs.Job(number=1, video=video.name, settings=settings, limits=Limits())
    with video.open("rb") as stream:
        return work_off(
            worker,
            reports,
            job,
            stream,
            timeout_s=how.get("timeout_s", 60),
            on_progress=lambda done, expected: None,
        )


def _ended(reports: SimpleQueue[Report]) -> Ended:
    while not isinstance(report := reports.get(timeout=30), Ended):
        pass
    return report


def test_a_runaway_is_ended_by_the_cpu_time_of_its_job(
    worker: Worker, reports: SimpleQueue[Report], long_video: Path
) -> None:
    """The kernel counts, so no loop in a library is too tight."""
    with pytest.raises(WorkerError, match=r"was ended by SIGXCPU: over worker\.cpu_s = 1 while"):
        _work_off(worker, reports, long_video)


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_named_by_its_signal(
    crash: signal.Signals, worker: Worker, reports: SimpleQueue[Report], long_video: Path
) -> None:
    """A decoder that writes where it must not, or gives up."""

    def crash_it(*_progress: int) -> None:
        os.kill(worker.pid, crash)

    job = jobs.Job(number=1, video="idle.webm", settings=ExtractSettings(sample_rate=1), limits=Limits())
    with long_video.open("rb") as stream, pytest.raises(WorkerError, match=f"was ended by {crash.name}: "):
        work_off(worker, reports, job, stream, timeout_s=60, on_progress=crash_it)


def test_one_that_hangs_is_killed_though_it_cannot_be_asked(
    worker: Worker, reports: SimpleQueue[Report], long_video: Path
) -> None:
    """A stopped process answers nothing, and takes no other signal."""
    while not isinstance(reports.get(timeout=30), jobs.Ready):
        pass
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerError, match="took longer than timeout_s"):
        _work_off(worker, reports, long_video, timeout_s=0.2)
    worker.kill("over worker.timeout_s = 0.2")
    assert _ended(reports).how == "was ended by SIGKILL: over worker.timeout_s = 0.2"


def test_one_that_is_closed_ends_by_itself(worker: Worker, reports: SimpleQueue[Report]) -> None:
    """With status 0, and nothing to report but that."""
    worker.close()
    assert _ended(reports).how == "ended with status 0"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (rb"\0\0\0\3abc", "the worker's answer makes no sense: "),
        (rb"\377\377\377\377", "its answer has 4294967295 bytes"),
    ],
)
def test_a_worker_that_talks_nonsense_is_not_listened_to(
    said: bytes, why: str, reports: SimpleQueue[Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever took it over gets nothing into the daemon but what an answer may hold."""
    impostor = tmp_path / "python"
    impostor.write_bytes(b"#!/bin/sh\nprintf '" + said + b"' >&0\nexec sleep 60\n")
    impostor.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(impostor))
    Worker(reports.put)
    assert _ended(reports).how.startswith(f"was ended by SIGKILL: {why}")


def test_a_worker_that_floods_its_stderr_is_let_to_do_so_in_vain(
    reports: SimpleQueue[Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines are cut, and so is their number; neither waits for the other."""
    impostor = tmp_path / "python"
    impostor.write_text("#!/bin/sh\nhead -c 20000000 /dev/zero >&2\nyes | head -c 100000 >&2\nexit 3\n")
    impostor.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(impostor))
    Worker(reports.put)
    lines = 0
    while isinstance(report := reports.get(timeout=30), Printed):
        assert len(report.line) <= 1000
        lines += 1
    assert isinstance(report, Ended)
    assert (report.status, lines) == (3, 2_000)
