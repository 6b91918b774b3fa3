"""Failures, told and counted by how far they reach."""

from __future__ import annotations

from typing import Any

import structlog

from anchord.errors import FileError, MachineError, NoInputError, VideoError
from anchord.service.queue import Queue
from anchord.service.rate_limit import TOLD_SINGLY, WINDOW_S
from anchord.service.timers import Timers
from anchord.service.verdicts import CountsDue, Verdicts
from anchord.service.watching.scanner import Known


class Rig:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers = Timers()
        self.queue: Queue[Any] = Queue(self.timers)
        self.results: list[str] = []
        self.verdicts = Verdicts(
            known=Known(),
            queue=self.queue,
            timers=self.timers,
            on_result=lambda result, *_: self.results.append(result),
            clock=lambda: self.now_s,
        )


def test_content_is_parked_and_the_machine_is_tried_again() -> None:
    rig = Rig()
    with structlog.testing.capture_logs() as logs:
        rig.verdicts.fail("a", VideoError("no video"))
        rig.verdicts.fail("b", FileError("a pipe"))
        rig.verdicts.fail("c", MachineError("disk full"))
        rig.verdicts.fail("d", NoInputError("gone"))
    assert [log["event"] for log in logs] == ["video_refused", "pack_parked", "pack_failed"]
    assert (set(rig.queue.parked), set(rig.queue.retries)) == ({"a", "b"}, {"c"})
    assert rig.results == ["refused", "refused", "failed"]
    assert rig.verdicts.failed == 3


def test_a_full_disk_is_a_few_lines_and_one_count() -> None:
    rig = Rig()
    error = MachineError("p: cannot be written")
    error.__cause__ = OSError(28, "No space left on device")
    with structlog.testing.capture_logs() as logs:
        for i in range(100):
            rig.verdicts.fail(f"p{i}", error)
        assert len(logs) == TOLD_SINGLY
        assert len(rig.queue.retries) == 100
        rig.now_s = WINDOW_S
        due = []
        while (what := rig.timers.pop_due(now_s=rig.now_s)) is not None:
            due.append(what)
        assert CountsDue() in due
        rig.verdicts.tell_counts()
    assert logs[-1] == {
        "event": "packs_failed",
        "reason": "No space left on device",
        "count": 100 - TOLD_SINGLY,
        "log_level": "error",
    }


def test_hints_are_limited_too() -> None:
    rig = Rig()
    with structlog.testing.capture_logs() as logs:
        for i in range(100):
            rig.verdicts.hint(f"p{i}", "there is Idle.WEBM")
    assert len(logs) == TOLD_SINGLY
    assert not rig.queue.parked
