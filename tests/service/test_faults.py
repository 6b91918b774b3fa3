"""What the surroundings do to a daemon, and that it forgets nothing over it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anchord.atomic import TEMPORARY_PREFIX, remove_leftovers
from tests.films import read, small_film
from tests.processes import is_running
from tests.service.running import Daemon, drop, wait_until

OUTPUT = "anchors_timeline.json"


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A tmpfs on *folder*; these tests are for root, as CI and the container are."""
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_every_change_is_found_even_if_every_event_is_lost(root: Path) -> None:
    """Polling is what is left then; the rescan is the same code with a longer interval."""
    with Daemon(root, 'mode = "poll"\npoll_s = 0.3') as daemon:
        daemon.wait_for("daemon_started", mode="poll")
        drop(root / "a" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="a")
        drop(root / "a" / "idle.webm", small_film(seed=2))
        daemon.wait_for("timeline_written", after=len(daemon.events), pack="a")
        (root / "a" / "anchord.toml").write_text("sample_rate = 1")
        daemon.wait_for("timeline_written", pack="a", samples=15)


def test_a_pack_behind_a_link_is_found_by_the_rescan(root: Path, tmp_path: Path) -> None:
    drop(tmp_path / "elsewhere" / "idle.webm", small_film())
    with Daemon(root, rescan_s=1) as daemon:
        daemon.wait_for("daemon_started")
        (root / "linked").symlink_to(tmp_path / "elsewhere")
        daemon.wait_for("timeline_written", pack="linked")


def test_a_root_that_is_deleted_and_made_again_is_watched_again(root: Path) -> None:
    with Daemon(root, "poll_s = 0.3") as daemon:
        drop(root / "a" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="a")
        shutil.rmtree(root)
        daemon.wait_for("root_lost")
        root.mkdir()
        daemon.wait_for("root_found", mode="inotify")
        drop(root / "b" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="b")


def test_a_root_that_is_mounted_over_and_unmounted_changes_nothing(root: Path) -> None:
    drop(root / "below" / "idle.webm", small_film())
    with Daemon(root, "poll_s = 1") as daemon:
        daemon.wait_for("timeline_written", pack="below")
        before = (root / "below" / OUTPUT).stat().st_mtime_ns
        with mounted(root):
            daemon.process.send_signal(signal.SIGHUP)  # looks at everything, the root too
            daemon.wait_for("watch_rebuilt")
            drop(root / "above" / "idle.webm", small_film())
            daemon.wait_for("timeline_written", pack="above")
        after = len(daemon.events)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for("watch_rebuilt", after=after)
        daemon.wait_for("pack_up_to_date", after=after, pack="below")
        assert (root / "below" / OUTPUT).stat().st_mtime_ns == before


def test_a_full_disk_keeps_the_old_timeline_and_is_tried_again(root: Path) -> None:
    with mounted(root, "-o", "size=1m"):
        drop(root / "a" / "idle.webm", small_film())
        with Daemon(root) as daemon:
            daemon.wait_for("timeline_written")
            before = (root / "a" / OUTPUT).read_bytes()
            fill = root / "fill"
            (root / "a" / "anchord.toml").write_text("sample_rate = 1")
            with pytest.raises(OSError, match="No space"):
                fill.write_bytes(bytes(2 << 20))
            failed = daemon.wait_for("pack_failed", pack="a")
            assert "No space left on device" in failed["error"]
            assert (root / "a" / OUTPUT).read_bytes() == before
            assert not list((root / "a").glob(f"{TEMPORARY_PREFIX}*"))
            fill.unlink()
            daemon.wait_for("timeline_written", pack="a", samples=15)


def test_a_slow_upload_with_pauses_is_never_taken_for_whole(root: Path) -> None:
    """As FTP does: the final name from the start, and pauses longer than settle_s."""
    whole = small_film().read_bytes()
    parts = [
        whole[start : start + len(whole) // 5 + 1] for start in range(0, len(whole), len(whole) // 5 + 1)
    ]
    (root / "a").mkdir()
    with Daemon(root) as daemon:
        for number, part in enumerate(parts):
            after = len(daemon.events)
            with (root / "a" / "idle.webm").open("ab") as stream:
                stream.write(part)
            if number < len(parts) - 1:
                daemon.wait_for("video_refused", after=after)
                assert not (root / "a" / OUTPUT).exists()
        daemon.wait_for("timeline_written")
    assert read(root / "a" / OUTPUT)["source"]["frame_count"] == 15


def test_a_video_that_changes_while_it_is_read_is_read_again(root: Path) -> None:
    drop(root / "a" / "idle.webm", small_film(fps=30, seconds=20))
    with Daemon(root) as daemon:
        daemon.wait_for("extraction_started")
        drop(root / "a" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", frames=15)
        assert daemon.count("timeline_written", frames=600) == 0


def test_a_pack_that_is_moved_away_while_it_is_worked_on_is_let_go(root: Path, tmp_path: Path) -> None:
    drop(root / "a" / "idle.webm", small_film(fps=30, seconds=20))
    with Daemon(root) as daemon:
        daemon.wait_for("extraction_started")
        (root / "a").rename(tmp_path / "away")
        daemon.wait_until_idle()
        drop(root / "b" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="b")
        assert os.listdir(tmp_path / "away") == ["idle.webm"]


def test_leftovers_of_a_killed_daemon_are_cleaned_up_at_the_start(root: Path) -> None:
    drop(root / "a" / "idle.webm", small_film())
    left = root / "a" / f"{TEMPORARY_PREFIX}0123"
    left.write_bytes(b"half a timeline")
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written")
    assert sorted(os.listdir(root / "a")) == [OUTPUT, "idle.webm"]


@pytest.mark.parametrize("call", ["write", "fchmod", "fsync", "renameat"])
def test_a_kill_at_any_call_of_the_write_path_leaves_the_old_file_or_the_new(
    tmp_path: Path, call: str
) -> None:
    """strace kills the process at the call itself; the next start cleans up what is left."""
    file = tmp_path / OUTPUT
    program = (
        "import sys; from pathlib import Path; from anchord.atomic import write_atomically;"
        "write_atomically(Path(sys.argv[1]), b'new' * 1000)"
    )
    file.write_bytes(b"old")
    strace = ["strace", "-qq", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when=1"]
    ended = subprocess.run(
        [*strace, sys.executable, "-c", program, str(file)], check=False, capture_output=True, timeout=60
    )
    assert ended.returncode != 0
    assert file.read_bytes() in (b"old", b"new" * 1000)
    remove_leftovers(str(tmp_path))
    assert os.listdir(tmp_path) == [OUTPUT]


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", ["fsync", "renameat", "fchmod", "write"])
def test_an_error_of_any_call_of_the_write_path_leaves_the_old_file(
    tmp_path: Path, call: str, error: str
) -> None:
    file = tmp_path / OUTPUT
    # Only the calls after the marker count: the interpreter's own start must not fail.
    program = (
        "import sys, os; from pathlib import Path; from anchord.atomic import write_atomically;"
        "from anchord.errors import OutputError\n"
        "try: write_atomically(Path(sys.argv[1]), b'new' * 1000)\n"
        "except OutputError: os._exit(7)\n"
        "os._exit(0)"
    )
    file.write_bytes(b"old")
    strace = ["strace", "-qq", "-f", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when=1"]
    ended = subprocess.run(
        [*strace, sys.executable, "-c", program, str(file)], check=False, capture_output=True, timeout=60
    )
    assert ended.returncode == 7, ended.stderr
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [OUTPUT]


def test_without_a_terminal_nothing_is_left_running(root: Path) -> None:
    """The worker is in a group of its own; it must not outlive the daemon."""
    drop(root / "a" / "idle.webm", small_film())
    with Daemon(root) as daemon:
        pid = daemon.wait_for("worker_started")["pid"]
        daemon.wait_for("timeline_written")
    wait_until(lambda: not is_running(pid))


def test_once_tries_again_what_the_machine_got_wrong_and_gives_up_in_time(root: Path) -> None:
    """A disk that is full, until a person makes room."""
    (root / "a").mkdir()
    with mounted(root / "a", "-o", "size=64k"):
        drop(root / "a" / "idle.webm", small_film())
        full = root / "a" / "full"
        with contextlib.suppress(OSError):
            full.write_bytes(bytes(64 << 10))
        with Daemon(root, "", "--once", "--retry-s", "0") as daemon:
            daemon.is_expected_to_end_well = False
            assert daemon.process.wait(60) == 1
        assert daemon.count("pack_failed") == 1
        with Daemon(root, "", "--once", "--retry-s", "30") as daemon:
            assert daemon.wait_for("pack_failed")["retry_s"] == 5
            full.unlink()
            daemon.wait_for("timeline_written", pack="a")
            assert daemon.process.wait(60) == 0
