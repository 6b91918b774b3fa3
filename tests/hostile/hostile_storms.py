"""Who never stops: files, folders and disks that change all the time cost their own pack and no more."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anchord.atomic import TEMPORARY_PREFIX
from tests.films import read, small_film
from tests.hostile.files import OUTPUT, VIDEO
from tests.hostile.world import USUAL_S
from tests.service.running import Daemon, drop

#: What one of the writers does with the evil pack, for ever; each word is a Python statement's body.
STORMS = {
    "files come and go": "p = pack / name; p.write_bytes(b'x'); p.unlink()",
    "files are renamed": "a = pack / name; b = pack / (name + '2'); a.write_bytes(b''); a.rename(b)",
    "a neighbour grows": "open(pack / name, 'ab').write(b'x' * 4096); os.truncate(pack / name, 0)",
    "modes change": "os.chmod(pack / 'idle.webm', 0o600); os.chmod(pack / 'idle.webm', 0o644)",
    "the video is rewritten": "t = pack / name; shutil.copyfile(video, t); t.rename(pack / 'idle.webm')",
    "the manifest is rewritten": "(pack / 'manifest.json').write_text('{\"n\": %d}' % n)",
    "the timeline is deleted": "(pack / 'anchors_timeline.json').unlink(missing_ok=True)",
    "the pack comes and goes": "os.rename(pack, pack.parent / name); os.rename(pack.parent / name, pack)",
    "packs come and go": "p = pack.parent / name; p.mkdir(); (p / 'idle.webm').touch(); shutil.rmtree(p)",
}
#: Of those, where the evil pack's own feed stands still: it must be served beside its storm.
STILL = {"files come and go", "files are renamed", "a neighbour grows"}

_WRITER = """
import os, shutil, sys
from pathlib import Path
# As fast as they can, but on what the daemon leaves: what is asked is how it bears with events, not how a
# kernel shares two cores among six processes.
os.nice(15)
pack, video, name = Path(sys.argv[1]), sys.argv[2], "evil" + sys.argv[3]
print("begun", flush=True)
n = 0
while True:
    n += 1
    try:
        {body}
    except OSError:
        pass
"""

#: The resident memory of the daemon may grow by so much over a storm.
GROWTH_KIB = 16 << 10


@contextmanager
def storm(pack: Path, body: str, writers: int = 4) -> Iterator[None]:
    """Four processes that do *body* to *pack* as fast as they can."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER.format(body=body), pack, small_film(seed=5), str(number)],
            stdout=subprocess.PIPE,
        )
        for number in range(writers)
    ]
    try:
        for writer in running:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"begun\n"
        yield
    finally:
        for writer in running:
            writer.kill()
            writer.communicate()


def resident_kib(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.parametrize("name", STORMS)
def test_four_writers_at_full_speed_hold_nobody_back(root: Path, name: str) -> None:
    """The daemon itself is late by two seconds at most; the extraction shares its cores with the writers."""
    drop(root / "before" / VIDEO, small_film())
    drop(root / "evil" / VIDEO, small_film(seed=2))
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written", pack="before")
        daemon.wait_for("timeline_written", pack="evil")
        before_kib = resident_kib(daemon)
        with storm(root / "evil", STORMS[name]):
            for number in range(3):
                drop(root / f"good{number}" / VIDEO, small_film())
                daemon.wait_for("pack_settled", pack=f"good{number}", limit_s=0.3 + 2)
                daemon.wait_for("timeline_written", pack=f"good{number}", limit_s=2 * USUAL_S)
        assert resident_kib(daemon) < before_kib + GROWTH_KIB
        after = len(daemon.events)
        # A writer may have been killed in the middle of it.
        (root / "evil" / "manifest.json").unlink(missing_ok=True)
        drop(root / "evil" / VIDEO, small_film(seed=3))
        daemon.wait_for("timeline_written", after=after, pack="evil")
        assert daemon.count("defect_met") + daemon.count("turn_failed") == 0


@pytest.mark.parametrize("name", sorted(STILL))
def test_a_pack_whose_neighbour_files_never_rest_is_served(root: Path, name: str) -> None:
    (root / "evil").mkdir()
    with Daemon(root) as daemon, storm(root / "evil", STORMS[name]):
        drop(root / "evil" / VIDEO, small_film())
        daemon.wait_for("timeline_written", pack="evil")


def test_a_full_disk_is_tried_in_growing_pauses(root: Path) -> None:
    """However often its own temporary files come and go there."""
    drop(root / "a" / VIDEO, small_film())
    (root / "full").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(root / "full")], check=True)
    try:
        drop(root / "full" / VIDEO, small_film())
        with pytest.raises(OSError, match="No space"):
            (root / "full" / "fill").write_bytes(bytes(1 << 20))
        with Daemon(root, "poll_s = 0.3") as daemon:
            daemon.wait_for("timeline_written", pack="a")
            pauses_s: list[float] = []
            after = 0
            while len(pauses_s) < 2:
                failed = daemon.wait_for("pack_failed", after=after, pack="full")
                after = daemon.events.index(failed) + 1
                assert "No space left on device" in failed["error"]
                pauses_s.append(failed["retry_s"])
            assert pauses_s[1] == 2 * pauses_s[0]
            assert daemon.count("extraction_started", pack="full") == 2
            assert not list((root / "full").glob(f"{TEMPORARY_PREFIX}*"))
            (root / "full" / "fill").unlink()
            daemon.wait_for("timeline_written", pack="full")
    finally:
        subprocess.run(["umount", "--lazy", str(root / "full")], check=True)


def test_a_video_put_back_with_its_old_times_is_noticed(root: Path) -> None:
    """As rsync -a, cp -p and backups do: another content of the same size and modification time."""
    video = drop(root / "a" / VIDEO, small_film())
    with Daemon(root) as daemon:
        old = daemon.wait_for("timeline_written", pack="a")
        other = bytearray(video.read_bytes())
        other[-1] ^= 1  # in the last block's data
        subprocess.run(["cp", "-p", video, root / "kept"], check=True)
        video.write_bytes(other)
        subprocess.run(["touch", "-r", root / "kept", video], check=True)
        after = daemon.events.index(old) + 1
        daemon.wait_for("extraction_started", after=after, pack="a")


def test_a_pack_that_is_renamed_while_it_is_worked_on_is_done_under_its_new_name(root: Path) -> None:
    drop(root / "a" / VIDEO, small_film(fps=30, seconds=20))
    with Daemon(root) as daemon:
        daemon.wait_for("extraction_started", pack="a")
        (root / "a").rename(root / "b")
        daemon.wait_for("timeline_written", pack="b")
        assert not (root / "a").exists()
        daemon.wait_until_idle()
        assert daemon.count("timeline_written", pack="a") == 0
    assert read(root / "b" / OUTPUT)["source"]["frame_count"] == 600


def test_no_strangers_lock_keeps_the_daemon_out(root: Path) -> None:
    """As `flock --shared` takes one, which needs no more than the right to read."""
    drop(root / "a" / VIDEO, small_film())
    descriptor = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        with Daemon(root) as daemon:
            daemon.wait_for("daemon_started")
    finally:
        os.close(descriptor)
