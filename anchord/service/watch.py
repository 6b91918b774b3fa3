"""
File events into touches. The only room that knows watchdog.

Events are hints: they may be lost, doubled or late. All that is taken from one is the name of a
pack in which something may have changed; the rescan is the truth.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from anchord.errors import RootError

# Never "opened" or "closed without writing": nginx makes one of each with every request it serves.
_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]


class Watch:
    """
    Reports the packs below *root* in which something happens, until closed.

    Args:
        root: the avatars root, resolved: below a link new folders are never seen.
        report: gets a pack's id, from a thread of the watch's own; must not block or raise.

    Raises:
        RootError: file events can't be had.
    """

    def __init__(self, root: Path, report: Callable[[str], None]) -> None:
        self._observer = Observer()
        handler = _Handler(os.fsencode(root), report)
        try:
            self._observer.schedule(handler, str(root), recursive=True, event_filter=_EVENTS)
            self._observer.start()
        except OSError as error:
            raise RootError(f"{root}: file events cannot be had: {error.strerror or error}") from error

    def close(self) -> None:
        """End its threads."""
        self._observer.stop()
        self._observer.join()


class _Handler(FileSystemEventHandler):
    """Hands on names and nothing else: an exception here would end watchdog's thread in silence."""

    def __init__(self, root: bytes, report: Callable[[str], None]) -> None:
        self._prefix = root.rstrip(b"/") + b"/"
        self._report = report

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in {event.src_path, event.dest_path}:
            name = os.fsencode(path)
            if name.startswith(self._prefix):
                self._report(os.fsdecode(name[len(self._prefix) :].split(b"/", 1)[0]))
