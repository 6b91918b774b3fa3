"""
What the daemon tells systemd: one datagram a message to ``$NOTIFY_SOCKET``.

Nothing is started, imported or awaited for it. Without the variable (a container, a terminal) every
message goes nowhere, so that callers need not ask.

Source: sd_notify(3), systemd 252.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anchord.service.report.state import State

#: A status line is cut there: systemd refuses datagrams over a page, and nobody reads on.
MAX_STATUS_CHARS = 400


@dataclass(slots=True, kw_only=True)
class Notifier:
    """
    The daemon's end of systemd's notify socket.

    Args:
        address: the socket's path; one that begins with ``@`` is abstract. None: nobody listens.
        watchdog_s: systemd ends the service after so long without :meth:`alive`; None: it does not.
        clock_us: microseconds of CLOCK_MONOTONIC, which systemd compares with its own.
    """

    address: str | None = None
    watchdog_s: float | None = None
    clock_us: Callable[[], int] = field(default=lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
    _said: str = field(default="", init=False)
    _is_ready: bool = field(default=False, init=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, pid: int | None = None) -> Notifier:
        """
        What systemd set up for this process.

        A relative address and a watchdog that is meant for another process (``$WATCHDOG_PID``) are
        ignored, as sd_notify(3) and sd_watchdog_enabled(3) do.
        """
        address = environ.get("NOTIFY_SOCKET")
        if address is None or address[:1] not in ("/", "@") or len(address) < 2:
            return cls()
        limit_us = environ.get("WATCHDOG_USEC", "")
        is_meant = environ.get("WATCHDOG_PID", str(pid or os.getpid())) == str(pid or os.getpid())
        watched = is_meant and limit_us.isdecimal() and int(limit_us) > 0
        return cls(address=address, watchdog_s=int(limit_us) / 1e6 if watched else None)

    def publish(self, state: State) -> None:
        """
        Say what the daemon says of itself: one of its publishers, called while its loop turns.

        Ready with the first call and with the first after :meth:`reloading`. A root that is lost is
        no reason to be started again, nor are nodes: that would not bring them back.
        """
        status = status_line(state)
        (self.status if self._is_ready else self.ready)(status)
        if all(part.healthy or part.state == "lost" for part in (state.worker, state.watch)):
            self.alive()

    @property
    def ping_s(self) -> float | None:
        """Seconds between two calls of :meth:`alive`: half the limit, as sd_watchdog_enabled(3) asks."""
        return None if self.watchdog_s is None else self.watchdog_s / 2

    def ready(self, status: str) -> bool:
        """The first look at all packs is done (or the settings are read again); says *status* too."""
        self._said, self._is_ready = status, True
        return self._send("READY=1", _status(status))

    def status(self, status: str) -> bool:
        """Put *status* into ``systemctl status``; said only where it differs from the last one."""
        if status == self._said:
            return False
        self._said = status
        return self._send(_status(status))

    def alive(self) -> bool:
        """Put off the watchdog. Call it only while loop, watch and worker are all well."""
        return self.watchdog_s is not None and self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """Settings are about to be read again; ready must be said after it, whatever came of it."""
        self._is_ready = False
        # systemd 253 and later refuse the first without the second.
        return self._send("RELOADING=1", f"MONOTONIC_USEC={self.clock_us()}")

    def stopping(self, status: str = "") -> bool:
        """No new work is taken."""
        return self._send("STOPPING=1", *([_status(status)] if status else []))

    def extend(self, *, seconds: float) -> bool:
        """Starting, reloading or stopping takes up to so long from now; that is no hang."""
        return self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def _send(self, *lines: str) -> bool:
        """Whether the message went out. Never raises and never waits: news of work are not the work."""
        if self.address is None:
            return False
        # A leading zero byte is how the kernel knows the abstract name that systemd writes as "@".
        address = "\0" + self.address[1:] if self.address[0] == "@" else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
        return True


def status_line(state: State) -> str:
    """Such as ``watching 412 packs (inotify), 2 queued, 1 parked``."""
    if state.watch.state == "lost":
        return f"cannot read {state.root}: {state.watch.detail or 'tried again'}"
    count = state.counts.get("packs", 0)
    states = Counter[str](pack.state for pack in state.packs.values())
    parts = [f"watching {count} pack{'' if count == 1 else 's'} ({state.watch.state})"]
    parts += [
        f"{states[name]} {name}"
        for name in ("working", "queued", "waiting", "retrying", "parked")
        if states[name]
    ]
    return ", ".join(parts)


def _status(text: str) -> str:
    """A line of its own: a line break in a pack's name must not become a command to systemd."""
    return "STATUS=" + " ".join(text.split())[:MAX_STATUS_CHARS]
