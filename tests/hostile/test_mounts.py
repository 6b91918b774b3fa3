"""Packs on mounts that are dead, or that hang: found so at the start, or going so while they are watched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.films import small_film
from tests.hostile.files import OUTPUT, VIDEO
from tests.service.running import Daemon, drop, wait_until


class Mount:
    """A FUSE mount whose server can be stopped, let go on, and killed."""

    def __init__(self, source: Path, point: Path) -> None:
        self._server = subprocess.Popen(["bindfs", "-f", str(source), str(point)])
        self._point = point
        wait_until(lambda: os.path.ismount(point))

    def hang(self) -> None:
        self._server.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._server.send_signal(signal.SIGCONT)

    def die(self) -> None:
        self._server.kill()
        self._server.wait()

    def close(self) -> None:
        self.die()
        subprocess.run(["umount", "--lazy", str(self._point)], check=True)


@contextmanager
def mount(root: Path, pack: str) -> Iterator[Mount]:
    """A pack that lies elsewhere, mounted into the root."""
    source, point = root.parent / f"source-{pack}", root / pack
    drop(source / VIDEO, small_film(seed=3))
    point.mkdir()
    made = Mount(source, point)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("harm", ["hang", "die"])
def test_a_mount_that_hangs_or_is_dead_at_the_start_is_one_pack(root: Path, harm: str) -> None:
    drop(root / "a" / VIDEO, small_film())
    with mount(root, "evil") as evil:
        getattr(evil, harm)()
        with Daemon(root) as daemon:
            daemon.wait_for("timeline_written", pack="a")
            drop(root / "z" / VIDEO, small_film())
            daemon.wait_for("timeline_written", pack="z")
            _ends_well(daemon)


def test_a_link_to_a_mount_that_hangs_is_one_pack(root: Path) -> None:
    drop(root / "a" / VIDEO, small_film())
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    with mount(elsewhere, "evil") as evil:
        (root / "evil").symlink_to(elsewhere / "evil")
        evil.hang()
        with Daemon(root, rescan_s=1) as daemon:
            daemon.wait_for("timeline_written", pack="a")
            drop(root / "z" / VIDEO, small_film())
            daemon.wait_for("timeline_written", pack="z")
            evil.go_on()
            daemon.wait_for("timeline_written", pack="evil")


def test_a_mount_that_hangs_while_it_is_watched_heals_once_it_answers(root: Path) -> None:
    with mount(root, "evil") as evil, Daemon(root, "poll_s = 0.5") as daemon:
        daemon.wait_for("timeline_written", pack="evil")
        evil.hang()
        drop(root.parent / "source-evil" / VIDEO, small_film(seed=4))
        drop(root / "z" / VIDEO, small_film())
        daemon.wait_for("timeline_written", pack="z")
        after = len(daemon.events)
        evil.go_on()
        daemon.wait_for("timeline_written", after=after, pack="evil")


def test_a_mount_that_dies_while_it_is_watched_is_retried(root: Path) -> None:
    with mount(root, "evil") as evil, Daemon(root, "poll_s = 0.5") as daemon:
        daemon.wait_for("timeline_written", pack="evil")
        evil.die()
        daemon.wait_for("pack_failed", pack="evil")
        drop(root / "z" / VIDEO, small_film())
        daemon.wait_for("timeline_written", pack="z")
        _ends_well(daemon)


@pytest.mark.parametrize("harm", ["hang", "die"])
@pytest.mark.parametrize("command", ["status", "check"])
def test_a_command_says_a_line_of_it_and_ends(root: Path, harm: str, command: str) -> None:
    drop(root / "a" / VIDEO, small_film())
    with mount(root, "evil") as evil:
        getattr(evil, harm)()
        done = subprocess.run(
            [sys.executable, "-m", "anchord", command, "--root", str(root)],
            capture_output=True,
            timeout=60,
            check=False,
        )
    words = "does not answer" if harm == "hang" else "not connected"
    assert sum(words in line for line in done.stdout.decode().split("\n")) == 1, done


def test_a_folder_that_is_mounted_from_elsewhere_is_a_pack(root: Path) -> None:
    drop(root.parent / "elsewhere" / VIDEO, small_film())
    (root / "bound").mkdir()
    subprocess.run(["mount", "--bind", str(root.parent / "elsewhere"), str(root / "bound")], check=True)
    try:
        with Daemon(root) as daemon:
            daemon.wait_for("timeline_written", pack="bound")
    finally:
        subprocess.run(["umount", "--lazy", str(root / "bound")], check=True)
    assert (root.parent / "elsewhere" / OUTPUT).is_file()


def _ends_well(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(10) == 0
