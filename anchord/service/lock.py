"""One daemon for each root: a lock on the folder itself, which nothing has to clean up."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from anchord.errors import RootError


def holder(root: Path) -> int | None:
    """
    The process id of the daemon that keeps *root* now; None if none does.

    Asks the kernel who holds the lock on the folder itself, so a stale state file deceives nobody.
    """
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _lock_holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


class Lock:
    """
    *root*, taken for this process until released.

    The lock lies on the folder itself: nothing is written, and a killed process leaves nothing.

    Raises:
        RootError: another daemon keeps it.
    """

    def __init__(self, root: Path) -> None:
        self._descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _lock_holder(self._descriptor)
            self.release()
            who = f"process {other}" if other else "a process in another container"
            raise RootError(
                f"{root}: is kept by another anchord already ({who}); stop that one first"
            ) from None
        except OSError:
            pass  # a file system without locks: better two daemons, which do no harm, than none

    def release(self) -> None:
        """Give the root free."""
        os.close(self._descriptor)


def _lock_holder(descriptor: int) -> int:
    """The process that /proc/locks names for a file; 0 where it names none (another namespace)."""
    status = os.fstat(descriptor)
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[4]) for line in lines if f" {place} " in line), 0)
