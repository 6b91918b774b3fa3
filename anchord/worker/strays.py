"""
Nothing that a worker started outlives it, whatever it called itself.

A worker without its sandbox may start processes, and those may leave its group and session. The kernel
makes them children of this process when the worker ends (see PR_SET_CHILD_SUBREAPER in prctl(2)), where
they are known by what they are not: a worker, or a process in this one's own session, as everything else
that it starts is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from anchord.kernel import prctl

_PR_SET_CHILD_SUBREAPER = 36

# A bomb of processes that is faster than this is for the unit's TasksMax.
_SWEEP_S = 2.0

#: Held while a worker is started or ended, so that none is taken for a stray before it is known.
lock = threading.RLock()
_workers: set[int] = set()


def adopt() -> None:
    """Be the one to whom orphans come."""
    with contextlib.suppress(OSError):
        prctl(_PR_SET_CHILD_SUBREAPER, 1)


def know(pid: int) -> None:
    """This child is a worker."""
    with lock:
        _workers.add(pid)


def forget(pid: int) -> None:
    """It was one; its process id may be another's next."""
    with lock:
        _workers.discard(pid)


def sweep() -> int:
    """
    End every stray that has come here, and theirs.

    Returns:
        how many there were.
    """
    ended = 0
    ends_at_s = time.monotonic() + _SWEEP_S
    with lock:
        while (found := list(_strays())) and time.monotonic() < ends_at_s:
            for pid in found:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            for pid in found:
                ended += _is_reaped(pid, ends_at_s)
    return ended


def _strays() -> Iterator[int]:
    session = os.getsid(0)
    # Without a descriptor to look, they stay until the next worker ends.
    with contextlib.suppress(OSError):
        # Orphans may come to any thread of this process.
        for thread in os.listdir("/proc/self/task"):  # noqa: PTH208  which fails where a glob finds nothing
            with contextlib.suppress(FileNotFoundError):
                for pid in map(int, Path(f"/proc/self/task/{thread}/children").read_text().split()):
                    with contextlib.suppress(ProcessLookupError):
                        if pid not in _workers and os.getsid(pid) != session:
                            yield pid


def _is_reaped(pid: int, ends_at_s: float) -> bool:
    """Whether a killed child is gone; False where it can't die, or another waited for it."""
    while True:
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return True
        except ChildProcessError:
            return False
        if time.monotonic() >= ends_at_s:
            return False
        time.sleep(0.002)
