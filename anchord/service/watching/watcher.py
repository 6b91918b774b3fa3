"""
Keeps file events of one root flowing, and says how far they can be trusted.

Events are proven by a cookie, rebuilt where they fall silent, and done without where they can't be had.
On file systems that other machines or another layer change without an event, and wherever a look found
what no event told of, packs are polled beside the events.

Used by one thread at a time, away from the daemon's loop: each of these calls may hang with the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import structlog

from anchord.errors import MachineError, RootError, reason
from anchord.printable import printable
from anchord.service.watching.events import ROOT, STORM_S, Events
from anchord.service.watching.scanner import Look, Names, look_at
from anchord.settings import WatchSettings

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

# Of these it is known that every change that reaches them makes an event: they lie on a disk or in the
# memory of this machine alone. Everything else (fuse*, network, overlay with its lower layer, what the
# next kernel brings) is polled beside.
_TOLD = frozenset(
    (
        *("bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "jfs", "nilfs2", "ntfs3"),
        *("ramfs", "reiserfs", "tmpfs", "udf", "vfat", "xfs", "zfs"),
    )
)

# So often in a row a watch is rebuilt that falls silent; then packs are polled instead.
_MOST_FAILURES = 3


class RootKey(NamedTuple):
    """Which folder the root really is: it may be a link, be made again or be mounted over."""

    path: str
    device: int
    inode: int


def root_key(root: Path) -> RootKey:
    """
    Which folder the root is at this moment, links followed.

    Raises:
        RootError: it can't be read.
    """
    try:
        path = root.resolve(strict=True)
        status = path.stat()
        if not os.access(path, os.R_OK | os.X_OK):
            raise PermissionError(13, "not readable by this user")
    except (OSError, RuntimeError) as error:  # the second: links in a circle
        raise RootError(
            f"{root}: avatars root cannot be read: {reason(error)}; create it, give anchord's user "
            "the right to read it, or name another with --root or root = in anchord.toml"
        ) from error
    return RootKey(str(path), status.st_dev, status.st_ino)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Watcher:
    """
    The watch of one root.

    Args:
        settings: may be replaced at any time.
        wake: called from another thread when events came in.
        depth: 1 where packs lie in the root, 2 where they lie in its folders; may be replaced before
            :meth:`lose_root`.
    """

    settings: WatchSettings
    wake: Callable[[], None]
    depth: int = 1
    rebuilds: int = field(default=0, init=False)
    events: Events | None = field(default=None, init=False)
    #: Why packs are polled, all of them; empty while events are used for all that have them.
    polls_because: str = field(default="", init=False)
    _root: RootKey | None = field(default=None, init=False)
    _proof: str = field(default="", init=False)
    _is_cookie_out: bool = field(default=False, init=False)
    # How often in a row a watch had to be rebuilt.
    _failures: int = field(default=0, init=False)
    # Device -> why its packs are polled beside the events; empty: they are not.
    _silent: dict[int, str] = field(default_factory=dict, init=False)
    _overflows_before: int = field(default=0, init=False)

    @property
    def mode(self) -> str:
        """How changes are heard of: inotify, poll, or both."""
        if self.events is None:
            return "poll"
        return "inotify+poll" if self.polls_because or any(self._silent.values()) else "inotify"

    @property
    def detail(self) -> str:
        """What is known about the watch, for people."""
        silent = sorted({why for why in self._silent.values() if why})
        return "; ".join(part for part in (self.polls_because, *silent, self._proof) if part)

    @property
    def is_root_silent(self) -> bool:
        """Whether packs may come and go without an event."""
        return self._root is None or self.polls(ROOT, self._root.device)

    def polls_any(self, packs: Set[str]) -> bool:
        """Whether something may change without an event in the root or in one of these *packs*."""
        if self.events is None or self.is_root_silent or any(self._silent.values()):
            return True
        return not packs <= self.events.packs()

    @property
    def overflows(self) -> int:
        """How often events were lost."""
        return self._overflows_before + (self.events.overflows if self.events else 0)

    def follow(self, root: RootKey) -> bool:
        """Watch *root* from now on; whether it is another folder than before."""
        if root == self._root:
            return False
        if self._root is not None:
            self._rebuilt("the root is another folder now")
        self._root, self._failures = root, 0
        self._silent.clear()
        self._build()
        self._learn(root.device, root.path)
        return True

    def lose_root(self) -> None:
        """The root can't be read: what watches it hears nothing any more."""
        self._root = None
        self.close()

    def look(self, pack: str, path: str, names: Names, before: Look | None) -> Look | None:
        """
        Look at a pack, and hear of changes in it from now on.

        Heard first and looked at afterwards: what happens between is then seen twice.

        Raises:
            MachineError: as :func:`~anchord.service.watching.scanner.look_at`.
        """
        self.listen(pack)
        look = look_at(path, names, before)
        if look is not None and self.events is not None:
            if before is not None and before.folder[:2] != look.folder[:2]:
                self.events.unwatch(pack)  # another folder has its name
                self.listen(pack)
            self._learn(look.folder.device, path)
        return look

    def listen(self, pack: str) -> None:
        """Hear of changes in a pack; where that can't be had, all packs are polled."""
        if self.events is not None and not self.events.is_watched(pack):
            try:
                self.events.watch(pack)
            except MachineError:
                return  # it can't be read, or is gone: the look at it says so
            if self.events.refused and not self.polls_because:
                self._poll(_too_few_watches(self.events))

    def listen_to_groups(self, groups: Collection[str]) -> None:
        """Hear of packs that come and go in these folders of the root, and of no others."""
        if self.events is None:
            return
        wanted = {f"{group}/" for group in groups}
        for gone in self.events.groups() - wanted:
            self.events.unwatch(gone)
        for group in wanted:
            self.listen(group)

    def polls(self, pack: str, device: int) -> bool:
        """
        Whether a pack on this *device* must be looked at every ``poll_s``.

        Also one that may be entered and not read, as one of mode 0711: it can't be listened to, which says
        nothing about its device.
        """
        if self.events is None or self.polls_because:
            return True
        return bool(self._silent.get(device)) or not self.events.is_watched(pack)

    def _learn(self, device: int, path: str) -> None:
        """Find out whether changes on this *device* always make events."""
        if device in self._silent:
            return
        kind = file_system(path)
        is_silent = kind not in _TOLD and self.settings.mode == "auto"
        self._silent[device] = f"{kind or 'this file system'} may change without events" if is_silent else ""
        if is_silent:
            log.info("watch_polls", reason=self._silent[device], poll_s=self.settings.poll_s)

    def distrust(self, device: int, pack: str) -> None:
        """A look found a change in *pack* that no event told of: poll what lies on the same device."""
        if self.events is None or self._silent.get(device) or self.settings.mode == "inotify":
            return
        self._silent[device] = f"events are distrusted: a change in {printable(pack)} came without one"
        log.warning("watch_polls", reason=self._silent[device], poll_s=self.settings.poll_s)

    def probe(self) -> bool:
        """Prove that events flow; whether the watch was rebuilt, so that all packs need a look."""
        if self.events is None:
            return False
        if not self._is_there():
            return True
        if not self.events.is_alive:
            return self._doubt("the thread of the watch has ended")
        if self.events.awaits_cookie:
            return self._doubt("no event came for a file made to prove that they flow")
        if self._is_cookie_out:
            self._failures = 0
            self._proof = "events proven"
        self._is_cookie_out = self.events.send_cookie()
        if not self._is_cookie_out:
            self._proof = "events unproven: no file can be made in the root"
        return False

    def close(self) -> None:
        """Stop watching."""
        if self.events:
            self._overflows_before += self.events.overflows
            self.events.close()
        self.events = None

    def _is_there(self) -> bool:
        """Whether the watched folder still has its path; a cookie in another would prove nothing."""
        assert self._root is not None
        try:
            status = Path(self._root.path).stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self._root.device, self._root.inode)

    def _doubt(self, why: str) -> bool:
        self._failures += 1
        self._rebuilt(why)
        self._build()
        return True

    def _rebuilt(self, why: str) -> None:
        self.rebuilds += 1
        log.warning("watch_rebuilt", reason=why)

    def _build(self) -> None:
        """Watch the root, or say why its packs are polled."""
        self.close()
        assert self._root is not None
        self.polls_because, self._proof, self._is_cookie_out = "", "", False
        if self.settings.mode == "poll":
            self._poll("settings say so")
        elif self._failures >= _MOST_FAILURES:
            self._poll("the watch fell silent three times in a row")
        else:
            try:
                self.events = Events(self._root.path, self.wake, self.depth)
            except RootError as error:
                self._poll(str(error))

    def _poll(self, why: str) -> None:
        self.polls_because = why
        is_wanted = self.settings.mode == "poll"
        (log.info if is_wanted else log.warning)("watch_polls", reason=why, poll_s=self.settings.poll_s)


def file_system(folder: str) -> str:
    """The type of the file system that *folder* lies on, as in /proc/mounts; empty if unknown."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return ""
    wanted = os.fsencode(os.path.realpath(folder))
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(b" - ")
        # Blanks and the like in a mount point are written as octal escapes.
        point = left.split()[4]
        for escape, raw in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
            point = point.replace(escape, raw)
        is_above = wanted == point or wanted.startswith(point.rstrip(b"/") + b"/")
        if is_above and len(point) >= best:
            best, kind = len(point), right.split()[0].decode()
    return kind


def _too_few_watches(events: Events) -> str:
    needed = events.watched + len(events.refused)
    return (
        f"the limit of inotify watches is reached at {events.watched} folders; raise it with: "
        f"sysctl fs.inotify.max_user_watches={max(2 * needed, 65_536)}"
    )


__all__ = ["ROOT", "STORM_S", "RootKey", "Watcher", "file_system", "root_key"]
