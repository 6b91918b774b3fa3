"""Whole files or none: what a reader sees, and what a fault leaves behind."""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from anchord.atomic import TEMPORARY_PREFIX, remove_leftovers, replace_all, write_atomically, write_through
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

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    if call == "write":
        (tmp_path / "full").symlink_to("/dev/full")
        real_open = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda path, flags, *mode, dir_fd=None: real_open(
                "/dev/full" if flags & os.O_CREAT else path,
                flags & ~(os.O_EXCL | os.O_CREAT | os.O_NOFOLLOW),
                *mode,
                dir_fd=dir_fd,
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


def through(target: Path | str, redirect: str = "") -> bytes:
    """
    What comes of five bytes written through to a *target*, then what kind of file /dev/null is.

    In a mount namespace with a /dev of its own: nothing that is named here harms the machine's.
    """
    program = f"from anchord.atomic import write_through; write_through({str(target)!r}, b'bytes')"
    lines = (
        "mount -t tmpfs tmpfs /dev; mknod /dev/null c 1 3; mknod /dev/full c 1 7",
        "ln -s /proc/self/fd /dev/fd; ln -s /proc/self/fd/1 /dev/stdout",
        f"{shlex.join([sys.executable, '-c', program])} {redirect}",
        "stat -c %F /dev/null",
    )
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", "\n".join(lines)], stdout=-1, stderr=-2, check=False
    ).stdout


NULL = b"character special file\n"


def test_devices_are_written_to_and_stay_what_they_are() -> None:
    assert through("/dev/null") == NULL
    assert b"No space left on device" in through("/dev/full")
    assert through("/dev/stdout") == b"bytes" + NULL


def test_descriptors_are_written_to_be_they_files_or_pipes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert through("/dev/fd/3", f"3>{file}") == NULL
    assert file.read_bytes() == b"bytes"
    assert through("/dev/fd/3", "3>&1 | tr b B") == b"Bytes" + NULL
    assert through("/proc/self/fd/3", f"3>>{file}") == NULL
    assert file.read_bytes() == b"bytesbytes"


def test_a_pipe_gets_the_bytes_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(pipe.read_bytes)
        write_through(str(pipe), b"bytes")
        assert reading.result() == b"bytes"
    assert pipe.is_fifo()


def test_behind_a_link_its_file_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    for name, target in (("link", "file"), ("chain", "link"), ("new", "not yet there")):
        (tmp_path / name).symlink_to(target)
        write_through(str(tmp_path / name), name.encode())
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target).read_bytes() == name.encode()


def test_what_cannot_be_written_through_is_named_and_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "folder").mkdir()
    for name in ("socket", "circle", "folder", "gone/file"):
        with pytest.raises(OutputError, match=name):
            write_through(str(tmp_path / name), b"bytes")
    assert sorted(os.listdir(tmp_path)) == ["circle", "folder", "socket"]


def test_what_is_no_file_of_ours_is_no_leftover(tmp_path: Path) -> None:
    """A pipe of that name would hang whoever opens it, and was not made here."""
    os.mkfifo(tmp_path / f"{TEMPORARY_PREFIX}pipe")
    (tmp_path / f"{TEMPORARY_PREFIX}link").symlink_to("/dev/zero")
    (tmp_path / f"{TEMPORARY_PREFIX}old").write_bytes(b"x")
    assert remove_leftovers(str(tmp_path)) == 1
    assert len(os.listdir(tmp_path)) == 2


def test_several_files_appear_in_their_order_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    folder = os.open(tmp_path, os.O_PATH)
    replace_all(folder, {"a.png": b"new", "b.png": b"too", "manifest.json": b"{}"}, what=str(tmp_path))
    os.close(folder)
    assert sorted(os.listdir(tmp_path)) == ["a.png", "b.png", "manifest.json"]
    assert (tmp_path / "a.png").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "b.png").stat().st_mode) == 0o644


@pytest.mark.parametrize("last", ["c.png", "b.png"])
def test_where_one_of_several_files_cannot_be_renamed_none_is(tmp_path: Path, last: str) -> None:
    """A folder of that name is in the way: a real error, and after the others were renamed."""
    (tmp_path / "a.png").write_bytes(b"old")
    (tmp_path / last / "full").mkdir(parents=True)
    folder = os.open(tmp_path, os.O_PATH)
    files = {"a.png": b"new", "new.png": b"new", last: b"new"}
    with pytest.raises(OutputError):
        replace_all(folder, files, what=str(tmp_path))
    os.close(folder)
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["a.png", last]
