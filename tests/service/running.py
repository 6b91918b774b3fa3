"""The real daemon in a process of its own, and its log as a list of events to wait for."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]

#: Longer than anything takes on a busy machine; only a failing test waits so long.
LIMIT_S = 60.0

SETTINGS = """
[watch]
settle_s = 0.3
rescan_s = {rescan_s}
probe_s = {rescan_s}
{more}
"""


def drop(file: Path, video: Path) -> Path:
    """Put a video into a pack under its final name in one step, as rsync does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    shutil.copyfile(video, part)
    part.rename(file)
    return file


class Daemon:
    """
    ``anchord run`` on *root*; as a context manager it is stopped at the end, and must end cleanly.

    Args:
        root: the avatars root.
        settings: TOML that is added to the tests' settings.
        arguments: further ones.
        environment: further variables.
        prefix: a command to run it under.
        rescan_s: so long that nothing is found by it, unless a test is about that.
    """

    def __init__(
        self,
        root: Path,
        settings: str = "",
        *arguments: str,
        environment: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        rescan_s: float = 3600,
    ) -> None:
        self.root = root
        self.runtime = root.parent / f"{root.name}-runtime"
        self.settings = root.parent / f"{root.name}.toml"
        self.settings.write_text(SETTINGS.format(more=settings, rescan_s=rescan_s))
        self._arguments = arguments
        self._environment = environment or {}
        self._prefix = prefix
        self.events: list[Event] = []
        self._grown = threading.Condition()

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [*self._prefix, sys.executable, "-m", "anchord", *self.command(), *self._arguments],
            stderr=subprocess.PIPE,
            env=os.environ | {"RUNTIME_DIRECTORY": str(self.runtime)} | self._environment,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def command(self) -> list[str]:
        """What anchord is told."""
        return ["run", "--config", str(self.settings), "--root", str(self.root), "-v"]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(LIMIT_S)
        finally:
            self.process.kill()
            self._reader.join(LIMIT_S)
        if kind is None and self.is_expected_to_end_well:
            assert status == 0, self.told()

    is_expected_to_end_well = True

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "not json", "line": line.decode(errors="replace")}
                with self._grown:
                    self.events.append(event)
                    self._grown.notify_all()
        with self._grown:
            self.events.append({"event": "ended"})
            self._grown.notify_all()

    def wait_for(self, name: str, *, after: int = 0, limit_s: float = LIMIT_S, **keys: Any) -> Event:
        """The first event of this name with these keys, from the *after*-th event on."""

        def found() -> Event | None:
            return next(
                (
                    event
                    for event in self.events[after:]
                    if event["event"] == name and keys.items() <= event.items()
                ),
                None,
            )

        with self._grown:
            self._grown.wait_for(lambda: found() or self._has_ended(), limit_s)
            event = found()
        assert event is not None, f"no {name} with {keys} among:\n{self.told()}"
        return event

    def _has_ended(self) -> bool:
        return bool(self.events) and self.events[-1]["event"] == "ended"

    def count(self, name: str, **keys: Any) -> int:
        """How many such events there were so far."""
        return sum(event["event"] == name and keys.items() <= event.items() for event in self.events)

    @contextlib.contextmanager
    def workers_held(self) -> Iterator[None]:
        """Within it, the workers that were started so far stand still, so that no job ends."""
        pids = [event["pid"] for event in self.events if event["event"] == "worker_started"]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def told(self) -> str:
        """The whole log, for a failing test."""
        return "\n".join(json.dumps(event) for event in self.events)

    def wait_until_idle(self) -> None:
        """
        Wait until everything that happened so far is worked off.

        A pack that is made now settles after all that was touched before it.
        """
        mark = self.root / f"mark{len(self.events)}"
        mark.mkdir()
        self.wait_for("pack_settled", pack=mark.name)
        mark.rmdir()


def wait_until(is_true: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Look again and again, with a limit: for what no event tells of."""
    ends_at_s = time.monotonic() + limit_s
    pause = threading.Event()
    while not is_true():
        assert time.monotonic() < ends_at_s, "waited in vain"
        pause.wait(0.02)
