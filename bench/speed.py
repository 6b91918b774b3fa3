"""
How long an idle clip takes and what it costs: ``make bench``.

One 4 s, 30 Hz, 512x640 clip of the sample portrait. Medians of several runs; ratios are between
figures taken in turn in the same process. Says what else the machine was doing.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anchord.demo.film import encode, film
from anchord.model import checked_model
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from anchord.tracking.video import Video
from tests.service.running import Daemon, drop

RUNS = 7
RATES = (3, 1)
IDLE_S = 20.0


def main() -> None:
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}, "
        f"medians of {RUNS} (least–most)"
    )
    with tempfile.TemporaryDirectory() as folder:
        clip = encode(Path(folder) / "idle.webm", film())
        print("\nsample rate            " + "".join(f"{rate:>22}" for rate in RATES))
        row("cold, whole process, s", [cold_s(clip, rate) for rate in RATES])
        row("warm, settled to file, s", [warm_s(Path(folder) / f"warm{rate}", rate) for rate in RATES])
        finder = FaceFinder(checked_model())
        costs = [cpu_ms(clip, rate, finder) for rate in RATES]
        finder.close()
        row("CPU per sample, ms", [ours for ours, _ in costs])
        row("  of that bare detect, ms", [bare for _, bare in costs])
        shares = [[o / b - 1 for o, b in zip(ours, bare, strict=True)] for ours, bare in costs]
        row("  overhead over it, %", [[100 * share for share in each] for each in shares])
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of the largest process: {peak:.0f} MiB")
        rss_mib, cpu_share = idle(Path(folder) / "idle")
        print(f"idle daemon: {rss_mib:.1f} MiB resident, {cpu_share:.3%} of a core over {IDLE_S:.0f} s")


def row(name: str, figures: list[list[float]]) -> None:
    cells = (f"{statistics.median(f):.2f} ({min(f):.2f}–{max(f):.2f})" for f in figures)
    print(f"{name:26}" + "".join(f"{cell:>22}" for cell in cells))


def cold_s(clip: Path, rate: int) -> list[float]:
    """From the command to its end, interpreter and model included."""
    command = [sys.executable, "-m", "anchord", "extract", str(clip), "--sample-rate", str(rate), "-o", "-"]
    run = partial(subprocess.run, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    run()
    return [seconds(run) for _ in range(RUNS)]


def warm_s(root: Path, rate: int) -> list[float]:
    """From the pack's turn to its renamed timeline, in a daemon that has worked before."""
    root.mkdir()
    with Daemon(root, f"[extract]\nsample_rate = {rate}") as daemon:
        daemon.wait_for("daemon_started")
        taken = []
        for run in range(RUNS + 1):
            after = len(daemon.events)
            made = encode(root.parent / f"{root.name}-{run}.webm", film(seed=run))
            drop(root / "me" / "idle.webm", made)
            taken.append(float(daemon.wait_for("timeline_written", after=after)["elapsed_s"]))
        return taken[1:]


def cpu_ms(clip: Path, rate: int, finder: FaceFinder) -> tuple[list[float], list[float]]:
    """CPU time per sample of the whole extraction and of ``detect`` alone on the same frames, in turn."""
    with clip.open("rb") as stream, Video(stream=stream, name=clip.name, limits=Limits()) as video:
        pictures = [frame.rgb() for frame in video.frames() if frame.index % rate == 0]

    def whole() -> None:
        with clip.open("rb") as stream:
            extract(stream, clip.name, ExtractSettings(sample_rate=rate), Limits(), finder)

    def bare() -> None:
        for future in [finder.submit(partial(finder.find, picture)) for picture in pictures]:
            future.result()

    ours, least = [], []
    for run in range(RUNS + 1):
        pair = (cpu_seconds(whole), cpu_seconds(bare))
        if run:
            ours.append(1000 * pair[0] / len(pictures))
            least.append(1000 * pair[1] / len(pictures))
    return ours, least


def idle(root: Path) -> tuple[float, float]:
    """Resident memory in MiB and share of one core of a daemon with ten packs that has nothing to do."""
    for number in range(10):
        (root / f"pack{number}").mkdir(parents=True)
    with Daemon(root) as daemon:
        daemon.wait_until_idle()
        proc = Path(f"/proc/{daemon.process.pid}")
        before = cpu_ticks(proc)
        time.sleep(IDLE_S)
        share = (cpu_ticks(proc) - before) / os.sysconf("SC_CLK_TCK") / IDLE_S
        rss_kib = next(int(line.split()[1]) for line in (proc / "status").open() if line.startswith("VmRSS"))
        return rss_kib / 1024, share


def cpu_ticks(proc: Path) -> int:
    fields = (proc / "stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def seconds(task: Callable[[], object]) -> float:
    before = time.perf_counter()
    task()
    return time.perf_counter() - before


def cpu_seconds(task: Callable[[], object]) -> float:
    gc.collect()
    before = time.process_time()
    task()
    return time.process_time() - before


if __name__ == "__main__":
    main()
