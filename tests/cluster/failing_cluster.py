"""
What is lost on the way through a cluster, row by row of the table in docs/cluster.md: `make test-cluster`.

Real processes, and where a network or a disk is to fail, namespaces of the kernel's; as root.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from anchord import timeline
from tests.cluster.running import Cluster, Member, Network
from tests.service.running import Daemon, drop, wait_until

OUTPUT = "anchors_timeline.json"
# A node is missed after ten seconds, and a connection given up after fifteen.
LONG_S = 120.0


def kill(member: Daemon) -> None:
    """As the kernel does it."""
    member.is_expected_to_end_well = False
    member.process.kill()
    member.process.wait()


def children(process: int) -> list[int]:
    """The processes that one started."""
    told = subprocess.run(
        ["ps", "--ppid", str(process), "-o", "pid="], capture_output=True, text=True, check=False
    )
    return [int(line) for line in told.stdout.split()]


def wait_for_worker(node: Member) -> int:
    """The process of a node's worker, once it is at work."""
    wait_until(lambda: bool(children(node.process.pid)))
    node.wait_for("worker_ready")
    return children(node.process.pid)[0]


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """A process that gets no time."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def is_right(pack: Path) -> bool:
    """Whether a pack's timeline is that of its video."""
    made = timeline.decode((pack / OUTPUT).read_bytes())
    return made.source.size == (pack / "idle.webm").stat().st_size and made.quality.coverage == 1


def health(cluster: Cluster, daemon: Daemon) -> tuple[bool, bool]:
    """Whether ``anchord health`` says that all is well, and whether it says that no node is there."""
    told = subprocess.run(
        [*cluster.anchord, "health", "--root", cluster.root],
        env=os.environ | {"RUNTIME_DIRECTORY": str(daemon.runtime)},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode == 0, "no node is there" in told.stdout


def test_a_killed_scheduler_costs_nothing_once_it_is_back(cluster: Cluster, long_video: Path) -> None:
    """Nodes and coordinator connect again, and what was under way is given out anew."""
    with ExitStack() as running:
        scheduler = running.enter_context(cluster.scheduler())
        node = running.enter_context(cluster.node("one"))
        daemon = running.enter_context(cluster.coordinator())
        daemon.wait_for("node_found")
        drop(cluster.root / "ada/idle.webm", long_video)
        wait_for_worker(node)
        kill(scheduler)
        daemon.wait_for("scheduler_lost")
        running.enter_context(cluster.scheduler())
        daemon.wait_for("timeline_written", pack="ada", limit_s=LONG_S)
        assert daemon.count("timeline_written") == 1
        assert not daemon.count("pack_failed")
        assert not daemon.count("node_lost")


def test_a_coordinator_that_is_started_again_forgets_and_repeats_nothing(
    cluster: Cluster, long_video: Path
) -> None:
    """Whatever it was told before its end is in the timelines; the node's place is free again at once."""
    with cluster.scheduler(), cluster.node("one") as node:
        with cluster.coordinator() as first:
            first.wait_for("node_found")
            drop(cluster.root / "ada/idle.webm", long_video)
            first.wait_for("timeline_written", pack="ada")
            drop(cluster.root / "bob/idle.webm", long_video)
            first.wait_for("extraction_started", pack="bob")
            kill(first)
        written_ns = (cluster.root / "ada" / OUTPUT).stat().st_mtime_ns
        with cluster.coordinator() as second:
            second.wait_for("timeline_written", pack="bob", limit_s=LONG_S)
            second.wait_for("pack_up_to_date", pack="ada")
            assert second.count("timeline_written") == 1
        assert (cluster.root / "ada" / OUTPUT).stat().st_mtime_ns == written_ns
        assert not node.count("scheduler_lost")


def test_a_job_that_nobody_wants_any_more_does_not_keep_its_place(cluster: Cluster, long_video: Path) -> None:
    """A hung worker whose coordinator died is ended, long before its own time-out."""
    with cluster.scheduler(), cluster.node("one") as node:
        with cluster.coordinator() as first:
            first.wait_for("node_found")
            drop(cluster.root / "ada/idle.webm", long_video)
            os.kill(wait_for_worker(node), signal.SIGSTOP)
            kill(first)
        with cluster.coordinator() as second:
            second.wait_for("timeline_written", pack="ada", limit_s=LONG_S)


def test_nodes_that_are_stopped_one_after_the_other_cost_their_job_nothing(
    cluster: Cluster, long_video: Path
) -> None:
    """An upgrade of all nodes is no reason to suspect the video that was under way each time."""
    with cluster.scheduler(), cluster.coordinator() as daemon:
        drop(cluster.root / "ada/idle.webm", long_video)
        for i in range(5):
            with cluster.node(f"node{i}") as node:
                os.kill(wait_for_worker(node), signal.SIGSTOP)
        with cluster.node("last"):
            daemon.wait_for("timeline_written", pack="ada")
        assert not daemon.count("pack_failed")


def held(member: Daemon) -> tuple[int, int]:
    """A process's open descriptors and threads."""
    proc = Path(f"/proc/{member.process.pid}")
    return sum(1 for _ in (proc / "fd").iterdir()), sum(1 for _ in (proc / "task").iterdir())


def test_a_scheduler_that_is_lost_again_and_again_leaves_nothing_behind(
    cluster: Cluster, video: Path
) -> None:
    """In node and coordinator: descriptors and threads are as many after ten times as after two."""
    with cluster.node("one") as node, cluster.coordinator() as daemon:
        after: list[list[tuple[int, int]]] = []
        for i in range(10):
            with cluster.scheduler() as scheduler:
                drop(cluster.root / f"pack{i}/idle.webm", video)
                daemon.wait_for("timeline_written", pack=f"pack{i}", limit_s=LONG_S)
                after.append([held(node), held(daemon)])
                kill(scheduler)
        for early, late in zip(after[1], after[-1], strict=True):
            assert late[0] <= early[0] + 4
            assert late[1] <= early[1] + 4


def test_a_slow_node_holds_up_its_own_job_and_no_other(cluster: Cluster, video: Path) -> None:
    """No job waits behind the one of a slow node while another node is free."""
    with cluster.scheduler(), cluster.node("slow") as slow, ExitStack() as later:
        daemon = later.enter_context(cluster.coordinator())
        daemon.wait_for("node_found", node="slow")
        drop(cluster.root / "ada/idle.webm", video)
        with stopped(wait_for_worker(slow)):
            later.enter_context(cluster.node("fast"))
            daemon.wait_for("node_found", node="fast")
            for i in range(6):
                drop(cluster.root / f"other{i}/idle.webm", video)
            for i in range(6):
                daemon.wait_for("timeline_written", pack=f"other{i}")
            assert not daemon.count("timeline_written", pack="ada")
        daemon.wait_for("timeline_written", pack="ada")


def test_a_job_that_hangs_is_ended_on_its_node(cluster: Cluster, video: Path) -> None:
    """By worker.timeout_s of the node, inside the job: the node lives, and the job is tried again."""
    node = cluster.node("one", more="")
    settings = cluster.folder / "one.toml"
    settings.write_text(settings.read_text().replace("threads = 1", "threads = 1\ntimeout_s = 3"))
    with cluster.scheduler(), node, cluster.coordinator() as daemon:
        daemon.wait_for("node_found")
        drop(cluster.root / "ada/idle.webm", video)
        os.kill(wait_for_worker(node), signal.SIGSTOP)
        failed = daemon.wait_for("pack_failed", pack="ada")
        assert "over worker.timeout_s = 3" in failed["error"]
        daemon.wait_for("timeline_written", pack="ada")
        assert not daemon.count("node_lost")


def test_a_frozen_node_is_missed_after_ten_seconds(cluster: Cluster, long_video: Path) -> None:
    """Its job is done by another; thawed, it joins again."""
    with cluster.scheduler(), cluster.node("frozen") as frozen, ExitStack() as later:
        daemon = later.enter_context(cluster.coordinator())
        daemon.wait_for("node_found", node="frozen")
        drop(cluster.root / "ada/idle.webm", long_video)
        wait_for_worker(frozen)
        with stopped(frozen.process.pid):
            later.enter_context(cluster.node("other"))
            daemon.wait_for("node_lost", node="frozen", limit_s=LONG_S)
            daemon.wait_for("timeline_written", pack="ada", limit_s=LONG_S)
        mark = len(daemon.events)
        daemon.wait_for("node_found", after=mark, node="frozen", limit_s=LONG_S)
        assert daemon.count("timeline_written") == 1


def test_a_full_disk_on_a_node_is_no_matter(video: Path) -> None:
    """A node writes nothing: videos that come as bytes lie in memory."""
    folder = Path(tempfile.mkdtemp(prefix="anchord-test-", dir="/dev/shm"))
    try:
        cluster = Cluster(folder)
        full = (
            "for at in /tmp /var/tmp; do mount -t tmpfs -o size=4k none $at; "
            'head -c 64k /dev/zero >$at/full 2>/dev/null; done; cd /tmp; exec "$@"'
        )
        prefix = ("unshare", "--mount", "sh", "-c", full, "sh")
        with cluster.scheduler(), cluster.node("one", prefix=prefix) as node, cluster.coordinator() as daemon:
            node.wait_for("node_joined")
            drop(cluster.root / "ada/idle.webm", video)
            daemon.wait_for("timeline_written", pack="ada")
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("fallback", ["wait", "local"])
def test_without_a_node_it_waits_and_says_so_or_works_here(
    cluster: Cluster, video: Path, fallback: str
) -> None:
    """Nodes get work again when they are back."""
    with cluster.scheduler(), cluster.coordinator(cluster=f'fallback = "{fallback}"') as daemon:
        drop(cluster.root / "ada/idle.webm", video)
        missing = daemon.wait_for("nodes_missing", limit_s=LONG_S)
        assert "start anchord node" in missing["reason"]
        if fallback == "local":
            daemon.wait_for("worker_started")
            daemon.wait_for("timeline_written", pack="ada")
        else:
            assert not daemon.count("extraction_started")
        wait_until(lambda: health(cluster, daemon) == (fallback == "local", fallback == "wait"))
        with cluster.node("one") as node:
            if fallback == "wait":
                daemon.wait_for("timeline_written", pack="ada")
            daemon.wait_for("node_found", node="one")
            drop(cluster.root / "bob/idle.webm", video)
            node.wait_for("worker_started")
            daemon.wait_for("timeline_written", pack="bob")


def test_a_video_that_takes_nodes_with_it_is_parked_and_its_neighbour_is_not(
    cluster: Cluster, video: Path, long_video: Path
) -> None:
    """Three nodes lost in a row are a reason to wait; three more, to leave that video alone."""
    with cluster.scheduler(), cluster.coordinator() as daemon, ExitStack() as well:
        drop(cluster.root / "poison/idle.webm", long_video)
        for i in range(6):
            with cluster.node(f"node{i}") as node:
                daemon.wait_for("node_found", node=f"node{i}")
                wait_for_worker(node)
                kill(node)
            daemon.wait_for("node_lost", node=f"node{i}")
            if i == 2:
                failed = daemon.wait_for("pack_failed", pack="poison")
                assert failed["error"].startswith("3 nodes were lost")
        daemon.wait_for("video_refused", pack="poison")
        drop(cluster.root / "ada/idle.webm", video)
        well.enter_context(cluster.node("last"))
        daemon.wait_for("timeline_written", pack="ada")
        assert not (cluster.root / "poison" / OUTPUT).exists()


@pytest.mark.parametrize("cut", ["node", "coordinator"])
def test_a_network_that_is_cut_for_half_a_minute(tmp_path: Path, long_video: Path, cut: str) -> None:
    """The hosts are network namespaces; every timeline is made, and none is written twice."""
    with Network("scheduler", "one", "two", "coordinator") as network:
        cluster = Cluster(tmp_path, scheduler=f"tls://{network.address('scheduler')}:8786")

        def listen(host: str) -> str:
            return f'listen = "{network.address(host)}"\ntransfer = "bytes"'

        with (
            cluster.scheduler(prefix=network.prefix("scheduler")),
            cluster.node("one", prefix=network.prefix("one"), cluster=listen("one")) as one,
            cluster.node("two", prefix=network.prefix("two"), cluster=listen("two")),
            cluster.coordinator(
                prefix=network.prefix("coordinator"), cluster=listen("coordinator")
            ) as daemon,
        ):
            daemon.wait_for("node_found", node="one")
            daemon.wait_for("node_found", node="two")
            packs = [f"pack{i}" for i in range(8)]
            for pack in packs:
                drop(cluster.root / f"{pack}/idle.webm", long_video)
            one.wait_for("worker_ready", limit_s=LONG_S)
            with network.cut("one" if cut == "node" else "coordinator", seconds=30):
                if cut == "node":
                    for pack in packs:
                        daemon.wait_for("timeline_written", pack=pack, limit_s=LONG_S)
                else:
                    daemon.wait_for("scheduler_lost", limit_s=LONG_S)
            for pack in packs:
                daemon.wait_for("timeline_written", pack=pack, limit_s=LONG_S)
            wait_until(lambda: daemon.count("node_found", node="one") > daemon.count("node_lost", node="one"))
            assert daemon.count("timeline_written") == len(packs)
            assert all(is_right(cluster.root / pack) for pack in packs)
            assert not daemon.count("pack_failed")
