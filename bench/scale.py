"""
What 10,000 packs cost a daemon that has nothing to do: ``make bench-scale``.

The packs' timelines match their videos, so a start has only to see that.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from pathlib import Path

from anchord import timeline
from anchord.demo.film import encode, even_times_ms, film
from bench.speed import cpu_ticks
from tests.service.running import Daemon, drop

PACKS = 10_000
RESCAN_S = 60
WATCHED_S = 3 * RESCAN_S


def main() -> None:
    print(f"{PACKS} packs, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "avatars"
        video = encode(Path(folder) / "idle.webm", film(times_ms=even_times_ms(10, 0.3)))
        drop(root / "pack0" / "idle.webm", video)
        with Daemon(root) as daemon:
            daemon.wait_for("timeline_written")
        content = (root / "pack0" / "anchors_timeline.json").read_bytes()
        assert timeline.head(io.BytesIO(content))
        for number in range(1, PACKS):
            pack = root / f"pack{number}"
            pack.mkdir()
            (pack / "idle.webm").hardlink_to(root / "pack0" / "idle.webm")
            (pack / "manifest.json").write_text('{"base": {"idleVideo": "idle.webm"}}')
        # Each link changes the time of the one video, which no timeline may be older than.
        for number in range(1, PACKS):
            (root / f"pack{number}" / "anchors_timeline.json").write_bytes(content)
        with Daemon(root, rescan_s=RESCAN_S) as daemon:
            began = time.perf_counter()
            daemon.wait_for("daemon_started", limit_s=120)
            print(f"from the start of the process to daemon_started: {time.perf_counter() - began:.2f} s")
            daemon.wait_for("pack_up_to_date", pack=f"pack{PACKS - 1}", limit_s=120)
            print(f"until every pack was found up to date:           {time.perf_counter() - began:.2f} s")
            proc = Path(f"/proc/{daemon.process.pid}")
            time.sleep(5)
            before = cpu_ticks(proc)
            time.sleep(WATCHED_S)
            share = (cpu_ticks(proc) - before) / os.sysconf("SC_CLK_TCK") / WATCHED_S
            rss_kib = next(
                int(line.split()[1]) for line in (proc / "status").open() if line.startswith("VmRSS")
            )
            print(f"idle for {WATCHED_S} s: {share:.3%} of a core, {rss_kib / 1024:.1f} MiB resident")


if __name__ == "__main__":
    main()
