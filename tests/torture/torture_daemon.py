"""Kills at any moment, storms, long runs: nothing missed, nothing torn, nothing left, memory flat."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
from pathlib import Path

import pytest

from anchord import timeline
from anchord.atomic import TEMPORARY_PREFIX
from tests.films import small_film
from tests.service.running import Daemon, drop, wait_until

OUTPUT = "anchors_timeline.json"

KILLS = 300
STORM = 5000
SOAK = 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "avatars"
    made.mkdir()
    return made


def packs_in(root: Path) -> list[Path]:
    """Beside them the root holds the daemon's lock."""
    return [path for path in root.iterdir() if path.is_dir()]


def is_whole(file: Path) -> bool:
    """Whether a reader finds no timeline or a whole one."""
    try:
        timeline.decode(file.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True


def digest(file: Path) -> str:
    return timeline.decode(file.read_bytes()).source.sha256


@pytest.mark.timeout(1800)
def test_killed_at_random_moments_it_forgets_and_tears_nothing(root: Path) -> None:
    """The root is written to all the while; after the last kill one run brings all up to date."""
    chance = random.Random(1)
    films = [small_film(fps=10, seconds=0.5, seed=seed) for seed in range(4)]
    pause = threading.Event()
    reached: set[str] = set()
    for round_ in range(KILLS):
        with Daemon(root) as daemon:
            daemon.is_expected_to_end_well = False
            for _ in range(chance.randrange(3)):
                drop(root / f"pack{chance.randrange(6)}" / "idle.webm", chance.choice(films))
            # From before the watch is up to after the timeline is written.
            pause.wait(chance.uniform(0.05, 2.5))
            os.kill(daemon.process.pid, signal.SIGKILL)
        reached |= {event["event"] for event in daemon.events}
        for pack in packs_in(root):
            assert is_whole(pack / OUTPUT), f"round {round_}: {pack.name} is torn"
    assert {"daemon_started", "extraction_started", "timeline_written"} <= reached
    with Daemon(root) as daemon:
        daemon.wait_for("daemon_started")
        daemon.wait_until_idle()
        wait_until(lambda: all((pack / OUTPUT).exists() for pack in packs_in(root)))
        daemon.wait_until_idle()
    with Daemon(root) as daemon:
        daemon.wait_until_idle()
        assert daemon.count("timeline_written") == 0, "a restart redid what was done"
    for pack in packs_in(root):
        assert digest(pack / OUTPUT) == hashlib.sha256((pack / "idle.webm").read_bytes()).hexdigest()
        assert not list(pack.glob(f"{TEMPORARY_PREFIX}*"))


@pytest.mark.timeout(1200)
def test_a_storm_that_overflows_the_event_queue_loses_no_pack(root: Path) -> None:
    limit = Path("/proc/sys/fs/inotify/max_queued_events")
    before = limit.read_text()
    film = small_film(fps=10, seconds=0.5)
    real = {f"pack{number}" for number in range(0, STORM, STORM // 25)}
    limit.write_text("1")
    try:
        with Daemon(root, rescan_s=30) as daemon:
            daemon.wait_for("daemon_started")
            for number in range(STORM):
                pack = root / f"pack{number}"
                if pack.name in real:
                    drop(pack / "idle.webm", film)
                else:
                    pack.mkdir()
                    (pack / "idle.webm").write_bytes(b"no video, and refused as fast as that can be")
            refused = STORM - len(real)
            wait_until(
                lambda: (
                    daemon.count("video_refused") >= refused and daemon.count("timeline_written") >= len(real)
                ),
                limit_s=900,
            )
            assert {e["pack"] for e in daemon.events if e["event"] == "timeline_written"} == real
            assert len({e["pack"] for e in daemon.events if e["event"] == "video_refused"}) == refused
            drop(root / "after" / "idle.webm", film)
            daemon.wait_for("timeline_written", pack="after")
    finally:
        limit.write_text(before)


def resident_kib(pid: int) -> int:
    with Path(f"/proc/{pid}/status").open() as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.timeout(1800)
def test_a_thousand_extractions_leave_memory_flat(root: Path) -> None:
    films = [small_film(fps=10, seconds=0.5, seed=seed) for seed in range(2)]
    packs = [f"pack{number}" for number in range(20)]
    readings: list[tuple[int, int]] = []
    with Daemon(root, "[worker]\nmax_jobs = 1000000") as daemon:
        for number in range(SOAK // len(packs)):
            after = len(daemon.events)
            for pack in packs:
                drop(root / pack / "idle.webm", films[number % 2])
            for pack in packs:
                daemon.wait_for("timeline_written", after=after, pack=pack)
            worker = daemon.wait_for("worker_started")["pid"]
            readings.append((resident_kib(daemon.process.pid), resident_kib(worker)))
        assert daemon.count("timeline_written") == SOAK
    # After a tenth of it everything has been loaded that ever is.
    for which in (0, 1):
        settled = [reading[which] for reading in readings[len(readings) // 10 :]]
        first, last = sum(settled[:5]) / 5, sum(settled[-5:]) / 5
        print(f"{('daemon', 'worker')[which]}: {first / 1024:.1f} MiB, then {last / 1024:.1f} MiB")
        assert last <= first * 1.05
