"""
File events into names of packs. The only room that knows watchdog.

Events are hints: they may be lost, doubled or late, and a watch may fall silent with all its threads
alive. All that is taken from one is the name of a pack in which something may have changed; a thousand
of them for the same pack are one name. Whoever holds an ``Events`` asks it now and then to prove that it
still hears.

Watched are the root and each pack's own folder, not what lies below: nothing there feeds a timeline, and
a pack of two thousand nested folders costs what any other does.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from anchord.atomic import TEMPORARY_PREFIX
from anchord.errors import MachineError, RootError, reason
from anchord.service import lock

# Never "opened" or "closed without writing": nginx makes one of each with every request it serves.
_MASK = Mask(
    reduce(
        or_,
        (
            InotifyConstants.IN_CREATE,
            InotifyConstants.IN_MODIFY,
            InotifyConstants.IN_ATTRIB,
            InotifyConstants.IN_CLOSE_WRITE,
            InotifyConstants.IN_MOVED_FROM,
            InotifyConstants.IN_MOVED_TO,
            InotifyConstants.IN_DELETE,
            InotifyConstants.IN_DELETE_SELF,
            InotifyConstants.IN_MOVE_SELF,
            InotifyConstants.IN_ONLYDIR,
        ),
    )
)
_ROOT_GONE = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF | InotifyConstants.IN_UNMOUNT
_ENTRY_CHANGED = (
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
)

_COOKIE_PREFIX = b".anchord-cookie-"
_LOCK = os.fsencode(lock.NAME)
_OWN_PREFIXES = (_COOKIE_PREFIX, os.fsencode(TEMPORARY_PREFIX))

# A folder with more events than this in a second is not listened to for a while: two processes that make
# and delete files as fast as they can would keep the reading thread, and Python's lock, busy. An upload in
# pieces of 64 KiB at 60 MB/s makes a thousand. A new pack in a root that storms may wait for the pause.
_STORM, _COUNTED_S, STORM_S = 1000, 1.0, 0.5
# Before a storm is noticed the kernel has queued 16,384 events, which take a quarter of a second to go
# through: a pack that goes on storming is listened to ever less often, up to so many seconds apart.
_LONGEST_STORM_S = 8.0

# Without this, what watchdog says while nobody listens would go to stderr between the log's lines.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
logging.getLogger("watchdog").propagate = False

#: The id under which the root itself is watched; no pack can have it.
ROOT = ""


_NONE = WatchDescriptor(-1)


@dataclass(slots=True, eq=False)
class _Ear:
    """The callback of one watched folder. Nothing in it may raise: that would end the reading thread."""

    events: Events
    pack: str
    descriptor: WatchDescriptor = _NONE
    # When the second began in which events are counted, and how many came.
    since_s: float = 0.0
    count: int = 0

    def on_event(self, event: InotifyEvent) -> None:
        now_s = time.monotonic()
        if now_s - self.since_s > _COUNTED_S:
            self.since_s, self.count = now_s, 0
        self.count += 1
        if self.count > _STORM:
            self.events.mute(self)
        elif self.pack == ROOT:
            self.events.heard_in_root(event)
        elif self.pack.endswith("/"):
            self.events.heard_in_group(self.pack, event)
        elif not event.name.startswith(_OWN_PREFIXES):
            self.events.heard(self.pack)

    def on_watch_deleted(self, _descriptor: WatchDescriptor) -> None:
        self.events.ended(self)

    def on_queue_overflow(self) -> None:
        self.events.overflowed()


@dataclass(slots=True, eq=False, repr=False)
class Events:
    """
    Collects the packs below *root* in which something happens, until closed.

    Args:
        root: the avatars root, resolved.
        wake: called, from a thread of the watch's own, when there is something to :meth:`take`.
        depth: 1 where packs lie in the root, 2 where they lie in its folders.

    Raises:
        RootError: file events can't be had.
    """

    root: str
    wake: Callable[[], None]
    depth: int = 1
    overflows: int = field(default=0, init=False)
    #: Folders that could not be watched because the limit of inotify watches is reached.
    refused: set[str] = field(default_factory=set, init=False)
    _reader: InotifyFD = field(init=False)
    _ears: dict[str, _Ear] = field(default_factory=dict, init=False)
    _muted: dict[str, float] = field(default_factory=dict, init=False)
    # Pack -> when it last stormed and how long it was not listened to then; those that went on.
    _stormed: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)
    _touched: dict[str, None] = field(default_factory=dict, init=False)
    _is_all: bool = field(default=False, init=False)
    _cookie: bytes = field(default=b"", init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        try:
            self._reader = InotifyFD()
            self._reader.start()
        except OSError as error:
            raise RootError(f"{self.root}: file events cannot be had: {reason(error)}") from error
        try:
            self.watch(ROOT)
        except MachineError as error:
            self.close()
            raise RootError(f"{self.root}: file events cannot be had: {error}") from error

    def watch(self, pack: str) -> None:
        """
        Listen to a pack's folder too, unless it is listened to already, or to the root. From any thread.

        Raises:
            MachineError: it can't be watched; at the limit of watches it is only noted in ``refused``.
        """
        with self._lock:
            if pack in self._ears:
                return
            ear = self._ears[pack] = _Ear(self, pack)
        path = f"{self.root}/{pack}" if pack else self.root
        try:
            # A mount that hangs must hang here, not inside watchdog, which holds its lock there.
            os.stat(path)  # noqa: PTH116
            found = self._reader.add_callback(os.fsencode(path), _MASK, ear, CallbackId(id(ear)))
            if found < 0:
                # What watchdog makes of EACCES: a watch that is none, under a number that is none.
                self._reader.remove_callbacks([(found, CallbackId(id(ear)))])
                raise PermissionError(errno.EACCES, "may not be read")
        except OSError as error:
            with self._lock:
                self._ears.pop(pack, None)
                if error.errno == errno.ENOSPC:  # the limit of watches, not of the disk
                    self.refused.add(pack)
            if error.errno == errno.ENOSPC and pack:
                return
            raise MachineError(f"{path}: cannot be watched: {reason(error)}") from error
        ear.descriptor = found
        with self._lock:
            self.refused.discard(pack)
            is_wanted = self._ears.get(pack) is ear
        if not is_wanted:  # a storm was heard before its number was known
            self._let_go(ear)

    def unwatch(self, pack: str) -> None:
        """The pack is gone; its folder may live on under another name."""
        with self._lock:
            ear = self._ears.pop(pack, None)
            self._muted.pop(pack, None)
            self._stormed.pop(pack, None)
            self.refused.discard(pack)
        if ear is not None:
            self._let_go(ear)

    def is_watched(self, pack: str) -> bool:
        """Whether events of this pack are to be expected."""
        return pack in self._ears

    def packs(self) -> set[str]:
        """The packs that are watched."""
        with self._lock:
            return {pack for pack in self._ears if pack and pack[-1] != "/"}

    def groups(self) -> set[str]:
        """The folders of the root that are watched for packs, each with a slash at its end."""
        with self._lock:
            return {pack for pack in self._ears if pack[-1:] == "/"}

    @property
    def watched(self) -> int:
        """How many folders are watched, the root among them."""
        return len(self._ears)

    def take(self, most: int) -> tuple[list[str], bool]:
        """
        At most so many packs in which something happened since they were last taken, oldest first; and
        whether every pack may have changed: events were lost, or the root itself moved.
        """
        with self._lock:
            taken = list(self._touched)[:most] if len(self._touched) > most else list(self._touched)
            for pack in taken:
                del self._touched[pack]
            is_all, self._is_all = self._is_all, False
        return taken, is_all

    @property
    def has_more(self) -> bool:
        """Whether there is something to take."""
        return bool(self._touched) or self._is_all

    def pop_calm(self, now_s: float) -> list[str]:
        """Folders in which a storm was seen a while ago: watch them again, and look at them."""
        with self._lock:
            calm = [pack for pack, until_s in self._muted.items() if until_s <= now_s]
            for pack in calm:
                del self._muted[pack]
        return calm

    @property
    def muted(self) -> int:
        """How many folders are not listened to because of a storm."""
        return len(self._muted)

    def send_cookie(self) -> bool:
        """Make and remove a file whose event must come back; False where the root can't be written."""
        name = _COOKIE_PREFIX + os.urandom(6).hex().encode()
        self._cookie = name
        file = os.fsencode(self.root) + b"/" + name
        try:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            os.unlink(file)  # noqa: PTH108
        except OSError:
            self._cookie = b""
            return False
        return True

    @property
    def awaits_cookie(self) -> bool:
        """Whether the last cookie's event has not come back yet, although the root is listened to."""
        return bool(self._cookie) and ROOT in self._ears

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs, which does not mean that events flow."""
        return self._reader.is_alive()

    def close(self) -> None:
        """End its thread."""
        self._reader.stop()

    # From here on: called by the reading thread, and never raising.

    def heard(self, pack: str) -> None:
        """Something happened in a pack."""
        with self._lock:
            is_first = not self._touched and not self._is_all
            self._touched[pack] = None
        if is_first:
            self.wake()

    def heard_in_root(self, event: InotifyEvent) -> None:
        """Something happened to an entry of the root, or to the root itself."""
        if event.name.startswith(_COOKIE_PREFIX):
            if event.name == self._cookie:
                self._cookie = b""
        elif event.name == _LOCK and event.mask & _ENTRY_CHANGED:
            # Its open file keeps a deleted root alive, so that no event tells of that one's end.
            if not event.mask & InotifyConstants.IN_CREATE:
                self.overflowed(is_counted=False)
        elif event.name and self.depth > 1:
            if event.mask & _ENTRY_CHANGED:
                group = os.fsdecode(event.name) + "/"
                self.unwatch(group)
                self.heard(group)
        elif event.name:
            self._heard_of_entry(os.fsdecode(event.name), event)
        elif event.mask & _ROOT_GONE:
            self.overflowed(is_counted=False)

    def heard_in_group(self, group: str, event: InotifyEvent) -> None:
        """Something happened to an entry of a group, or to the group itself."""
        if event.name:
            self._heard_of_entry(group + os.fsdecode(event.name), event)
        elif event.mask & _ROOT_GONE:
            self.heard(group)

    def _heard_of_entry(self, pack: str, event: InotifyEvent) -> None:
        if event.mask & _ENTRY_CHANGED:
            self.unwatch(pack)  # from now on another folder may have its name
        self.heard(pack)

    def overflowed(self, *, is_counted: bool = True) -> None:
        """The kernel dropped events: every pack may have changed. Told once for each watched folder."""
        with self._lock:
            is_first = not self._is_all
            self._is_all = True
            self.overflows += is_counted and is_first
        if is_first:
            self.wake()

    def mute(self, ear: _Ear) -> None:
        """Do not listen to a folder for a while; what happens meanwhile, a look will find."""
        with self._lock:
            is_new = self._ears.pop(ear.pack, None) is not None
            if is_new:
                self._muted[ear.pack] = time.monotonic() + self._pause_s(ear.pack)
        if is_new:
            self._let_go(ear)
            self.wake()

    def _pause_s(self, pack: str) -> float:
        """How long a folder that storms is not listened to; twice as long as before where it goes on."""
        now_s = time.monotonic()
        stormed_s, before_s = self._stormed.get(pack, (0.0, 0.0))
        # New packs come in the root: it is never left alone for long.
        is_same = pack[-1:] not in ("", "/") and now_s - stormed_s < before_s + 2 * _COUNTED_S
        pause_s = min(2 * before_s, _LONGEST_STORM_S) if is_same else STORM_S
        self._stormed[pack] = (now_s, pause_s)
        return pause_s

    def ended(self, ear: _Ear) -> None:
        """The kernel gave a watch up: the folder is gone, or what it was mounted on."""
        with self._lock:
            if self._ears.get(ear.pack) is ear:
                del self._ears[ear.pack]
        if ear.pack == ROOT:
            self.overflowed(is_counted=False)
        else:
            self.heard(ear.pack)

    def _let_go(self, ear: _Ear) -> None:
        try:
            self._reader.remove_callbacks([(ear.descriptor, CallbackId(id(ear)))])
        except OSError:
            return  # the kernel has let go of it already
