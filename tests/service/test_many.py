"""Several daemons on one root, and a root of folders of packs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from anchord import packs
from anchord.shard import Shard
from tests.films import small_film
from tests.service.running import Daemon, drop, wait_until

OUTPUT = "anchors_timeline.json"
ANCHORD = (sys.executable, "-m", "anchord")
PACKS = [f"pack{number}" for number in range(8)]


def started(root: Path, shard: str) -> Daemon:
    daemon = Daemon(root, f"[worker]\nprocesses = 1\n# {shard}")
    daemon.settings = daemon.settings.with_name(f"{shard.replace('/', '-') or 'all'}.toml")
    written = (root.parent / f"{root.name}.toml").read_text()
    daemon.settings.write_text(f'shard = "{shard}"\n{written}')
    return daemon


def mine(shard: Shard) -> set[str]:
    return set(filter(shard.has, PACKS))


def test_two_daemons_share_a_root_and_moved_shards_redo_nothing(root: Path) -> None:
    halves = [Shard(1, 2), Shard(2, 2)]
    assert all(map(mine, halves))
    for pack in PACKS:
        drop(root / pack / "idle.webm", small_film())
    with started(root, "1/2") as first, started(root, "2/2") as second:
        for daemon, half in zip((first, second), halves, strict=True):
            for pack in mine(half):
                daemon.wait_for("timeline_written", pack=pack)
        refused = subprocess.run(
            [*ANCHORD, "run", "--once", "--root", str(root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (refused.returncode, "kept by another anchord" in refused.stderr) == (74, True)
        # What comes later goes to one of them alone, by events.
        later = next(name for name in map("later{}".format, range(99)) if halves[1].has(name))
        drop(root / later / "idle.webm", small_film())
        second.wait_for("timeline_written", pack=later)
        assert {event["pack"] for event in first.events if "pack" in event} == mine(halves[0])
        for daemon, half, number in ((first, halves[0], "1/2"), (second, halves[1], "2/2")):
            told = subprocess.run(
                [*ANCHORD, "status", "--root", str(root), "--config", str(daemon.settings)],
                capture_output=True,
                text=True,
                check=True,
                env=os.environ | {"RUNTIME_DIRECTORY": str(daemon.runtime)},
                timeout=60,
            ).stdout
            assert f"process {daemon.process.pid}" in told, number
            assert {line.split()[0] for line in told.splitlines()[1:]} - {later, "watch:"} == mine(half)
    with started(root, "1/3") as third, started(root, "2/3") as fourth, started(root, "3/3") as fifth:
        for daemon, third_of in zip((third, fourth, fifth), (Shard(n, 3) for n in (1, 2, 3)), strict=True):
            for pack in mine(third_of):
                daemon.wait_for("pack_up_to_date", pack=pack)
            assert daemon.count("extraction_started") == 0


def test_another_shard_is_taken_with_a_reload(root: Path) -> None:
    for pack in PACKS:
        drop(root / pack / "idle.webm", small_film())
    with started(root, "1/2") as daemon:
        for pack in mine(Shard(1, 2)):
            daemon.wait_for("timeline_written", pack=pack)
        daemon.settings.write_text(daemon.settings.read_text().replace('"1/2"', '"2/2"'))
        daemon.process.send_signal(signal.SIGHUP)
        for pack in mine(Shard(2, 2)):
            daemon.wait_for("timeline_written", pack=pack)
        with started(root, "1/2") as other:
            for pack in mine(Shard(1, 2)):
                other.wait_for("pack_up_to_date", pack=pack)


def test_packs_lie_in_folders_of_the_root_where_the_settings_say_so(root: Path) -> None:
    """Known by events alone: groups and packs come, move and go."""
    drop(root / "aa" / "one" / "idle.webm", small_film())
    daemon = Daemon(root)
    daemon.settings.write_text("depth = 2\n" + daemon.settings.read_text())
    with daemon:
        daemon.wait_for("timeline_written", pack="aa/one")
        drop(root / "aa" / "two" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="aa/two")
        drop(root / "bb" / "three" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="bb/three")
        drop(root / "bb" / "three" / "idle.webm", small_film(seed=2))
        daemon.wait_for("timeline_written", after=len(daemon.events), pack="bb/three", reason="video changed")
        (root / "bb").rename(root / "cc")
        after = len(daemon.events)
        daemon.wait_for("pack_up_to_date", after=after, pack="cc/three")
        drop(root / "cc" / "four" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="cc/four")
        shutil.rmtree(root / "aa")
        (root / "cc" / "three" / "idle.webm").write_bytes(b"no video")
        daemon.wait_for("video_refused", pack="cc/three")
        found = {event.get("pack") for event in daemon.events} - {None}
        assert found == {"aa/one", "aa/two", "bb/three", "cc/three", "cc/four"}
        wait_until(lambda: not (root / "aa").exists())
    assert set(packs.pack_ids(root, depth=2)) == {"cc/three", "cc/four"}
    ended = subprocess.run(
        [
            *ANCHORD,
            "extract",
            *("--avatar-id", "cc/four"),
            *("--base-path", root),
            *("--config", daemon.settings),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
