from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anchord.commands.health import MAX_AGE_S, health
from anchord.service.report.state import Component, State, publisher

WELL = Component(state="inotify", healthy=True)


def published(tmp_path: Path, *, watch: Component = WELL, worker: Component = WELL) -> Path:
    """An avatars root whose daemon published its state at second 1000, into tmp_path."""
    root = tmp_path / "avatars"
    root.mkdir()
    publisher(tmp_path)(
        State(
            pid=42,
            root=str(root),
            version="1",
            started_unix_s=900.0,
            loop_turned_unix_s=1000.0,
            watch=watch,
            worker=worker,
            packs={},
            counts={"packs": 3},
        )
    )
    return root


def test_a_daemon_whose_loop_turned_lately_is_well(tmp_path: Path) -> None:
    found = health(published(tmp_path), now_s=1010.0, folder=tmp_path)

    assert found.is_well
    assert found.line == "well: 3 packs, watch inotify, worker inotify, loop turned 10 s ago"


def test_a_loop_that_no_longer_turns_is_not_well(tmp_path: Path) -> None:
    found = health(published(tmp_path), now_s=1001.0 + MAX_AGE_S, folder=tmp_path)

    assert not found.is_well
    assert "process 42" in found.line


@pytest.mark.parametrize("part", ["watch", "worker"])
def test_one_part_that_is_not_well_is_named(part: str, tmp_path: Path) -> None:
    ill = Component(state="lost", healthy=False, detail="no such folder")
    root = published(
        tmp_path, watch=ill if part == "watch" else WELL, worker=ill if part == "worker" else WELL
    )
    found = health(root, now_s=1010.0, folder=tmp_path)

    assert (found.is_well, found.line) == (False, f"not well: the {part} is lost: no such folder")


def test_where_no_daemon_is_nothing_is_well(tmp_path: Path) -> None:
    assert not health(tmp_path, now_s=0.0, folder=tmp_path).is_well


def test_a_state_file_that_is_broken_is_no_state(tmp_path: Path) -> None:
    root = published(tmp_path)
    for file in tmp_path.glob("state-*.json"):
        file.write_text("{")

    assert not health(root, now_s=1010.0, folder=tmp_path).is_well


def test_asking_is_cheap() -> None:
    """A container asks every 30 s: neither the log's libraries nor the watch's are loaded for that."""
    script = (
        "import sys, anchord.cli, anchord.commands.health;print({'structlog', 'watchdog'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
