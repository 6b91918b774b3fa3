"""
One daemon for each root, or for each shard of it: a lock on a file of its own in the root, or, where that
can't be written, in the runtime folder.

The file is hidden and only its owner may open it, so that nobody else can hold a lock on it. Locked is an
exclusive byte range (fcntl), which holds on network file systems too and whose holder the kernel names; a
killed process leaves the file and no lock. A shard locks the bytes of its own piece, all of it the rest too,
so that whoever would have a pack in common is kept out.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

from anchord.errors import RootError, reason
from anchord.packs import ALL
from anchord.service.report.state import own_folder, state_file
from anchord.shard import Shard

#: The lock's file in the root.
NAME = ".anchord.lock"
# struct flock on 64-bit Linux: type, whence, start, length, pid. See fcntl(2).
_FLOCK = "hhqqi4x"
_TRIES = 10
# Where the root itself can't hold a file.
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def holder(root: Path, shard: Shard = ALL) -> int | None:
    """
    The process id of the daemon that keeps *root*, or packs of a *shard* of it, now; 0 where it is kept by
    one that has no number here (another container) or that this user may not ask about; None where none
    keeps it.
    """
    for file in (root / NAME, _beside(root)):
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            return 0
        except OSError:
            continue
        try:
            if (pid := _holder(descriptor, shard)) is not None:
                return pid
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return None


@dataclass(slots=True)
class Lock:
    """
    *root*, or a *shard* of it, taken for this process until released.

    Raises:
        RootError: another daemon keeps packs of it, or the lock's file belongs to somebody else.
    """

    root: Path
    shard: Shard = ALL
    #: Why it keeps nobody out, where the file system knows no locks; empty: it does.
    unheld_because: str = field(default="", init=False)
    _descriptor: int = field(default=-1, init=False)
    _file: Path = field(init=False)

    def __post_init__(self) -> None:
        # Whoever releases it deletes the file, which may be between our opening and our locking.
        for _ in range(_TRIES):
            self._open()
            self._take()
            if self.is_current():
                return
            os.close(self._descriptor)
            self._descriptor = -1
        raise RootError(f"{self._file}: is made and deleted all the time; see who does that")

    def release(self) -> None:
        """Give the root free; once, whoever asks how often."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            # While it is still held: another user's anchord could not open what is left behind.
            # Not while others hold other shards by it.
            with contextlib.suppress(OSError):
                if not self.unheld_because:
                    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._file.unlink()
            os.close(descriptor)

    def _open(self) -> None:
        self._file = self.root / NAME
        try:
            self._descriptor = _opened(self._file, self.root)
        except FileExistsError as error:
            raise RootError(
                f"{self._file}: belongs to another user's anchord, which this one may not ask; "
                "delete it if that one has ended"
            ) from error
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise RootError(f"{self._file}: cannot be opened: {reason(error)}; tried again") from error
            self._file = _beside(self.root)
            self._descriptor = _opened_beside(self._file)

    def _take(self) -> None:
        try:
            start, length = _bytes(self.shard)
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                # A file system without locks: better two daemons, which do no harm, than none.
                self.unheld_because = reason(error)
                return
            other = _holder(self._descriptor, self.shard)
            os.close(self._descriptor)
            self._descriptor = -1
            who = f"process {other}" if other else "a process in another container"
            what = "is kept" if self.shard.is_all else f"packs of shard {self.shard} are kept"
            raise RootError(
                f"{self.root}: {what} by another anchord already ({who}); stop that one first"
            ) from None

    def is_current(self) -> bool:
        """Whether the file that is locked is still the one of that name; else the lock keeps nobody out."""
        try:
            status = self._file.lstat()
        except OSError:
            return False
        return os.path.samestat(status, os.fstat(self._descriptor))


def _opened(file: Path, folder: Path) -> int:
    """The lock's file, made where there is none, whatever else lies there left alone."""
    try:
        descriptor = os.open(
            file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600
        )
    except PermissionError:
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, "belongs to somebody else", str(file)) from None
        raise
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid() and os.geteuid() != 0:
        os.close(descriptor)
        raise FileExistsError(errno.EEXIST, "belongs to somebody else", str(file))
    # It may have been made by somebody with other manners; nobody else shall be able to hold it. And what
    # root leaves behind after a crash must not keep the service's own user out.
    os.fchmod(descriptor, 0o600)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _beside(root: Path) -> Path:
    return state_file(root).with_suffix(".lock")


def _opened_beside(file: Path) -> int:
    try:
        own_folder(file.parent)
        return _opened(file, file.parent)
    except OSError as error:
        raise RootError(
            f"neither the avatars root nor {file.parent} can hold a lock: {reason(error)}; let anchord's "
            "user write one of them"
        ) from error


def _bytes(shard: Shard) -> tuple[int, int]:
    """Which bytes are locked for a shard: from where, and how many, 0 for all that follow."""
    first, end = shard.piece
    return (0, 0) if shard.is_all else (first, end - first)


def _holder(descriptor: int, shard: Shard) -> int | None:
    """Who holds the lock on an opened file: 0 where it has no number here; None where nobody does."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, *_bytes(shard), 0)
    kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else max(0, pid)
