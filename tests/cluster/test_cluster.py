"""A pack's way through a cluster of real processes on loopback. What is lost on it: failing_cluster.py."""

from __future__ import annotations

import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from anchord import timeline
from anchord.cluster import certificates
from tests.cluster.running import Cluster, listening, speaks_tls
from tests.service.running import drop

OUTPUT = "anchors_timeline.json"


@pytest.mark.parametrize("transfer", ["path", "bytes"])
def test_a_video_is_worked_on_by_a_node(cluster: Cluster, video: Path, transfer: str) -> None:
    """By its path where node and coordinator share the root, and by its bytes where they do not."""
    node = cluster.node("one", *(("--root", str(cluster.root)) if transfer == "path" else ()))
    with cluster.scheduler(), node, cluster.coordinator(cluster=f'transfer = "{transfer}"') as daemon:
        daemon.wait_for("node_found", node="one", places=1)
        drop(cluster.root / "ada/idle.webm", video)
        assert daemon.wait_for("timeline_written", pack="ada")["coverage"] == 1
        node.wait_for("worker_started")
        assert not daemon.count("worker_started")
    made = timeline.decode((cluster.root / "ada" / OUTPUT).read_bytes())
    assert made.source.mtime_us == (cluster.root / "ada/idle.webm").stat().st_mtime_ns // 1000


def test_no_member_has_a_port_without_tls_and_a_certificate_of_the_clusters(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Whoever has none, or another cluster's, gets no word out of any of them."""
    list(certificates.make(tmp_path / "others", ["stranger"], days=1))
    with cluster.scheduler() as scheduler, cluster.node("one") as node, cluster.coordinator() as daemon:
        node.wait_for("node_joined")
        daemon.wait_for("node_found")
        for member in (scheduler, node, daemon):
            ports = listening(member.process.pid)
            assert len(ports) == 1
            assert {host for host, _ in ports} == {"127.0.0.1"}
            for host, port in ports:
                assert not speaks_tls(host, port, None, None)
                assert not speaks_tls(host, port, tmp_path / "others/ca.pem", tmp_path / "others/stranger")
                own = cluster.certificates
                assert speaks_tls(host, port, own / "ca.pem", own / "one")
                assert not speaks_tls(host, port, own / "ca.pem", own / "one", most=ssl.TLSVersion.TLSv1_2)


def test_a_node_of_another_version_gets_no_work_and_is_named(
    cluster: Cluster, video: Path, tmp_path: Path
) -> None:
    (tmp_path / "older").mkdir()
    (tmp_path / "older/sitecustomize.py").write_text("import anchord\nanchord.__version__ = '0.0.9'\n")
    old = cluster.node("old", prefix=("env", f"PYTHONPATH={tmp_path / 'older'}"))
    with cluster.scheduler(), old, cluster.coordinator() as daemon, ExitStack() as later:
        drop(cluster.root / "ada/idle.webm", video)
        refused = daemon.wait_for("node_refused", node="old")
        assert refused["node_is"].startswith("anchord-0.0.9-")
        later.enter_context(cluster.node("new"))
        daemon.wait_for("timeline_written", pack="ada")
        assert not old.count("worker_started")


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


@pytest.mark.parametrize("command", ["scheduler", "node"])
def test_a_member_without_a_certificate_does_not_start(cluster: Cluster, command: str) -> None:
    """With the status that systemd does not try again on, and the key that is missing."""
    settings = cluster.settings("one")
    settings.write_text(settings.read_text().replace("key = ", "# key = "))
    told = subprocess.run(
        [*cluster.anchord, command, "--config", settings], capture_output=True, text=True, check=False
    )
    assert told.returncode == 78
    assert "cluster.key is not set" in told.stderr
