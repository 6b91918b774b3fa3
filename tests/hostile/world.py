"""One avatars root full of evil packs, a daemon that lives in it, and what all commands say of it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anchord.printable import printable
from tests.films import small_film
from tests.hostile.files import CONTENTS, OUTPUT, PLACES, STAND_IN, VIDEO, Ending, ending, good
from tests.hostile.folders import FOLDERS
from tests.service.running import Daemon, drop, wait_until

#: Root without the right to pass over modes and owners: so the daemon meets closed files and folders,
#: wherever these tests and their interpreter lie.
_PASS_OVER = "-dac_override,-dac_read_search,-fowner,-chown"
AS_OTHERS = ("setpriv", f"--bounding-set={_PASS_OVER}", f"--inh-caps={_PASS_OVER}")

#: settle_s of the tests, what a settled pack may wait for, and an extraction on a busy machine.
USUAL_S = 0.3 + 2.0 + 10.0

_EXTRACT = """
import json, os, sys
from pathlib import Path
from anchord.commands.extract import Request, extract_now
from anchord.guard import guarded
from anchord.errors import AnchordError, DefectError
from anchord.settings import Settings
from anchord.worker.client import Worker
settings, answers = Settings(), {}
with Worker(settings.worker) as worker:
    for pack in sorted(os.listdir(sys.argv[1])):
        request = Request(video=None, avatar_id=pack, base_path=Path(sys.argv[1]), input_name=None,
                          output="-", flags={})
        found = guarded(lambda: extract_now(request, settings, worker, lambda done, expected: None))
        answers[pack] = (type(found).__name__, str(found)) if isinstance(found, AnchordError) else None
print(json.dumps(answers))
"""


@dataclass(slots=True)
class Ran:
    """What a command did."""

    status: int
    output: str
    errors: str


@dataclass(slots=True)
class World:
    """
    Everything that was seen; made once, judged by many tests.

    Args:
        folder: an empty one.
    """

    folder: Path
    #: Pack -> what is to become of it; None: it is none.
    entries: dict[str, Ending | None] = field(default_factory=dict, init=False)
    #: By the daemon's own words, at the end of its first life.
    states: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)
    #: Whether there was a whole timeline then.
    is_written: dict[str, bool] = field(default_factory=dict, init=False)
    ran: dict[str, Ran] = field(default_factory=dict, init=False)
    extracted: dict[str, tuple[str, str] | None] = field(default_factory=dict, init=False)
    #: The daemon's log, life by life.
    logs: list[list[dict[str, Any]]] = field(default_factory=list, init=False)
    #: How long a good pack took after all the others, life by life, s.
    took_s: list[float] = field(default_factory=list, init=False)
    ended: list[tuple[int, float]] = field(default_factory=list, init=False)

    @property
    def root(self) -> Path:
        return self.folder / "avatars"

    def live(self) -> None:
        """Evil that comes while the daemon runs, then one that is there at the start, then without one."""
        self.root.mkdir()
        drop(self.root / "before" / VIDEO, small_film())
        with self._daemon() as daemon:
            daemon.wait_for("timeline_written", pack="before")
            self._make()
            self._see_through(daemon, "first")
            self._look(daemon)
            self._end(daemon)
        with self._daemon() as daemon:
            daemon.wait_for("daemon_started")
            self._see_through(daemon, "second")
            self._end(daemon)
        drop(self.root / "once" / VIDEO, small_film())
        self.ran["once"] = self._run("run", "--once", "--root", str(self.root))
        answers = subprocess.run(
            [*AS_OTHERS, sys.executable, "-c", _EXTRACT, str(self.root)],
            capture_output=True,
            timeout=100,
            check=True,
        )
        self.extracted = json.loads(answers.stdout)

    def _daemon(self) -> Daemon:
        return Daemon(self.root, prefix=AS_OTHERS)

    def _make(self) -> None:
        for name in (VIDEO, STAND_IN, "manifest.json", "anchord.toml", OUTPUT):
            for make in PLACES:
                make(self._pack_for(name, make.__name__))
            for kind, contents in CONTENTS.items():
                if name in contents:
                    self._pack_for(name, kind).write_bytes(contents[name])
        for pack, (make_folder, end) in FOLDERS.items():
            self.entries[os.fsdecode(pack)] = end
            make_folder(self.root / os.fsdecode(pack))

    def _pack_for(self, name: str, kind: str) -> Path:
        """Where the evil file goes, beside what makes a good pack of it."""
        pack = self.root / f"{name}, {kind}"
        self.entries[pack.name] = ending(name, kind)
        pack.mkdir()
        if name not in (VIDEO, STAND_IN):
            (pack / VIDEO).write_bytes(good(VIDEO))
        return pack / name

    def _see_through(self, daemon: Daemon, name: str) -> None:
        """One good pack behind all others, which may take their time, and one that then takes the usual."""
        drop(self.root / f"{name} after" / VIDEO, small_film())
        daemon.wait_for("timeline_written", pack=f"{name} after", limit_s=100)
        began_s = time.monotonic()
        drop(self.root / f"{name} at last" / VIDEO, small_film())
        daemon.wait_for("timeline_written", pack=f"{name} at last")
        self.took_s.append(time.monotonic() - began_s)

    def _look(self, daemon: Daemon) -> None:
        """What everybody says while the daemon runs."""
        written = daemon.count("timeline_written")

        def is_told() -> bool:
            self.ran["status"] = self._run("status", "--json", "--root", str(self.root))
            told = json.loads(self.ran["status"].output)
            self.states = {pack["pack"]: pack for pack in told["packs"]}
            # What is tried again in this very moment is on its way to being retried later.
            is_under_way = any(pack["state"] in ("waiting", "queued", "working") for pack in told["packs"])
            return (
                bool(told["daemon"]) and told["daemon"]["counts"]["written"] >= written and not is_under_way
            )

        wait_until(is_told)
        self.ran["status as text"] = self._run("status", "--root", str(self.root))
        self.ran["check"] = self._run("check", "--root", str(self.root))
        self.ran["doctor"] = self._run("doctor", "--root", str(self.root))
        self.ran["health"] = self._run("health", "--root", str(self.root))
        for pack in self.entries:
            self.is_written[pack] = _is_timeline(self.root / pack / OUTPUT)

    def _end(self, daemon: Daemon) -> None:
        began_s = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        self.ended.append((daemon.process.wait(60), time.monotonic() - began_s))
        self.logs.append(daemon.events)

    def _run(self, *arguments: str) -> Ran:
        done = subprocess.run(
            [*AS_OTHERS, sys.executable, "-m", "anchord", *arguments],
            capture_output=True,
            timeout=100,
            check=False,
            env=os.environ | {"RUNTIME_DIRECTORY": str(self.folder / "avatars-runtime")},
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def said_of(self, pack: str) -> dict[str, Any]:
        """What ``anchord status`` said of a pack."""
        return self.states[printable(pack)]


def _is_timeline(file: Path) -> bool:
    """Whether a regular file lies there that anchord wrote."""
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            return False
        with file.open("rb") as stream:
            return b'"generator"' in stream.read(1 << 16)
    except OSError:
        return False
