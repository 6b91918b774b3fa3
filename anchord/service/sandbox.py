"""
What the worker process may do: put on by the worker itself, before it is given its first video.

============ ===================================================================================
limits       memory, open files, no file written, no core; CPU time is set with each job
seccomp      no network, no new process or program, no path opened, no code made: in all threads
landlock     no file, no TCP port, no signal to others, even if the filter had a hole
no_new_privs no program could give it rights that it has not; the two above need it
undumpable   no process of the same user may look into its memory
============ ===================================================================================

None of it can be taken back. A layer that the kernel refuses is reported and, where the settings say
``sandbox = "require"``, an error: seccomp, limits and no_new_privs must hold then. Landlock need not,
it guards twice what seccomp guards already and is missing in many containers.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from anchord.errors import SettingsError, WorkerError
from anchord.service import landlock, seccomp
from anchord.kernel import prctl

Mode = Literal["auto", "require", "off"]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38

#: Enough for the worker's own handful and a video or two.
_MAX_OPEN_FILES = 64

_REQUIRED = ("limits", "no_new_privs", "seccomp")


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    parent = os.getppid()
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before the line above
        raise SystemExit(0)


def shut(mode: Mode, *, memory_mb: int) -> dict[str, str]:
    """
    Put every layer on this process that the kernel has; "off" leaves only the limits.

    Call it with everything loaded that will ever be needed: no file can be opened afterwards. And
    before threads are started: landlock holds only those that come later.

    Args:
        mode: of the settings.
        memory_mb: most address space, MiB.

    Returns:
        Layer -> "on", or "off: " and why; those that were not asked for are not there.

    Raises:
        SettingsError: the mode is "require" and a layer that must hold does not.
    """
    layers: dict[str, Callable[[], str]] = {"limits": lambda: _limit(memory_mb)}
    if mode != "off":
        # The filter last: it allows nothing of what the others do.
        layers |= {
            "no_new_privs": lambda: _set(_PR_SET_NO_NEW_PRIVS, 1),
            "undumpable": lambda: _set(_PR_SET_DUMPABLE, 0),
            "landlock": _landlock,
            "seccomp": _seccomp,
        }
    states = {name: _try(layer) for name, layer in layers.items()}
    missing = [f"{name} is {states[name]}" for name in _REQUIRED if name in states if not is_on(states[name])]
    if mode == "require" and missing:
        raise SettingsError(
            f"worker.sandbox = 'require', but {'; '.join(missing)}; "
            "use a kernel or container that allows it, or worker.sandbox = 'auto'"
        )
    return states


def is_on(state: str) -> bool:
    """Whether a layer with this report holds."""
    return state.startswith("on")


def allow_cpu(pid: int, seconds: int) -> None:
    """
    Let process *pid* use so much more CPU time, in all its threads together; then SIGXCPU ends it.

    Called by the daemon for each job: a warm worker's whole life says nothing about one video, and
    what sets its own limit can raise it.

    Raises:
        WorkerError: the kernel refused.
    """
    try:
        # The clock that measures a process's CPU time; see clock_getcpuclockid(3).
        used_s = time.clock_gettime(~pid << 3 | 2)
        hard = resource.prlimit(pid, resource.RLIMIT_CPU)[1]
        resource.prlimit(pid, resource.RLIMIT_CPU, (int(used_s) + 1 + seconds, hard))
    except OSError as error:
        if error.errno not in (errno.ESRCH, errno.EINVAL):
            raise WorkerError(f"the worker's CPU time cannot be limited: {error.strerror}") from error
        # It has ended, and so has its clock: the report of that is on its way.


def _try(layer: Callable[[], str]) -> str:
    try:
        return layer()
    except (OSError, ValueError) as error:
        return f"off: {getattr(error, 'strerror', None) or error}"


def _set(option: int, value: int) -> str:
    prctl(option, value)
    return "on"


def _limit(memory_mb: int) -> str:
    for limit, value in (
        (resource.RLIMIT_AS, memory_mb << 20),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        # Never above what it has been given already, which only root may raise.
        hard = resource.getrlimit(limit)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (lowest, lowest))
    return "on"


def _landlock() -> str:
    earlier = len(list(Path("/proc/self/task").iterdir())) - 1
    version = landlock.reach_nothing()
    return f"on (version {version}{f', {earlier} earlier threads without' if earlier else ''})"


def _seccomp() -> str:
    seccomp.allow_only_what_is_needed()
    return "on"
