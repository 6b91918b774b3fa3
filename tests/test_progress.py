"""The progress bar of many videos at once."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress

from anchord.commands.progress import Bar


def shown(bar: Progress) -> list[tuple[str, float, float | None]]:
    return [(task.description, task.completed, task.total) for task in bar.tasks]


def test_each_video_has_a_line_while_it_is_worked_on() -> None:
    """The newest says how many wait; what is said of a video that has ended shows nothing."""
    progress = Progress(console=Console(file=io.StringIO()))
    bar = Bar(progress)
    bar.working("ada", 2)
    bar.working("b\x1b[31mo", 1)
    bar.progressed("ada", 10, 120)
    bar.progressed("b\x1b[31mo", 5, 0)
    assert shown(progress) == [("ada", 10, 120), ("b\\x1b[31mo (1 more)", 5, None)]
    bar.finished("ada")
    bar.progressed("ada", 20, 120)
    assert shown(progress) == [("b\\x1b[31mo (1 more)", 5, None)]
