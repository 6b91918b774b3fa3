"""
File events into touches. The only room that knows watchdog.

Events are hints: they may be lost, doubled or late, and a watch may fall silent with all its threads
alive. All that is taken from one is the name of a pack in which something may have changed, and
whoever holds a Watch asks it now and then to prove that it still hears.
"""

from __future__ import annotations

import logging
import os
import secrets
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

# Without this, what watchdog says while no Watch listens would go to stderr between the log's lines.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
logging.getLogger("watchdog").propagate = False

_COOKIE_PREFIX = ".anchord-cookie-"


class Watch:
    """
    Reports the packs below *root* in which something happens, until closed.

    Args:
        root: the avatars root, resolved: below a link new folders are never seen.
        report: gets a pack's id, from a thread of the watch's own; must not block or raise.
        on_overflow: called, from such a thread, when the kernel dropped events.

    Raises:
        RootError: file events can't be had.
    """

    def __init__(self, root: Path, report: Callable[[str], None], on_overflow: Callable[[], None]) -> None:
        self._root = root
        self._cookie = ""
        self._observer = Observer()
        self._log = _WatchdogLog(on_overflow)
        logging.getLogger("watchdog").addHandler(self._log)
        handler = _Handler(os.fsencode(root), self._heard, report, on_overflow)
        try:
            self._observer.schedule(handler, str(root), recursive=True, event_filter=_EVENTS)
            self._observer.start()
        except OSError as error:
            self.close()
            raise RootError(f"{root}: file events cannot be had: {error.strerror or error}") from error

    def send_cookie(self) -> bool:
        """Make and remove a file whose event must come back; False where the root can't be written."""
        name = f"{_COOKIE_PREFIX}{secrets.token_hex(6)}"
        self._cookie = name
        try:
            descriptor = os.open(
                self._root / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
            )
            os.close(descriptor)
            (self._root / name).unlink()
        except OSError:
            self._cookie = ""
            return False
        return True

    @property
    def awaits_cookie(self) -> bool:
        """Whether the last cookie's event has not come back yet."""
        return bool(self._cookie)

    @property
    def is_alive(self) -> bool:
        """Whether all threads run, which does not mean that events flow."""
        return self._observer.is_alive() and all(emitter.is_alive() for emitter in self._observer.emitters)

    def close(self) -> None:
        """End its threads."""
        logging.getLogger("watchdog").removeHandler(self._log)
        if self._observer.ident is not None:
            self._observer.stop()
            self._observer.join(5)

    def _heard(self, name: str) -> bool:
        """Whether *name* is a cookie; the one that is awaited is then no longer."""
        if name == self._cookie:
            self._cookie = ""
        return name.startswith(_COOKIE_PREFIX)


class _Handler(FileSystemEventHandler):
    """Hands on names and nothing else: an exception here would end watchdog's thread in silence."""

    def __init__(
        self,
        root: bytes,
        is_cookie: Callable[[str], bool],
        report: Callable[[str], None],
        on_root_changed: Callable[[], None],
    ) -> None:
        self._prefix = root.rstrip(b"/") + b"/"
        self._is_cookie = is_cookie
        self._report = report
        self._on_root_changed = on_root_changed

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in {event.src_path, event.dest_path}:
            name = os.fsencode(path)
            if name.startswith(self._prefix):
                pack = os.fsdecode(name[len(self._prefix) :].split(b"/", 1)[0])
                if not self._is_cookie(pack):
                    self._report(pack)
            elif name and isinstance(event, (DirDeletedEvent, DirMovedEvent)):
                self._on_root_changed()  # the root itself was deleted or moved


class _WatchdogLog(logging.Handler):
    """An overflow shows in watchdog's log and nowhere else."""

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._on_overflow = on_overflow

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._on_overflow()


def watched_folders() -> int:
    """How many folders this process really has an inotify watch on, by the kernel's own account."""
    count = 0
    for descriptor in Path("/proc/self/fdinfo").iterdir():
        try:
            with descriptor.open() as lines:
                count += sum(line.startswith("inotify ") for line in lines)
        except OSError:
            continue  # the descriptor of this very listing
    return count
