"""Whole files or none: what a reader sees, and what a fault leaves behind."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from anchord.atomic import TEMPORARY_PREFIX, remove_leftovers, write_atomically
from anchord.errors import OutputError


def test_it_is_readable_by_a_web_server(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    before = os.umask(0o077)
    try:
        write_atomically(file, b"new")
    finally:
        os.umask(before)
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["timeline.json"]


def test_nobody_else_can_read_it_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []
    fchmod = os.fchmod

    def look(descriptor: int, mode: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        seen.append((name, stat.S_IMODE(os.fstat(descriptor).st_mode)))
        assert Path(name).read_bytes() == b"whole"
        fchmod(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", look)
    write_atomically(tmp_path / "timeline.json", b"whole")
    assert [mode for _, mode in seen] == [0o600]
    assert all(Path(name).name.startswith(TEMPORARY_PREFIX) for name, _ in seen)


@pytest.mark.parametrize("call", ["fsync", "fchmod", "write"])
def test_a_fault_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = tmp_path / "timeline.json"
    file.write_bytes(b"old")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    if call == "write":
        (tmp_path / "full").symlink_to("/dev/full")
        real_open = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda path, flags, *mode: real_open(
                "/dev/full" if flags & os.O_CREAT else path,
                flags & ~(os.O_EXCL | os.O_CREAT | os.O_NOFOLLOW),
                *mode,
            ),
        )
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(file, b"new")
    monkeypatch.undo()
    assert file.read_bytes() == b"old"
    assert set(os.listdir(tmp_path)) - {"full"} == {"timeline.json"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=str(tmp_path / "gone")):
        write_atomically(tmp_path / "gone" / "timeline.json", b"new")


def test_only_leftovers_that_nobody_writes_are_removed(tmp_path: Path) -> None:
    left = tmp_path / f"{TEMPORARY_PREFIX}abc"
    held = tmp_path / f"{TEMPORARY_PREFIX}def"
    own = tmp_path / ".hidden"
    for file in (left, held, own):
        file.write_bytes(b"")
    with held.open() as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert remove_leftovers(str(tmp_path)) == 1
    assert {file.name for file in tmp_path.iterdir()} == {held.name, own.name}


def test_the_file_being_written_counts_as_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that starts while `anchord extract` writes must not take its file away."""
    fsync, removed = os.fsync, []

    def look(descriptor: int) -> None:
        removed.append(remove_leftovers(str(tmp_path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_atomically(tmp_path / "timeline.json", b"new")
    assert removed == [0, 0]
    assert (tmp_path / "timeline.json").read_bytes() == b"new"
