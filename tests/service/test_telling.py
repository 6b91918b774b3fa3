"""A real daemon tells systemd and Prometheus what it does."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from anchord.demo.pack import make_pack


def test_systemd_and_prometheus_hear_of_every_turn(tmp_path: Path) -> None:
    """Ready, a timeline, a reload, and the stop; the figures know of the timeline."""
    sample = make_pack(tmp_path / "sample")
    root = tmp_path / "avatars"
    (root / "one").mkdir(parents=True)
    shutil.copy(sample / "idle.webm", root / "one" / "idle.webm")
    figures = tmp_path / "anchord.prom"
    config = tmp_path / "anchord.toml"
    config.write_text(f'root = "{root}"\n[watch]\nsettle_s = 0.2\n[metrics]\ntextfile = "{figures}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        server.settimeout(60)
        daemon = subprocess.Popen(
            [sys.executable, "-m", "anchord", "run", "--config", config],
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "RUNTIME_DIRECTORY": str(tmp_path)},
            stderr=subprocess.DEVNULL,
        )
        try:

            def hear(start: str) -> None:
                while not server.recv(4096).decode().startswith(start):
                    pass

            hear("READY=1")
            ends_at_s = time.monotonic() + 60
            written = 'anchord_extractions_total{result="written"} 1.0'
            while not (figures.exists() and written in figures.read_text()):
                assert time.monotonic() < ends_at_s
                time.sleep(0.05)
            daemon.send_signal(signal.SIGHUP)
            hear("RELOADING=1\nMONOTONIC_USEC=")
            hear("READY=1")
            daemon.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
            assert daemon.wait(timeout=30) == 0
        finally:
            daemon.kill()
            daemon.wait()

    assert "anchord_extraction_seconds_count 1.0" in figures.read_text()
    assert 'anchord_coverage_ratio_bucket{le="0.8"} 0.0' in figures.read_text()
