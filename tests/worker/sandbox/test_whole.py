"""From a command to its worker: no network at all, and what happens on a kernel without seccomp."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from anchord.worker.sandbox import seccomp
from tests.worker.sandbox.test_layers import PRELUDE


def test_neither_parent_nor_worker_ever_makes_a_network_socket(video: Path, tmp_path: Path) -> None:
    """From start to end, in every process: whoever asks for one that is not a Unix socket dies of it."""
    socket_call = {"x86_64": 41, "aarch64": 198}[os.uname().machine]
    rules = (
        (0x20, 0, 0, 0),  # which call
        (0x15, 0, 3, socket_call),
        (0x20, 0, 0, 16),  # its first argument
        (0x15, 1, 0, int(socket.AF_UNIX)),
        (0x06, 0, 0, 0x80000000),
        (0x06, 0, 0, 0x7FFF0000),
    )
    made = tmp_path / "made.json"

    run = _under(rules, [sys.executable, "-m", "anchord", "extract", str(video), "-o", str(made)])

    assert run.returncode == 0, run.stderr
    assert made.exists()
    control = _under(rules, [sys.executable, "-c", "import socket; socket.socket()"])
    assert control.returncode == -signal.SIGSYS


@pytest.mark.parametrize(("mode", "status"), [("auto", 0), ("require", 78), ("off", 0)])
def test_a_kernel_without_seccomp_stops_only_who_requires_it(
    mode: str, status: int, video: Path, tmp_path: Path
) -> None:
    """A kernel that answers "no such call" stands in for it."""
    rules = (
        (0x20, 0, 0, 0),
        (0x15, 0, 1, seccomp._MACHINES[os.uname().machine].seccomp),
        (0x06, 0, 0, 0x00050000 | errno.ENOSYS),
        (0x06, 0, 0, 0x7FFF0000),
    )
    settings, made = tmp_path / "settings.toml", tmp_path / "made.json"
    settings.write_text(f'[worker]\nsandbox = "{mode}"\n')
    extract = [sys.executable, "-m", "anchord", "extract", str(video), "-o", str(made)]

    run = _under(rules, [*extract, "--config", str(settings)])

    assert run.returncode == status, run.stderr
    assert made.exists() == (status == 0)
    if mode == "require":
        assert "worker.sandbox = 'require', but seccomp is off: Function not implemented" in run.stderr


def _under(
    rules: tuple[tuple[int, int, int, int], ...], command: list[str]
) -> subprocess.CompletedProcess[str]:
    """Run a command and all that it starts under a filter."""
    program = b"".join(struct.pack("=HBBI", *rule) for rule in rules)
    code = f"""
code = {program!r}
prctl(38, 1)
number = {seccomp._MACHINES[os.uname().machine].seccomp}
system_call(number, 1, 0, ctypes.byref(seccomp._Program(len(code) // 8, code)))
os.execv(sys.argv[1], sys.argv[1:])"""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
