"""What a worker started is found and ended; what this process started itself is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from anchord.worker import strays

_DAEMON = """
import os, signal, time
if os.fork(): os._exit(0)
os.setsid()
for number in (1, 2, 3, 15): signal.signal(number, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _none_of_other_tests() -> None:
    """What they orphaned comes here too."""
    strays.adopt()
    strays.sweep()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _start(code: str) -> int:
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        return int(process.stdout.readline())


def test_an_orphan_that_left_everything_is_ended() -> None:
    pid = _start(_DAEMON)
    assert _is_there(pid)
    assert strays.sweep() == 1
    assert not _is_there(pid)


def test_its_children_are_ended_too() -> None:
    _start(_DAEMON.replace("print", "os.fork()\nprint"))
    assert strays.sweep() == 2
    assert strays.sweep() == 0


def test_a_process_that_this_one_started_is_none() -> None:
    with subprocess.Popen(["sleep", "600"]) as own:
        assert strays.sweep() == 0
        assert own.poll() is None
        own.kill()


def test_a_worker_is_none_until_it_is_forgotten() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as worker:
        strays.know(worker.pid)
        assert strays.sweep() == 0
        strays.forget(worker.pid)
        assert strays.sweep() == 1
        worker.wait()
