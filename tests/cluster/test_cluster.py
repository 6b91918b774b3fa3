"""A pack's way through a cluster of real processes on loopback, and what is lost on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from anchord import timeline
from tests.cluster.running import Cluster, Member
from tests.service.running import Daemon, drop

OUTPUT = "anchors_timeline.json"


def digest(pack: Path) -> str:
    """Of the video that a pack's timeline was made from."""
    return str(timeline.decode((pack / OUTPUT).read_bytes()).source.sha256)


def sockets(process: int) -> set[tuple[str, int]]:
    """Address and port of every TCP socket that a process listens at."""
    told = subprocess.run(["ss", "-H", "-ltnp"], capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in told.splitlines() if f"pid={process}," in line]
    return {(line[3].rpartition(":")[0], int(line[3].rpartition(":")[2])) for line in lines}


@pytest.mark.parametrize("transfer", ["path", "bytes"])
def test_a_video_is_worked_on_by_a_node(cluster: Cluster, video: Path, transfer: str) -> None:
    """By its path where node and coordinator share the root, and by its bytes where they do not."""
    node = cluster.node("one", *(("--root", str(cluster.root)) if transfer == "path" else ()))
    with cluster.scheduler(), node, cluster.coordinator(cluster=f'transfer = "{transfer}"') as daemon:
        daemon.wait_for("node_found", node="one", places=1)
        drop(cluster.root / "ada/idle.webm", video)
        written = daemon.wait_for("timeline_written", pack="ada")
        assert written["coverage"] == 1
        node.wait_for("worker_started")
        assert not daemon.count("worker_started")
    made = timeline.decode((cluster.root / "ada" / OUTPUT).read_bytes())
    assert made.source.mtime_us == (cluster.root / "ada/idle.webm").stat().st_mtime_ns // 1000


def test_a_killed_nodes_job_is_done_by_another(cluster: Cluster, long_video: Path) -> None:
    """Without a pause and without a loss of the video's."""
    with cluster.scheduler(), cluster.node("two") as two, ExitStack() as later:
        two.wait_for("node_joined")
        daemon = later.enter_context(cluster.coordinator())
        daemon.wait_for("node_found", node="two")
        drop(cluster.root / "ada/idle.webm", long_video)
        two.wait_for("worker_ready")
        later.enter_context(cluster.node("one")).wait_for("node_joined")
        two.is_expected_to_end_well = False
        two.process.kill()
        daemon.wait_for("node_lost", node="two")
        daemon.wait_for("timeline_written", pack="ada")
        assert daemon.count("timeline_written") == 1
        assert not daemon.count("pack_failed")
