"""CPU time is counted from the moment it was given, by the kernel or else by the parent."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from anchord.worker.cpu_time import CpuTime

_BURNS = "print('up', flush=True)\nwhile True: pass"


@pytest.fixture
def runaway() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", _BURNS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_runaway_is_ended_by_the_kernel(runaway: subprocess.Popen[bytes]) -> None:
    """A worker that is warm for days is not ended for it, and a runaway is."""
    CpuTime(runaway.pid, 1)
    assert runaway.wait(timeout=60) == -signal.SIGXCPU


def test_where_no_limit_can_be_set_the_parent_counts(
    runaway: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root without CAP_SYS_RESOURCE is refused, over a worker that has another user id."""

    def refuse(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(resource, "prlimit", refuse)
    given = CpuTime(runaway.pid, 1)
    assert not given.is_over()
    ends_at_s = time.monotonic() + 60
    while not given.is_over():
        assert time.monotonic() < ends_at_s
        time.sleep(0.05)
    assert runaway.poll() is None


def test_a_process_that_is_gone_is_nobody_s_trouble() -> None:
    """It may end between two jobs."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert not CpuTime(process.pid, 1).is_over()
