"""A progress bar on a terminal, and nothing elsewhere. The only room that knows rich."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any


class Bar:
    """A progress bar for one video after another."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def working(self, pack: str, queued: int) -> None:
        """Begin anew for *pack*."""
        waiting = f" ({queued} more)" if queued else ""
        self._bar.reset(self._task, description=f"{pack}{waiting}", total=None)

    def progressed(self, done: int, expected: int) -> None:
        """Show frames decoded of frames expected."""
        self._bar.update(self._task, completed=done, total=expected or None)


@contextlib.contextmanager
def progress_bar() -> Iterator[Bar | None]:
    """A progress bar on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Bar(bar)
