"""The daemon's state, as others read it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from anchord.service.queue import Queue
from anchord.service.report import state
from anchord.service.report.state import Component, State, packs_of, publisher, read, runtime_folder
from anchord.service.timers import Timers


def made(root: Path, **packs: state.PackState) -> State:
    part = Component(state="inotify", healthy=True)
    return State(
        pid=1,
        root=str(root),
        version="0",
        started_unix_s=0.0,
        loop_turned_unix_s=0.0,
        watch=part,
        worker=part,
        packs=packs,
        counts={},
    )


def test_what_is_published_is_read_by_the_same_root_and_no_other(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    publisher(runtime)(made(tmp_path))
    found = read(tmp_path, runtime)
    assert found is not None
    assert found.root == str(tmp_path)
    assert read(tmp_path / "other", runtime) is None


def test_names_that_are_no_unicode_or_move_a_cursor_are_told_so_that_anybody_can_read_them(
    tmp_path: Path,
) -> None:
    queue: Queue[Any] = Queue(Timers())
    name = os.fsdecode(b"caf\xe9\x1b[2J")
    queue.park(name, key=1, reason=f"{name}: is\nbad " + "x" * 5000)
    found = packs_of(["held"], queue, {"slow": 12.3}, now_s=0.0)
    assert set(found) == {"caf\\xe9\\x1b[2J", "held", "slow"}
    parked = found["caf\\xe9\\x1b[2J"]
    assert parked.state == "parked"
    assert len(parked.reason) <= 500
    assert "\n" not in parked.reason
    assert "has not answered for 12 s" in found["slow"].reason
    publisher(tmp_path / "run")(made(tmp_path, **found))
    [file] = (tmp_path / "run").iterdir()
    json.loads(file.read_bytes())


def test_a_state_file_that_is_a_pipe_or_nonsense_is_none(tmp_path: Path) -> None:
    file = state.state_file(tmp_path, tmp_path)
    os.mkfifo(file)
    assert read(tmp_path, tmp_path) is None
    file.unlink()
    file.write_bytes(b"{" * 10_000)
    assert read(tmp_path, tmp_path) is None


def test_a_runtime_folder_that_somebody_else_made_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below /tmp anybody could have laid it, to have what is written there."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    os.chown(foreign, 65534, 65534)
    with pytest.raises(PermissionError, match="belongs to another user"):
        publisher(foreign)(made(tmp_path))
    (tmp_path / "link").symlink_to(foreign)
    with pytest.raises(PermissionError):
        publisher(tmp_path / "link")(made(tmp_path))


def test_systemds_folder_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/a:/run/b")
    assert runtime_folder() == Path("/run/a")
