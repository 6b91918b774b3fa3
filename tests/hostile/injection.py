"""
Errors of the system in the calls that the daemon makes for one pack, by strace, without any double.

Which calls there are is taken from a trace of a good run, so that none is forgotten. The worker is started
before strace is attached, and so is not traced.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.films import small_film
from tests.hostile.files import MANIFEST, OUTPUT, SETTINGS, STAND_IN, VIDEO
from tests.service.running import Daemon, drop, wait_until

ERRORS = ("EIO", "ESTALE", "EACCES", "EMFILE", "ENOMEM", "ENOSPC", "ETIMEDOUT")

#: Made on the temporary file, whose name nobody knows before. Its write(2) has a test of its own, beside
#: those of :mod:`anchord.atomic`: here it could not be told from the log's.
ON_TEMPORARY = ("fchmod", "flock", "fsync")

_FILES = ("", VIDEO, MANIFEST, SETTINGS, OUTPUT, STAND_IN)
#: Whose failing is no failing: what they close or set free is so anyway.
_HARMLESS = ("close",)


class Strace:
    """strace on all threads of a running process, until left."""

    def __init__(self, process: int, *arguments: str) -> None:
        self._command = ["strace", "-f", "-p", str(process), *arguments]

    def __enter__(self) -> Self:
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        attached = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(attached,))
        self._reader.start()
        assert attached.wait(60), "strace is not attached"
        return self

    def _read(self, attached: threading.Event) -> None:
        assert self._strace.stderr is not None
        with self._strace.stderr:
            for line in self._strace.stderr:
                if "attached" in line:
                    attached.set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._strace.terminate()
        self._strace.wait(60)
        self._reader.join(60)


def _of(pack: Path) -> list[str]:
    """The options that name all of a pack's files."""
    return [part for name in _FILES for part in ("-P", str(pack / name) if name else str(pack))]


@contextmanager
def warm_daemon(root: Path) -> Iterator[Daemon]:
    """A daemon whose worker has been started."""
    drop(root / "before" / VIDEO, small_film())
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written", pack="before")
        yield daemon


def calls_of(daemon: Daemon) -> Counter[str]:
    """
    The system calls that a good pack takes, from its coming to its timeline, and how often each at least: how
    often it is looked at while it settles depends on the clock.
    """
    return _traced(daemon, "traced") & _traced(daemon, "traced again")


def _traced(daemon: Daemon, name: str) -> Counter[str]:
    pack, trace = daemon.root / name, daemon.root.parent / f"{name}.trace"
    with Strace(daemon.process.pid, "-o", str(trace), *_of(pack)):
        drop(pack / VIDEO, small_film(seed=5))
        daemon.wait_for("timeline_written", pack=pack.name)
    found = Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    for call in _HARMLESS:
        del found[call]
    return found + Counter(ON_TEMPORARY)


def complaint(daemon: Daemon, call: str, error: str, number: int) -> str:
    """
    What is wrong with how a pack fared whose *number*-th such *call* ended with *error*; empty: nothing.

    The machine's errors park nothing, cost no other pack, and are over when they are over.
    """
    pack, other = daemon.root / f"{call}-{error}-{number}", daemon.root / f"beside-{call}-{error}-{number}"
    trace = daemon.root.parent / f"{pack.name}.trace"
    inject = f"inject={call}:error={error}:when={number}"
    paths = [] if call in ON_TEMPORARY else _of(pack)
    after = len(daemon.events)
    with Strace(daemon.process.pid, "-o", str(trace), "-e", f"trace={call}", "-e", inject, *paths):
        drop(pack / VIDEO, small_film(seed=6))
        wait_until(lambda: _is_over(daemon, pack.name, after))
    if "(INJECTED)" not in trace.read_text():
        return "nothing was injected" if number == 1 else ""
    drop(other / VIDEO, small_film(seed=7))
    daemon.wait_for("timeline_written", after=after, pack=other.name)
    # Where the folder's fsync failed the timeline is there already, and is found to be.
    wait_until(lambda: _is_done(daemon, pack.name, after))
    assert (pack / OUTPUT).is_file()
    parked = [
        event
        for event in daemon.events[after:]
        if event["event"] in ("video_refused", "pack_parked", "defect_met", "turn_failed", "ended")
    ]
    for done in (pack, other):
        done.rename(daemon.root.parent / done.name)
    return str(parked[0]) if parked else ""


def _is_done(daemon: Daemon, pack: str, after: int) -> bool:
    done = ("timeline_written", "pack_up_to_date")
    return any(event["event"] in done and event.get("pack") == pack for event in daemon.events[after:])


def _is_over(daemon: Daemon, pack: str, after: int) -> bool:
    names = ("timeline_written", "pack_failed", "video_refused", "pack_parked", "packs_failed")
    return any(event["event"] in names and event.get("pack", pack) == pack for event in daemon.events[after:])
