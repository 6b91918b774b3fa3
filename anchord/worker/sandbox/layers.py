"""
What the worker process may do: put on by the worker itself, before it is given its first video.

============ ===================================================================================
limits       memory, open files, no file written, no core; CPU time is set with each job
empty_root   no file has a name any more, no capability is left; as root, a user of its own
threads      so many and no more; where the kernel can't count them apart, the parent looks now and then
no_new_privs no program could give it rights that it has not; the two below need it
undumpable   no process of the same user may look into its memory
landlock     no file, no TCP port, no signal to others, even if the filter had a hole
seccomp      no network, no new process or program, no path opened, no code made: in all threads
============ ===================================================================================

None of it can be taken back. A layer that the kernel refuses is reported and, where the settings say
``sandbox = "require"``, an error: seccomp, limits and no_new_privs must hold then. The others need not:
they guard twice what seccomp guards already, or need what many containers do not allow.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from anchord.errors import SettingsError
from anchord.kernel import prctl
from anchord.worker.sandbox import landlock, seccomp
from anchord.worker.sandbox.root import Root

Mode = Literal["auto", "require", "off"]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38

#: Enough for the worker's own handful and a video or two.
_MAX_OPEN_FILES = 64

# With 8 frames looked at at once it has 34 threads on 2 cores: some 4 for each, and MediaPipe may make
# more where there are more cores.
_MAX_THREADS, _MAX_THREADS_A_FRAME = 256, 8

_REQUIRED = ("limits", "no_new_privs", "seccomp")

# Python's own choice: a write to a pipe without reader, or over a limit, is an error and no end.
_AS_PYTHON_WANTS = {signal.SIGPIPE, signal.SIGXFSZ}

# Of 1,000: a worker can be started again, and goes before anything of a like size.
_OOM_SCORE = "500"


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    parent = os.getppid()
    prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before the line above
        os._exit(0)


def inherit_little() -> None:
    """Undo what the parent may have set for itself, and be the first to go where memory is short."""
    for number in signal.valid_signals() - _AS_PYTHON_WANTS - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # some are the C library's own
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    with contextlib.suppress(OSError):  # it was given a higher one
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


class Cage:
    """
    Every layer that the kernel has, to be put on this process.

    Make it first of all, while there is one thread; then load all that will ever be needed.

    Args:
        mode: of the settings; "off" leaves only the limits.
        memory_mb: most address space, MiB.
        frames: so many are looked at at once.
    """

    def __init__(self, mode: Mode, *, memory_mb: int, frames: int) -> None:
        self._mode = mode
        self._memory_mb = memory_mb
        self._frames = frames
        self._root = Root() if mode != "off" else None

    def shut(self) -> dict[str, str]:
        """
        Shut it, for good: no file can be opened afterwards.

        Returns:
            Layer -> "on", or "off: " and why; those that were not asked for are not there.

        Raises:
            SettingsError: the mode is "require" and a layer that must hold does not.
        """
        layers: dict[str, Callable[[], str]] = {"limits": lambda: _limit(self._memory_mb)}
        if root := self._root:
            # Landlock withholds nothing that is needed here; the filter allows nothing of the others.
            # Python's own are this one and the one that waits to leave the root folder.
            earlier = _threads() - threading.active_count()
            layers |= {
                "empty_root": root.leave,
                "threads": lambda: _limit_threads(self._frames, is_counted_alone=root.is_counted_alone),
                "no_new_privs": lambda: _set(_PR_SET_NO_NEW_PRIVS, 1),
                "undumpable": lambda: _set(_PR_SET_DUMPABLE, 0),
                "landlock": lambda: _landlock(earlier),
                "seccomp": _seccomp,
            }
        states = {name: _try(layer) for name, layer in layers.items()}
        missing = [
            f"{name} is {states[name]}" for name in _REQUIRED if name in states and not is_on(states[name])
        ]
        if self._mode == "require" and missing:
            raise SettingsError(
                f"worker.sandbox = 'require', but {'; '.join(missing)}; "
                "use a kernel or container that allows it, or worker.sandbox = 'auto'"
            )
        return states


def is_on(state: str) -> bool:
    """Whether a layer with this report holds."""
    return state.startswith("on")


def most_threads(frames: int) -> int:
    """So many threads a worker has at most that looks at so many frames at once."""
    return _MAX_THREADS + frames * (_MAX_THREADS_A_FRAME + (os.cpu_count() or 1))


def _try(layer: Callable[[], str]) -> str:
    try:
        return layer()
    except (OSError, ValueError) as error:
        return f"off: {getattr(error, 'strerror', None) or error}"


def _set(option: int, value: int) -> str:
    prctl(option, value)
    # What changed the user id took this away.
    end_with_parent()
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
        _lower(limit, value)
    return "on"


def _lower(limit: int, value: int) -> None:
    # Never above what it has been given already, which only root may raise.
    hard = resource.getrlimit(limit)[1]
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (lowest, lowest))


def _limit_threads(frames: int, *, is_counted_alone: bool) -> str:
    if not is_counted_alone:
        return "off: the kernel counts them with those of other processes; the parent looks now and then"
    _lower(resource.RLIMIT_NPROC, most_threads(frames))
    return "on"


def _threads() -> int:
    with contextlib.suppress(OSError):
        return len(list(Path("/proc/self/task").iterdir()))
    return threading.active_count()


def _landlock(earlier: int) -> str:
    version = landlock.reach_nothing()
    return f"on (version {version}{f', {earlier} earlier threads without' if earlier else ''})"


def _seccomp() -> str:
    seccomp.allow_only_what_is_needed()
    return "on"
