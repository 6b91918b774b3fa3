"""The one guard around everything that is done for one pack: whatever it raises goes no further."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anchord.errors import AnchordError, DefectError, as_ours

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
