"""A process is started with little, and ended with all that belongs to it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from anchord.errors import WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker.child import Child
from tests.worker.test_lies import children, descriptors

Start = Callable[[str], Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python process with this code."""
    started: list[Child] = []

    def start(code: str) -> Child:
        started.append(Child(WorkerSettings(), (sys.executable, "-c", code)))
        return started[-1]

    yield start
    for child in started:
        child.end()


def said(child: Child) -> str:
    """The first piece that it writes into its channel."""
    child.channel.settimeout(60)
    return child.channel.recv(1000).decode()


def test_it_starts_in_a_place_of_its_own(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the root folder, as a leader of its session, with files for nobody else, and no variable of ours."""
    monkeypatch.setenv("SECRET", "x")
    code = (
        "import os; os.write(0, repr((os.getcwd(), os.getsid(0) == os.getpid(), os.umask(0), "
        "'SECRET' in os.environ)).encode())"
    )
    assert said(start(code)) == repr(("/", True, 0o077, False))


def test_it_inherits_no_descriptor(start: Start) -> None:
    """Not even one that may be inherited."""
    inheritable = os.dup(0)
    os.set_inheritable(inheritable, True)
    try:
        # The fourth is that of the listing.
        told = said(start("import os; os.write(0, repr(len(os.listdir('/proc/self/fd'))).encode())"))
    finally:
        os.close(inheritable)
    assert told == "4"


def test_its_end_is_seen_and_its_number_kept_until_it_is_ended(start: Start) -> None:
    """So that a signal for it never meets another."""
    child = start("")
    while not child.is_dead:
        time.sleep(0.01)
    assert child.pid in children()
    assert child.status is None
    child.kill()
    assert child.end() == 0
    assert child.pid not in children()


def test_its_threads_are_counted(start: Start) -> None:
    code = (
        "import os, threading; [threading.Thread(target=threading.Event().wait).start() for _ in range(9)]; "
        "os.write(0, b'up'); threading.Event().wait()"
    )
    child = start(code)
    assert said(child) == "up"
    assert child.threads == 10
    child.end()
    assert child.threads == 0


def test_ending_it_twice_changes_nothing(start: Start) -> None:
    before = descriptors()
    child = start("import time; time.sleep(600)")
    assert child.end() == -signal.SIGKILL
    assert child.end() == -signal.SIGKILL
    child.kill()
    assert descriptors() == before


def test_one_that_cannot_be_started_leaves_nothing() -> None:
    before = (descriptors(), children())
    with pytest.raises(WorkerStartError, match="Permission denied"):
        Child(WorkerSettings(), ("/etc/passwd",))
    assert (descriptors(), children()) == before
