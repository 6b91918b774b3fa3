"""
Keeps a watch on the root, and doubts it: proves that events flow, rebuilds it, or does without.

Without events every change is found all the same, by looking at all packs every ``poll_s``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from anchord.errors import RootError
from anchord.service.survey import RootKey
from anchord.service.watch import Watch, watched_folders
from anchord.settings import WatchSettings

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

# File systems on which other machines, or a host outside the container, change files without events.
# fmt: off
_SILENT_FILE_SYSTEMS = frozenset((
    "9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.grpcfuse", "fuse.osxfs", "fuse.rclone",
    "fuse.s3fs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "prl_fs", "smb3", "smbfs",
    "vboxsf", "virtiofs",
))
# fmt: on


@dataclass(slots=True, kw_only=True)
class Lookout:
    """
    The watch of one root.

    Args:
        settings: may be replaced at any time.
        report: gets the id of a pack in which something may have changed, from another thread.
        on_overflow: called from another thread when events were dropped.
    """

    settings: WatchSettings
    report: Callable[[str], None]
    on_overflow: Callable[[], None]
    rebuilds: int = field(default=0, init=False)
    #: Why packs are polled; empty while events are used.
    polls_because: str = field(default="", init=False)
    #: What is known about the watch, for people.
    detail: str = field(default="", init=False)
    _watch: Watch | None = field(default=None, init=False)
    _root: RootKey | None = field(default=None, init=False)
    _probe_at_s: float = field(default=0.0, init=False)
    _is_cookie_out: bool = field(default=False, init=False)
    # How often in a row a watch had to be rebuilt.
    _failures: int = field(default=0, init=False)

    @property
    def mode(self) -> str:
        """How changes are heard of: inotify or poll."""
        return "poll" if self._watch is None else "inotify"

    @property
    def interval_s(self) -> float:
        """Seconds between looks at all packs."""
        return self.settings.rescan_s if self._watch else min(self.settings.poll_s, self.settings.rescan_s)

    def needs(self, root: RootKey) -> bool:
        """Whether it watches another folder than *root*, or none."""
        return root != self._root

    def watch(self, root: RootKey) -> None:
        """Watch *root* from now on."""
        if self._root is not None:
            self._rebuilt("the root is another folder now")
        self._root = root
        self._failures = 0
        self._build()

    def lose_root(self) -> None:
        """The root can't be read: what watches it hears nothing any more."""
        self._root = None
        self.close()

    def tick(self, now_s: float) -> bool:
        """Probe the watch when it is time to; whether it was rebuilt, so that all packs need a look."""
        if self._watch is None or now_s < self._probe_at_s:
            return False
        self._probe_at_s = now_s + self.settings.probe_s
        if not self._is_there():
            return True
        if not self._watch.is_alive:
            return self._doubt("a thread of the watch has ended")
        if self._watch.awaits_cookie:
            return self._doubt("no event came for a file made to prove that they flow")
        if self._is_cookie_out:
            self._failures = 0
            self.detail = "events proven"
        self._is_cookie_out = self._watch.send_cookie()
        if not self._is_cookie_out:
            self.detail = "events unproven: no file can be made in the root"
        return False

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until ``tick`` has something to do; None if it never will."""
        return None if self._watch is None else max(0.0, self._probe_at_s - now_s)

    def close(self) -> None:
        """Stop watching."""
        if self._watch:
            self._watch.close()
        self._watch = None

    def _is_there(self) -> bool:
        """Whether the watched folder still has its path; a cookie in another would prove nothing."""
        assert self._root is not None
        try:
            status = Path(self._root.path).stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self._root.device, self._root.inode)

    def _doubt(self, reason: str) -> bool:
        self._failures += 1
        self._rebuilt(reason)
        self._build()
        return True

    def _rebuilt(self, reason: str) -> None:
        self.rebuilds += 1
        log.warning("watch_rebuilt", reason=reason)

    def _build(self) -> None:
        """Watch the root, or say why its packs are polled."""
        self.close()
        assert self._root is not None
        root = Path(self._root.path)
        self.polls_because = self._reason_to_poll(root)
        if not self.polls_because:
            try:
                self._watch = Watch(root, self.report, self.on_overflow)
                self._probe_at_s, self._is_cookie_out = 0.0, False
                self.polls_because = _too_few_watches(root)
            except RootError as error:
                is_limit = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.ENOSPC
                self.polls_because = _too_few_watches(root) if is_limit else str(error)
        if self.polls_because:
            self.close()
            self.detail = self.polls_because
            is_wanted = self.settings.mode == "poll"
            (log.info if is_wanted else log.warning)(
                "watch_polls", reason=self.polls_because, poll_s=self.interval_s
            )

    def _reason_to_poll(self, root: Path) -> str:
        if self.settings.mode == "poll":
            return "settings say so"
        if self.settings.mode == "auto" and (kind := file_system(root)) in _SILENT_FILE_SYSTEMS:
            return f"{kind} sends no events for changes made elsewhere"
        if self._failures >= 3:
            return "the watch fell silent three times in a row"
        return ""


def file_system(folder: Path) -> str:
    """The type of the file system that *folder* lies on, as in /proc/mounts; empty if unknown."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        # Blanks in a mount point are written as octal escapes.
        point = left.split()[4].replace("\\040", " ")
        is_above = str(folder) == point or str(folder).startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= best:
            best, kind = len(point), right.split()[0]
    return kind


def _too_few_watches(root: Path) -> str:
    """Why not all folders are watched; empty if they are. watchdog itself says nothing about it."""
    needed = 1 + _folders_below(str(root))
    have = watched_folders()
    if have >= needed:
        return ""
    return (
        f"only {have} of {needed} folders could be watched: the limit of inotify watches is reached; "
        f"raise it with: sysctl fs.inotify.max_user_watches={max(2 * needed, 65_536)}"
    )


def _folders_below(folder: str) -> int:
    """How many folders there are, links not followed: watchdog does not follow them either."""
    try:
        with os.scandir(folder) as entries:
            below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return 0
    return len(below) + sum(_folders_below(path) for path in below)
