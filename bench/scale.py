"""
What many packs cost, and what many workers bring: ``make bench-scale``, minutes.

``python -m bench.scale idle 10000 50000``, or ``throughput``: one of its parts alone.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from anchord import timeline
from anchord.demo.film import encode, even_times_ms, film
from bench.speed import cpu_ticks
from tests.service.running import Daemon, drop, wait_until

PACKS = (10_000,)
RESCAN_S = 60
WATCHED_S = 3 * RESCAN_S

# Clips of two seconds, each pool in turn, so that whatever else the machine does meets all of them.
CLIPS, ROUNDS, CLIP_S = 40, 3, 2.0
POOLS = ((1, 1), (1, 2), (2, 1), (2, 2))


def main() -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    part, *numbers = sys.argv[1:] or ["all"]
    with tempfile.TemporaryDirectory() as folder:
        if part in ("all", "throughput"):
            throughput(Path(folder))
        if part in ("all", "idle"):
            for count in map(int, numbers or PACKS):
                idle(Path(folder) / str(count), count)


def throughput(folder: Path) -> None:
    """How long pools of several sizes take for the same clips, as a ratio to one worker of two threads."""
    video = encode(folder / "clip.webm", film(times_ms=even_times_ms(30, CLIP_S)))
    taken: dict[tuple[int, int], list[float]] = {pool: [] for pool in POOLS}
    for round_ in range(ROUNDS):
        for processes, threads in POOLS:
            root = folder / f"throughput-{round_}-{processes}-{threads}"
            for number in range(CLIPS):
                drop(root / f"pack{number}" / "idle.webm", video)
            settings = f"[worker]\nprocesses = {processes}\nthreads = {threads}\n"
            with Daemon(root, settings) as daemon:
                wait_until(lambda: daemon.count("timeline_written") == CLIPS, limit_s=600)
            taken[processes, threads].append(_work_s(daemon))
    base = taken[1, 2]
    print(f"\n{CLIPS} clips of {CLIP_S:g} s, {ROUNDS} rounds in turn; workers x threads")
    for pool, each in taken.items():
        ratios = [before / now for before, now in zip(base, each, strict=True)]
        print(
            f"  {pool[0]} x {pool[1]}: {statistics.median(each):6.1f} s ({min(each):.1f}-{max(each):.1f}), "
            f"{statistics.median(ratios):.2f} times the throughput of 1 x 2"
        )


def _work_s(daemon: Daemon) -> float:
    """From the first clip that is begun, its worker's start included, to the last timeline."""
    begun = next(event for event in daemon.events if event["event"] == "extraction_started")
    written = [event for event in daemon.events if event["event"] == "timeline_written"][-1]
    return (datetime.fromisoformat(written["time"]) - datetime.fromisoformat(begun["time"])).total_seconds()


def idle(folder: Path, count: int) -> None:
    """What so many packs, all up to date, cost a daemon: at its start, and while nothing happens."""
    root = folder / "avatars"
    folder.mkdir()
    video = encode(folder / "idle.webm", film(times_ms=even_times_ms(10, 0.3)))
    drop(root / "pack0" / "idle.webm", video)
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written")
    content = (root / "pack0" / "anchors_timeline.json").read_bytes()
    assert timeline.head(io.BytesIO(content))
    for number in range(1, count):
        pack = root / f"pack{number}"
        pack.mkdir()
        # As many links as a file may have on ext4, and then another file.
        if number % 50_000 == 0:
            drop(pack / "idle.webm", video)
            os.utime(pack / "idle.webm", ns=((root / "pack0" / "idle.webm").stat().st_mtime_ns,) * 2)
        else:
            first = root / f"pack{number // 50_000 * 50_000}" / "idle.webm"
            (pack / "idle.webm").hardlink_to(first)
        (pack / "manifest.json").write_text('{"base": {"idleVideo": "idle.webm"}}')
    # Each link changes the time of the one video, which no timeline may be older than.
    for number in range(count):
        (root / f"pack{number}" / "anchors_timeline.json").write_bytes(content)
    with Daemon(root, rescan_s=RESCAN_S) as daemon:
        began = time.perf_counter()
        daemon.wait_for("daemon_started", limit_s=120)
        started_s = time.perf_counter() - began
        wait_until(lambda: daemon.count("pack_up_to_date") >= count, limit_s=300)
        ready_s = time.perf_counter() - began
        proc = Path(f"/proc/{daemon.process.pid}")
        time.sleep(5)
        before = cpu_ticks(proc)
        time.sleep(WATCHED_S)
        share = (cpu_ticks(proc) - before) / os.sysconf("SC_CLK_TCK") / WATCHED_S
        rss_kib = next(int(line.split()[1]) for line in (proc / "status").open() if line.startswith("VmRSS"))
        peak_kib = next(int(line.split()[1]) for line in (proc / "status").open() if line.startswith("VmHWM"))
    print(
        f"\n{count} packs: started after {started_s:.1f} s, all found up to date after {ready_s:.1f} s; "
        f"idle for {WATCHED_S} s {share:.3%} of a core, {rss_kib / 1024:.0f} MiB resident "
        f"({peak_kib / 1024:.0f} at most)"
    )


if __name__ == "__main__":
    main()
