"""The one guard around everything that is done for one pack: whatever it raises goes no further."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from anchord.errors import AnchordError, DefectError, MachineError, as_ours

T = TypeVar("T")


def guarded(
    step: Callable[[], T], on_defect: Callable[[Exception], None] = lambda _error: None
) -> T | AnchordError:
    """
    What *step* gives, or the error that it raised, as one of the tree.

    Args:
        step: anything.
        on_defect: told of what is a mistake of ours, its traceback still with it.
    """
    try:
        return step()
    except Exception as error:  # noqa: BLE001  this is the guard
        ours = as_ours(error)
        if isinstance(ours, DefectError):
            on_defect(error)
        # A traceback holds the frames it went through, and all that they hold.
        for raised in (error, ours):
            raised.__traceback__ = None
        return ours


def guarded_within(step: Callable[[], T], what: str, *, within_s: float = 5.0) -> T | AnchordError:
    """
    The same for a command, which has no loop to go on meanwhile: a *step* that hangs with its disk or mount
    is left behind after *within_s* seconds. Its thread does not keep the process from ending.

    Args:
        step: anything.
        what: what it looks at, for the message.
        within_s: a disk that has to spin up takes some seconds.
    """
    answers: SimpleQueue[T | AnchordError] = SimpleQueue()
    threading.Thread(target=lambda: answers.put(guarded(step)), daemon=True).start()
    try:
        return answers.get(timeout=within_s)
    except Empty:
        return MachineError(f"{what}: does not answer; see what it lies on")
