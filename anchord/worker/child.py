"""One worker process as the system sees it: started with little, ended for sure, and nothing left of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from anchord.errors import WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker import strays

#: What is started; its arguments follow.
COMMAND: Sequence[str] = (sys.executable, "-P", "-m", "anchord.worker.process")

# All that the environment may say to it: where Python and its libraries lie.
_INHERITED = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "LD_LIBRARY_PATH")
# OpenBLAS would start threads before the sandbox is there, and has nothing to do for them.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}

# A killed process is gone in milliseconds.
_GONE_S = 5.0

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# Killed, but not gone yet; Python reaps them when the next process is started.
_undead: list[subprocess.Popen[bytes]] = []


class Child:
    """
    A process in a session of its own. The kernel ends it with the thread that started it.

    Args:
        settings: what it may use.
        command: what is started.

    Attributes:
        channel: a socket, the other end of its stdin.
        stderr: a descriptor to read what it prints.
        status: with which it ended, negative for a signal; None until ``end``.

    Raises:
        WorkerStartError: it can't be started now.
    """

    def __init__(self, settings: WorkerSettings, command: Sequence[str]) -> None:
        self.status: int | None = None
        arguments = [str(settings.threads), str(settings.memory_mb), settings.sandbox]
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        strays.adopt()
        # All opened here: where descriptors run out half-way, Popen itself (Python 3.11.2) keeps what it has.
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            try:
                self.channel, their_end = socket.socketpair()
                ours.enter_context(self.channel)
                theirs.enter_context(their_end)
                self.stderr, printed = os.pipe()
                ours.callback(os.close, self.stderr)
                theirs.callback(os.close, printed)
                nowhere = theirs.enter_context(Path(os.devnull).open("wb"))
                with strays.lock:
                    self._process = subprocess.Popen(
                        [*command, *arguments],
                        stdin=their_end.fileno(),
                        stdout=nowhere,
                        stderr=printed,
                        start_new_session=True,
                        cwd="/",
                        umask=0o077,
                        env=environment | _ENVIRONMENT,
                    )
                    strays.know(self.pid)
            except OSError as error:
                raise _cannot_start(error) from error
            # Now they are this object's, until its end.
            ours.pop_all()
        self.channel.setblocking(False)
        os.set_blocking(self.stderr, False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        """Whether it has ended; it stays to be reaped, so that nobody else gets its number."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    @property
    def threads(self) -> int:
        """How many it has; 0 where that can't be told."""
        try:
            # A folder has a link for each one below it, for itself and for its name.
            return os.stat(f"/proc/{self.pid}/task").st_nlink - 2  # noqa: PTH116  a Path costs more than the call
        except OSError:
            return 0

    @property
    def memory_mb(self) -> int:
        """What it holds that is its own alone, MiB; 0 where that can't be told."""
        try:
            with open(f"/proc/{self.pid}/statm", "rb") as file:  # noqa: PTH123  a Path costs more than the call
                _size, resident, shared, *_ = map(int, file.read().split())
        except (OSError, ValueError):
            return 0
        return (resident - shared) * _PAGE_BYTES >> 20

    def kill(self) -> None:
        """Send it and its group the signal that can't be ignored, from any thread."""
        with strays.lock:
            if self.status is not None:
                return
            # Before it is reaped, be it dead already: until then the numbers are its own.
            for send in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    send(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """
        End it and all that it started, now; give back what it took here.

        Returns:
            its exit status.
        """
        if self.status is None:
            with strays.lock:
                self.kill()
                self.status = self._reaped()
                strays.forget(self.pid)
            self.channel.close()
            os.close(self.stderr)
            strays.sweep()
        return self.status

    def _reaped(self) -> int:
        try:
            return self._process.wait(timeout=_GONE_S)
        except subprocess.TimeoutExpired:
            # It waits in the kernel, for a dead disk; the signal holds as soon as it comes out.
            _undead.append(self._process)
            return -signal.SIGKILL


def _cannot_start(error: OSError) -> WorkerStartError:
    what = f" ({error.filename})" if error.filename else ""
    return WorkerStartError(f"the worker cannot be started: {error.strerror or error}{what}")
