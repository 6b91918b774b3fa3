"""A log that is full, closed or not read costs its lines and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.films import small_film
from tests.hostile.files import OUTPUT, VIDEO
from tests.service.running import SETTINGS, drop, wait_until


@contextmanager
def full_disk(folder: Path) -> Iterator[int]:
    """A file on a tmpfs of 64 KiB, all of which is taken."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True)
    try:
        with (folder / "log").open("ab", buffering=0) as log:
            try:
                while True:
                    log.write(bytes(4096))
            except OSError:
                yield log.fileno()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full_device(folder: Path) -> Iterator[int]:
    with open("/dev/full", "wb", buffering=0) as log:  # noqa: PTH123  opened for writing, never replaced
        yield log.fileno()


@contextmanager
def pipe_without_reader(folder: Path) -> Iterator[int]:
    reads, writes = os.pipe()
    os.close(reads)
    yield writes
    os.close(writes)


@contextmanager
def pipe_that_nobody_reads(folder: Path) -> Iterator[int]:
    """And that is full from the start."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    try:
        while True:
            os.write(writes, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writes, True)
    yield writes
    os.close(writes)
    os.close(reads)


@pytest.mark.parametrize("sink", [full_disk, full_device, pipe_without_reader, pipe_that_nobody_reads])
def test_the_work_goes_on_and_ends_in_time(
    root: Path, tmp_path: Path, sink: Callable[[Path], AbstractContextManager[int]]
) -> None:
    settings = tmp_path / "anchord.toml"
    settings.write_text(SETTINGS.format(rescan_s=3600, more=""))
    drop(root / "a" / VIDEO, small_film())
    with sink(tmp_path / "disk") as log:
        daemon = subprocess.Popen(
            [*(sys.executable, "-m", "anchord", "run", "-v"), *("--config", settings, "--root", root)],
            stderr=log,
            env=os.environ | {"RUNTIME_DIRECTORY": str(tmp_path / "runtime")},
        )
        try:
            wait_until((root / "a" / OUTPUT).exists)
            drop(root / "b" / VIDEO, small_film())
            wait_until((root / "b" / OUTPUT).exists)
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(10) == 0
        finally:
            daemon.kill()


def test_lost_lines_are_counted_once_there_is_room_again(root: Path, tmp_path: Path) -> None:
    settings = tmp_path / "anchord.toml"
    settings.write_text(SETTINGS.format(rescan_s=3600, more=""))
    drop(root / "a" / VIDEO, small_film())
    with full_disk(tmp_path / "disk") as log:
        file = tmp_path / "disk" / "log"
        daemon = subprocess.Popen(
            [*(sys.executable, "-m", "anchord", "run", "-v"), *("--config", settings, "--root", root)],
            stderr=log,
            env=os.environ | {"RUNTIME_DIRECTORY": str(tmp_path / "runtime")},
        )
        try:
            wait_until((root / "a" / OUTPUT).exists)
            os.truncate(file, 0)

            def is_told() -> bool:
                (root / "b").mkdir(exist_ok=True)
                (root / "b" / "anchord.toml").write_text("")  # makes lines
                return b"log_lines_lost" in file.read_bytes()

            wait_until(is_told)
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(10) == 0
        finally:
            daemon.kill()
