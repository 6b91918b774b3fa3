"""The CPU time that one job may cost, counted by the kernel and, where it refuses, by the parent."""

from __future__ import annotations

import contextlib
import resource
import time

# The kernel counts in whole seconds and rounds up; it shall have the first word.
_LATER_S = 3.0


class CpuTime:
    """
    What process *pid* may use from now on, in all its threads together.

    Set by the parent for each job: a warm worker's whole life says nothing about one video, and what
    sets its own limit can raise it. Over it, the kernel ends the process with SIGXCPU; a kernel that
    lets the parent set no limit (a root without CAP_SYS_RESOURCE, over a worker with another user id)
    still tells what was used.
    """

    def __init__(self, pid: int, seconds: int) -> None:
        # The clock that measures a process's CPU time; see clock_getcpuclockid(3).
        self._clock = ~pid << 3 | 2
        used_s = self._used_s()
        self._most_s = used_s + seconds
        # Refused, or it has ended: who waits for its answer sees that.
        with contextlib.suppress(OSError, ValueError):
            hard = resource.prlimit(pid, resource.RLIMIT_CPU)[1]
            resource.prlimit(pid, resource.RLIMIT_CPU, (int(used_s) + 1 + seconds, hard))
            self._most_s += _LATER_S

    def is_over(self) -> bool:
        """Whether it used more, and the kernel did not end it."""
        return self._used_s() > self._most_s

    def _used_s(self) -> float:
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return 0.0  # it has ended, and its clock with it
