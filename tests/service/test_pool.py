"""The real daemon with several workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.films import small_film
from tests.service.running import Daemon, drop, wait_until

OUTPUT = "anchors_timeline.json"
TWO = "[worker]\nprocesses = 2\nthreads = 1\n"


def told(daemon: Daemon) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "anchord", "status", "--json", "--root", str(daemon.root)],
        capture_output=True,
        check=True,
        env=os.environ | {"RUNTIME_DIRECTORY": str(daemon.runtime)},
        timeout=60,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_two_videos_are_worked_on_at_once_and_a_lone_one_goes_to_a_warm_worker(root: Path) -> None:
    long = small_film(fps=30, seconds=10)
    with Daemon(root, TWO) as daemon:
        daemon.wait_for("daemon_started")
        for pack in ("a", "b", "c"):
            drop(root / pack / "idle.webm", long)
        wait_until(lambda: daemon.count("worker_started") == 2)
        with daemon.workers_held():
            wait_until(lambda: [pack["state"] for pack in told(daemon)["packs"]].count("working") == 2)
            counts = told(daemon)["daemon"]["counts"]
            assert (counts["worker_places"], counts["workers_working"]) == (2, 2)
            assert daemon.count("timeline_written") == 0
        for pack in ("a", "b", "c"):
            daemon.wait_for("timeline_written", pack=pack)
        drop(root / "d" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="d")
        assert daemon.count("worker_started") == 2
    documents = [json.loads((root / pack / OUTPUT).read_text()) for pack in ("a", "b", "c")]
    assert all(document["quality"]["coverage"] == 1 for document in documents)


def test_a_lost_worker_costs_its_own_video_one_more_try_and_no_other(root: Path) -> None:
    long = small_film(fps=30, seconds=10)
    with Daemon(root, TWO) as daemon:
        for pack in ("a", "b"):
            drop(root / pack / "idle.webm", long)
        wait_until(lambda: daemon.count("extraction_started") == 2)
        os.kill(daemon.wait_for("worker_started")["pid"], signal.SIGSEGV)
        lost = daemon.wait_for("worker_lost")
        assert daemon.wait_for("pack_failed")["pack"] == lost["pack"]
        for pack in ("a", "b"):
            daemon.wait_for("timeline_written", pack=pack)
        assert daemon.count("worker_lost") == 1
        assert daemon.count("extraction_started") == 3


def test_all_that_runs_gets_its_grace_and_nothing_more_is_begun(root: Path) -> None:
    for pack in ("a", "b", "c", "d"):
        drop(root / pack / "idle.webm", small_film(fps=30, seconds=5))
    with Daemon(root, TWO + "grace_s = 60\n") as daemon:
        wait_until(lambda: daemon.count("extraction_started") == 2)
        daemon.process.send_signal(signal.SIGTERM)
        stopped = daemon.wait_for("daemon_stopped")
    # One may have been done, and another begun, before the signal came.
    assert stopped["written"] == daemon.count("extraction_started") < 4
    assert stopped["failed"] == 0


def test_a_reload_makes_the_pool_larger_and_smaller_and_ends_nothing_that_runs(root: Path) -> None:
    long = small_film(fps=30, seconds=10)
    with Daemon(root, "[worker]\nprocesses = 1\nthreads = 1\n") as daemon:
        for pack in ("a", "b"):
            drop(root / pack / "idle.webm", long)
        daemon.wait_for("worker_started")
        before = daemon.settings.read_text()
        daemon.settings.write_text(before.replace("processes = 1", "processes = 2"))
        with daemon.workers_held():
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: daemon.count("extraction_started") == 2)
            assert daemon.count("timeline_written") == 0
        daemon.settings.write_text(before)
        daemon.process.send_signal(signal.SIGHUP)
        for pack in ("a", "b"):
            daemon.wait_for("timeline_written", pack=pack)
        assert daemon.count("worker_lost") == 0
        wait_until(lambda: told(daemon)["daemon"]["counts"]["worker_places"] == 1)
