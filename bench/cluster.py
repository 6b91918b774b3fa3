"""
What a cluster costs and stands: ``make bench-cluster``.

Two nodes on loopback against the same work without a cluster, and 500 jobs while a node is killed every
20 s. Ratios are of one run, since other work on the machine changes all times alike.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from anchord import timeline
from anchord.demo.film import encode, even_times_ms, film
from tests.cluster.running import Cluster, Member, listening, speaks_tls
from tests.service.running import Daemon, drop

COMPARED, ROUNDS = 40, 3
CLIPS_S = (0.5, 4.0)
JOBS = 500
KILL_EVERY_S = 20.0
LIMIT_S = 1800.0

OUTPUT = "anchors_timeline.json"


def main(arguments: Sequence[str]) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    wanted = set(arguments) or {"throughput", "kills"}
    with tempfile.TemporaryDirectory() as folder:
        if "throughput" in wanted:
            for seconds in CLIPS_S:
                compare(Path(folder), seconds)
        if "kills" in wanted:
            kills(Path(folder))


def compare(folder: Path, seconds: float) -> None:
    """The same packs with two workers here and with two nodes, by path and by bytes, in turn."""
    video = encode(folder / f"film{seconds}.webm", film(times_ms=even_times_ms(30, seconds)))
    took_s: dict[str, list[float]] = {"here": [], "path": [], "bytes": []}
    for turn in range(ROUNDS):
        for way, all_s in took_s.items():
            made = Cluster(folder / f"{seconds}-{way}-{turn}", is_new=True)
            for i in range(COMPARED):
                drop(made.root / f"pack{i}/idle.webm", video)
            all_s.append(here(made.root) if way == "here" else through_nodes(made, way))
    median_s = {way: statistics.median(all_s) for way, all_s in took_s.items()}
    print(f"{COMPARED} clips of {seconds} s, median of {ROUNDS} rounds in turn:")
    print(f"    two workers of this machine, no cluster: {median_s['here']:6.1f} s")
    for way in ("path", "bytes"):
        ratio = median_s["here"] / median_s[way]
        print(f"    two nodes with a place each, by {way:5}:  {median_s[way]:6.1f} s, {ratio:.2f}x")


def here(root: Path) -> float:
    """Seconds from the first job's start to the last timeline, without a cluster."""
    with Daemon(root, "[worker]\nprocesses = 2\nthreads = 1\n") as daemon:
        _wait_for_timelines(daemon, COMPARED)
    return _span_s(daemon)


def through_nodes(made: Cluster, transfer: str) -> float:
    """The same with two nodes."""
    root = ("--root", str(made.root)) if transfer == "path" else ()
    with made.scheduler(), made.node("one", *root) as one, made.node("two", *root) as two:
        for node in (one, two):
            node.wait_for("node_joined")
        with made.coordinator(cluster=f'transfer = "{transfer}"') as daemon:
            _wait_for_timelines(daemon, COMPARED)
    return _span_s(daemon)


def kills(folder: Path) -> None:
    """500 jobs, and every 20 s the next of two nodes is killed and started again."""
    video = encode(folder / "short.webm", film(times_ms=even_times_ms(30, 0.5)))
    made = Cluster(folder / "kills", is_new=True)
    for i in range(JOBS):
        drop(made.root / f"pack{i}/idle.webm", video)
    killed, plain = [0], set[str]()
    with (
        made.scheduler() as scheduler,
        made.coordinator(cluster='transfer = "bytes"') as daemon,
        _nodes_that_die(made, killed, plain),
    ):
        began_s = time.monotonic()
        _wait_for_timelines(daemon, JOBS // 5)
        early = {who.command()[0]: _held(who.process.pid) for who in (scheduler, daemon)}
        _wait_for_timelines(daemon, JOBS)
        took_s = time.monotonic() - began_s
        late = {who.command()[0]: _held(who.process.pid) for who in (scheduler, daemon)}
        for who in (scheduler, daemon):
            plain |= _plain_ports(made, who)
    print(f"{JOBS} jobs by bytes, {killed[0]} nodes killed: {took_s:.0f} s")
    right = sum(_is_right(made.root / f"pack{i}") for i in range(JOBS))
    packs = [event["pack"] for event in daemon.events if event["event"] == "timeline_written"]
    print(f"    right: {right}, written: {len(packs)}, twice: {len(packs) - len(set(packs))}")
    failed = daemon.count("pack_failed") + daemon.count("video_refused") + daemon.count("packs_failed")
    print(f"    failed or parked on the way: {failed}, nodes lost as told: {daemon.count('node_lost')}")
    for name, (descriptors, mib) in late.items():
        before = early[name]
        print(f"    {name}: descriptors {before[0]} -> {descriptors}, MiB {before[1]:.0f} -> {mib:.0f}")
    print(f"    ports that speak without TLS and a certificate: {sorted(plain) or 'none'}")


@contextmanager
def _nodes_that_die(made: Cluster, killed: list[int], plain: set[str]) -> Iterator[None]:
    over = threading.Event()

    def keep(name: str, first_kill_s: float) -> None:
        wait_s = first_kill_s
        while not over.is_set():
            with made.node(name) as node:
                if not over.wait(wait_s):
                    plain.update(_plain_ports(made, node))
                    node.is_expected_to_end_well = False
                    node.process.kill()
                    node.process.wait()
                    killed[0] += 1
                wait_s = 2 * KILL_EVERY_S

    threads = [threading.Thread(target=keep, args=(f"n{i}", (i + 1) * KILL_EVERY_S)) for i in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _plain_ports(made: Cluster, who: Daemon | Member) -> set[str]:
    """Ports of a member at which somebody without a certificate hears a word, or that are not on loopback."""
    ports = listening(who.process.pid)
    return {
        f"{host}:{port}"
        for host, port in ports
        if host != "127.0.0.1"
        or speaks_tls(host, port, None, None)
        or not speaks_tls(host, port, made.certificates / "ca.pem", made.certificates / "scheduler")
    }


def _wait_for_timelines(daemon: Daemon, count: int) -> None:
    ends_at_s = time.monotonic() + LIMIT_S
    while daemon.count("timeline_written") < count:
        assert time.monotonic() < ends_at_s, daemon.told()[-5000:]
        assert daemon.process.poll() is None, daemon.told()[-5000:]
        time.sleep(0.2)


def _span_s(daemon: Daemon) -> float:
    """From the first job's start to the last timeline, by the log."""
    times = [
        _seconds(event["time"])
        for event in daemon.events
        if event["event"] in ("extraction_started", "timeline_written")
    ]
    return max(times) - min(times)


def _seconds(told: str) -> float:
    hours, minutes, seconds = told.partition("T")[2].rstrip("Z").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _held(process: int) -> tuple[int, float]:
    """A process's open descriptors and resident MiB."""
    proc = Path(f"/proc/{process}")
    kib = next(int(line.split()[1]) for line in (proc / "status").open() if line.startswith("VmRSS"))
    return sum(1 for _ in (proc / "fd").iterdir()), kib / 1024


def _is_right(pack: Path) -> bool:
    made = timeline.decode((pack / OUTPUT).read_bytes())
    video = (pack / "idle.webm").stat()
    return (made.source.size, made.source.mtime_us, made.quality.coverage) == (
        video.st_size,
        video.st_mtime_ns // 1000,
        1,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
