"""The worker's own main: every kind of film, from inside the cage, and nothing open but what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from anchord import timeline
from anchord.errors import VideoError, WorkerError
from anchord.worker.executor import Draft
from anchord.worker.sandbox.layers import is_on
from tests.processes import is_running
from tests.service.running import wait_until
from tests.torture.films import films
from tests.worker.conftest import Bench
from tests.worker.test_lies import children


def test_every_kind_of_film_is_worked_off_in_the_cage(bench: Callable[..., Bench], tmp_path: Path) -> None:
    """Every container and codec, on one worker, with every layer that this kernel has."""
    made = bench(sandbox="require")
    for name, content in films().items():
        file = tmp_path / name
        file.write_bytes(content)
        outcome = made.do(file)
        assert isinstance(outcome, Draft), (name, outcome)
        assert timeline.decode(outcome.content).quality.coverage == 1, name
    assert made.executor.restarts == 0
    layers = made.executor._supervisors[0]._layers
    assert set(layers) == {
        "limits", "empty_root", "threads", "no_new_privs", "undumpable", "landlock", "seccomp"
    }  # fmt: skip
    assert all(map(is_on, layers.values())), layers


def test_only_what_it_needs_is_open(bench: Callable[..., Bench], video: Path) -> None:
    before = children()
    assert isinstance(bench().do(video), Draft)
    (pid,) = children() - before
    opened = [file.readlink().as_posix() for file in Path(f"/proc/{pid}/fd").iterdir()]
    assert sorted(name.partition(":")[0] for name in opened) == ["/dev/null", "pipe", "pipe", "socket"]


def test_a_bad_video_is_said_to_be_one(bench: Callable[..., Bench], tmp_path: Path) -> None:
    """And its worker stays."""
    file = tmp_path / "idle.webm"
    file.write_bytes(b"no video\n" * 100)
    made = bench()
    outcome = made.do(file)
    assert isinstance(outcome, VideoError)
    assert "is neither a WebM nor an MP4 video" in str(outcome)
    assert made.executor.restarts == 0


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("MemoryError()", "needs more memory than worker.memory_mb"),
        ("errors.OutputError('a full disk')", "a full disk"),
        ("ZeroDivisionError('a bug')", "ZeroDivisionError: a bug"),
    ],
)
def test_what_is_raised_over_a_video_costs_that_one(
    raised: str, said: str, bench: Callable[..., Bench], video: Path
) -> None:
    inside = str(Path(__file__).with_name("inside.py"))
    outcome = bench(sys.executable, inside, f"from anchord import errors\nraise {raised}").do(video)
    assert type(outcome) is WorkerError
    assert said in str(outcome)


def test_it_ends_when_its_parent_does() -> None:
    """Also one that was killed and could tell it nothing, and while the worker itself can do nothing."""
    program = (
        "import os, signal; from anchord.settings import WorkerSettings;"
        "from anchord.worker.client import Worker;"
        "worker = Worker(WorkerSettings(threads=1)); worker.wait_ready();"
        "print(worker.pid, flush=True); os.kill(worker.pid, signal.SIGSTOP);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=100, check=False)
    wait_until(lambda: not is_running(int(told.stdout)))
