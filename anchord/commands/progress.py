"""A progress bar on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from anchord.printable import printable


class Bar:
    """
    Shows the videos that are worked on, a line each.

    Args:
        bar: rich's ``Progress``.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._tasks: dict[str, Any] = {}
        self._sum: Any = None

    def working(self, pack: str, queued: int) -> None:
        """Begin a line for *pack*; the newest says how many wait."""
        self.finished(pack)
        for other, task in self._tasks.items():
            self._bar.update(task, description=printable(other))
        waiting = f" ({queued} more)" if queued else ""
        self._tasks[pack] = self._bar.add_task(f"{printable(pack)}{waiting}", total=None)

    def progressed(self, pack: str, done: int, expected: int) -> None:
        """Show frames decoded of frames expected; 0: unknown."""
        if pack in self._tasks:
            self._bar.update(self._tasks[pack], completed=done, total=expected or None)

    def sum_up(self, words: str) -> None:
        """Show how all of it goes, in a line of its own."""
        if self._sum is None:
            self._sum = self._bar.add_task(words, total=None)
        self._bar.update(self._sum, description=words)

    def finished(self, pack: str) -> None:
        """End the line of *pack*."""
        if pack in self._tasks:
            self._bar.remove_task(self._tasks.pop(pack))


@contextlib.contextmanager
def progress() -> Iterator[Bar | None]:
    """A bar where stderr is a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    # 0.1 s to load, and mostly not needed.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Bar(bar)
