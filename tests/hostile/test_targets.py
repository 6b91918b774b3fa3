"""``anchord extract -o``: what is not a regular file is written through, and stays what it is."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.films import small_film

_EXTRACT = (sys.executable, "-m", "anchord", "extract")
#: A /dev of its own, so that whatever goes wrong costs no device of this machine.
_OWN_DEVICES = (
    *("unshare", "--mount", "--propagation=private", "sh", "-euc"),
    """
    mount -t tmpfs -o mode=0755 tmpfs /dev
    mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5; mknod -m 666 /dev/full c 1 7
    mknod -m 666 /dev/random c 1 8; mknod -m 666 /dev/urandom c 1 9
    ln -s /proc/self/fd /dev/fd; ln -s fd/1 /dev/stdout; ln -s fd/2 /dev/stderr
    target=$1; shift; status=0
    "$@" -o "$target" || status=$?
    test ! -c "$target" || echo "still a device" >&2
    exit $status
    """,
    "sh",
)


def _run(target: str, *, with_own_devices: bool = False) -> subprocess.CompletedProcess[bytes]:
    extract = (*_EXTRACT, str(small_film()))
    arguments = (*_OWN_DEVICES, target, *extract) if with_own_devices else (*extract, "-o", target)
    return subprocess.run(arguments, capture_output=True, timeout=100, check=False)


@pytest.mark.parametrize(("target", "status"), [("/dev/null", 0), ("/dev/full", 74)])
def test_a_device_is_written_to_and_stays(target: str, status: int) -> None:
    ran = _run(target, with_own_devices=True)
    assert ran.returncode == status, ran
    assert b"still a device" in ran.stderr


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_descriptor_is_written_to(target: str) -> None:
    ran = _run(target)
    assert ran.returncode == 0, ran
    assert b'"generator"' in ran.stdout


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "out.json"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    ran = _run(str(pipe))
    reader.join(60)
    assert ran.returncode == 0, ran
    assert b'"generator"' in read[0]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("has_file", [True, False])
def test_behind_a_link_its_file_is_replaced_and_the_link_stays(tmp_path: Path, has_file: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    file, link = tmp_path / "elsewhere" / "file.json", tmp_path / "out.json"
    if has_file:
        file.write_bytes(b"old")
    link.symlink_to("elsewhere/file.json")
    ran = _run(str(link))
    assert ran.returncode == 0, ran
    assert link.is_symlink()
    assert b'"generator"' in file.read_bytes()


def test_a_socket_is_refused_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(target))
    ran = _run(str(target))
    assert ran.returncode == 74, ran
    assert len(ran.stderr.strip().split(b"\n")) == 1
    assert stat.S_ISSOCK(target.lstat().st_mode)
