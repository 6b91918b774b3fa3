"""Steps away from the loop: in order for a pack, not waiting for another, and never raising."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest
import structlog

from anchord.errors import DefectError, FileError, MachineError
from anchord.service.lanes import LATE_S, Lanes, Stepped
from tests.service.running import wait_until


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Rig:
    """Lanes, what they reported, and a clock moved by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reports: SimpleQueue[Stepped] = SimpleQueue()
        self.lanes = Lanes(report=self.reports.put, clock=self.clock)

    def next(self) -> Stepped:
        return self.reports.get(timeout=20)


def test_steps_of_a_pack_keep_their_order() -> None:
    rig = Rig()
    for i in range(100):
        rig.lanes.submit("cats", str(i), lambda i=i: i)  # type: ignore[misc]
    assert [rig.next().result for _ in range(100)] == list(range(100))
    assert rig.lanes.is_idle


def test_a_step_that_hangs_holds_up_its_own_pack_only() -> None:
    rig, answer = Rig(), threading.Event()
    rig.lanes.submit("hung", "look", answer.wait)
    rig.lanes.submit("hung", "decide", lambda: "later")
    rig.lanes.submit("cats", "look", lambda: "cat")
    wait_until(lambda: bool(rig.lanes._running))
    rig.lanes.relieve()
    assert rig.reports.empty()  # it is not late yet
    rig.clock.now_s = 2 * LATE_S
    assert rig.lanes.late() == {"hung": 2 * LATE_S}
    rig.lanes.relieve()
    assert rig.next() == Stepped("cats", "look", "cat")
    assert rig.lanes.is_stuck(longer_than_s=LATE_S)
    answer.set()
    assert [rig.next(), rig.next()] == [Stepped("hung", "look", True), Stepped("hung", "decide", "later")]
    assert rig.lanes.late() == {}


def test_as_many_packs_may_hang_as_there_are_threads() -> None:
    rig, answer = Rig(), threading.Event()
    for i in range(10):
        rig.lanes.submit(f"hung{i}", "look", answer.wait)
        wait_until(lambda i=i: len(rig.lanes._running) == i + 1 or not rig.lanes._ready.empty())  # type: ignore[misc]
        rig.clock.now_s += 2 * LATE_S
        rig.lanes.relieve()
        wait_until(lambda i=i: len(rig.lanes._running) == i + 1)  # type: ignore[misc]
    rig.lanes.submit("cats", "look", lambda: "cat")
    rig.clock.now_s += 2 * LATE_S
    rig.lanes.relieve()
    assert rig.next().result == "cat"
    answer.set()


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (OSError(5, "Input/output error", "f"), MachineError),
        (PermissionError(13, "Permission denied"), MachineError),
        (OSError(40, "Too many levels of symbolic links"), FileError),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), FileError),
        (RecursionError(), FileError),
        (ValueError("Exceeds the limit (4300 digits)"), FileError),
        (MemoryError(), MachineError),
        (KeyError("a bug"), DefectError),
        (AssertionError("a bug"), DefectError),
    ],
)
def test_whatever_a_step_raises_is_its_result(raised: Exception, kind: type[Exception]) -> None:
    def step() -> None:
        raise raised

    rig = Rig()
    rig.lanes.submit("cats", "look", step)
    rig.lanes.submit("cats", "look", lambda: "fine")
    result = rig.next().result
    assert isinstance(result, kind)
    assert result.__cause__ is raised
    assert result.__cause__.__traceback__ is None  # which would hold all that the step held
    assert rig.next().result == "fine"


def test_a_bug_is_told_with_its_traceback_once() -> None:
    def bug() -> None:
        raise KeyError("here")

    def other() -> None:
        raise KeyError("there")

    rig = Rig()
    with structlog.testing.capture_logs() as logs:
        for step in (bug, bug, other, bug):
            rig.lanes.submit("cats", "look", step)
            rig.next()
    assert [log["error"] for log in logs] == ["KeyError('here')", "KeyError('there')"]
    assert all(log["exc_info"] for log in logs)


def test_a_machine_without_threads_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    start: Callable[..., None] = threading.Thread.start

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    rig.lanes.submit("cats", "look", lambda: "cat")
    monkeypatch.setattr(threading.Thread, "start", start)
    rig.lanes.relieve()
    assert rig.next().result == "cat"
