"""What `anchord status` knows, with a daemon and without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.films import small_film
from tests.service.running import Daemon, drop, wait_until


def status(root: Path, runtime: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "anchord", "status", "--root", str(root), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"RUNTIME_DIRECTORY": str(runtime)},
        timeout=60,
    ).stdout


def told(root: Path, runtime: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status(root, runtime, "--json"))
    return found


def test_every_pack_has_its_state_with_and_without_a_daemon(tmp_path: Path) -> None:
    root = tmp_path / "avatars"
    drop(root / "good" / "idle.webm", small_film())
    drop(root / "bad" / "idle.webm", small_film())
    (root / "bad" / "idle.webm").write_bytes(b"no video")
    (root / "full" / "anchors_timeline.json").mkdir(parents=True)
    drop(root / "full" / "idle.webm", small_film())
    (root / "typo").mkdir()
    (root / "typo" / "anchord.toml").write_text("sample_rat = 1")
    (root / "empty").mkdir()
    with Daemon(root) as daemon:
        for event in ("timeline_written", "video_refused", "pack_parked"):
            daemon.wait_for(event)
        wait_until(
            lambda: (
                (told(root, daemon.runtime).get("daemon") or {}).get("packs", {}).keys()
                == {"bad", "full", "typo"}
            )
        )
        found = told(root, daemon.runtime)
        assert found["pid"] == daemon.process.pid
        states = {pack["pack"]: pack["state"] for pack in found["packs"]}
        assert states == {
            "good": "up_to_date", "bad": "parked", "full": "parked", "typo": "parked", "empty": "no_video",
        }  # fmt: skip
        packs = {pack["pack"]: pack for pack in found["packs"]}
        assert packs["good"]["coverage"] == 1
        assert "neither a WebM nor an MP4" in packs["bad"]["reason"]
        assert "is a folder" in packs["full"]["reason"]
        text = status(root, daemon.runtime)
        assert f"process {daemon.process.pid}" in text
        assert "coverage 100.0%" in text
    found = told(root, daemon.runtime)
    assert found["running"] is False
    states = {pack["pack"]: pack["state"] for pack in found["packs"]}
    assert states == {
        "good": "up_to_date", "bad": "stale", "full": "refused", "typo": "refused", "empty": "no_video",
    }  # fmt: skip
    assert "no daemon running" in status(root, daemon.runtime)
