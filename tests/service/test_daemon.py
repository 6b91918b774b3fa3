"""The whole of it: real files, real inotify, the real decoder and model, in processes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from anchord import timeline
from anchord.demo.film import breathing
from tests.films import at_half_size, looseness_px, read, small_film
from tests.processes import is_running
from tests.service.running import Daemon, drop, wait_until

OUTPUT = "anchors_timeline.json"


def test_a_dropped_video_gets_its_timeline(root: Path) -> None:
    with Daemon(root) as daemon:
        daemon.wait_for("daemon_started")
        drop(root / "me" / "idle.webm", small_film())
        written = daemon.wait_for("timeline_written", pack="me")
    document = read(root / "me" / OUTPUT)
    jsonschema.validate(document, timeline.schema())
    assert float(looseness_px(document, "eyes", at_half_size(breathing), scale=2.0).max()) < 3
    assert written["video"] == "idle.webm"
    assert (written["frames"], written["samples"], written["faces"], written["coverage"]) == (15, 6, 6, 1.0)
    assert written["longest_gap_ms"] == 0
    # Half a second of a slow motion may nearly close.
    assert set(written["warnings"]) <= {"almost_loop"}
    assert {"elapsed_s", "queued_s", "bytes", "face_height", "reason"} <= written.keys()
    assert sorted(os.listdir(root / "me")) == [OUTPUT, "idle.webm"]


def test_packs_that_are_there_at_the_start_are_worked_off_and_a_restart_redoes_nothing(root: Path) -> None:
    for pack in ("a", "b"):
        drop(root / pack / "idle.webm", small_film())
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written", pack="a")
        daemon.wait_for("timeline_written", pack="b")
    before = (root / "a" / OUTPUT).stat()
    bytes_before = (root / "a" / OUTPUT).read_bytes()
    with Daemon(root) as daemon:
        daemon.wait_for("pack_up_to_date", pack="a")
        daemon.wait_for("pack_up_to_date", pack="b")
        daemon.wait_until_idle()
        assert daemon.count("extraction_started") == 0
    after = (root / "a" / OUTPUT).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (root / "a" / OUTPUT).read_bytes() == bytes_before


def test_a_changed_video_gets_a_new_timeline_and_own_writes_never_make_work(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film())
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written")
        drop(root / "me" / "idle.webm", small_film(seed=2))
        daemon.wait_for("timeline_written", after=len(daemon.events), reason="video changed")
        daemon.wait_until_idle()
        assert daemon.count("extraction_started") == 2


def test_a_touched_video_with_the_same_content_costs_no_extraction(root: Path) -> None:
    video = drop(root / "me" / "idle.webm", small_film())
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written")
        before = (root / "me" / OUTPUT).read_bytes()
        os.utime(video, (1, 1))
        daemon.wait_for("pack_up_to_date", after=len(daemon.events))
        daemon.wait_until_idle()
        assert daemon.count("timeline_written") == 1
    assert (root / "me" / OUTPUT).read_bytes() == before


def test_a_burst_of_changes_is_one_extraction(root: Path) -> None:
    films = [small_film(seed=seed) for seed in (1, 2, 1, 2, 3)]
    with Daemon(root) as daemon:
        daemon.wait_for("daemon_started")
        for film in films:
            drop(root / "me" / "idle.webm", film)
            (root / "me" / "manifest.json").write_text("{}")
        daemon.wait_for("timeline_written")
        daemon.wait_until_idle()
        assert daemon.count("extraction_started") == 1


def test_the_packs_own_settings_and_manifest_make_it_stale(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film())
    drop(root / "me" / "loop.webm", small_film(seed=2))
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written", samples=6)
        (root / "me" / "anchord.toml").write_text("sample_rate = 1\n")
        daemon.wait_for("timeline_written", samples=15, reason="settings changed")
        (root / "me" / "manifest.json").write_text('{"base": {"idleVideo": "loop.webm"}}')
        daemon.wait_for("timeline_written", video="loop.webm", samples=15)
        drop(root / "me" / "loop.webm", small_film(seed=3))
        daemon.wait_for("timeline_written", after=len(daemon.events), video="loop.webm")


def test_a_bad_pack_file_parks_that_pack_and_harms_no_other(root: Path) -> None:
    with Daemon(root) as daemon:
        daemon.wait_for("daemon_started")
        drop(root / "bad" / "idle.webm", small_film())
        (root / "bad" / "anchord.toml").write_text("sample_rat = 1\n")
        drop(root / "good" / "idle.webm", small_film())
        parked = daemon.wait_for("pack_parked", pack="bad")
        assert "did you mean 'sample_rate'?" in parked["error"]
        daemon.wait_for("timeline_written", pack="good")
        assert not (root / "bad" / OUTPUT).exists()
        (root / "bad" / "anchord.toml").write_text("sample_rate = 1\n")
        daemon.wait_for("timeline_written", pack="bad", samples=15)
        assert daemon.count("pack_parked") == 1


REFUSED = {
    "empty": b"",
    "text": b"this is a text\n" * 100,
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    "concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "random": bytes(range(256)) * 40,
}


def test_what_is_no_video_is_refused_once_and_the_old_timeline_stays(root: Path) -> None:
    with Daemon(root) as daemon:
        for pack in REFUSED:
            drop(root / pack / "idle.webm", small_film())
        for pack in REFUSED:
            daemon.wait_for("timeline_written", pack=pack)
        before = {pack: (root / pack / OUTPUT).read_bytes() for pack in REFUSED}
        for pack, content in REFUSED.items():
            (root / pack / "idle.webm").write_bytes(content)
        for pack in REFUSED:
            refused = daemon.wait_for("video_refused", pack=pack)
            assert "idle.webm" in refused["error"]
        os.utime(root / "text" / "anchors_timeline.json")  # an event, but nothing that matters changed
        daemon.wait_until_idle()
        assert daemon.count("video_refused") == len(REFUSED)
        assert {pack: (root / pack / OUTPUT).read_bytes() for pack in REFUSED} == before
        drop(root / "text" / "idle.webm", small_film(seed=2))
        daemon.wait_for("timeline_written", after=len(daemon.events), pack="text")


def test_a_video_cut_in_the_middle_is_taken_up_again_when_it_has_grown(root: Path) -> None:
    whole = small_film().read_bytes()
    video = root / "me" / "idle.webm"
    video.parent.mkdir()
    with Daemon(root) as daemon:
        daemon.wait_for("daemon_started")
        video.write_bytes(whole[: len(whole) // 2])
        refused = daemon.wait_for("video_refused")
        assert "in the middle" in refused["error"]
        assert not (video.parent / OUTPUT).exists()
        with video.open("ab") as stream:
            stream.write(whole[len(whole) // 2 :])
        daemon.wait_for("timeline_written")


def test_nothing_outside_the_pack_is_read_or_written(root: Path, tmp_path: Path) -> None:
    secret = drop(tmp_path / "secret.webm", small_film())
    victim = tmp_path / "victim.json"
    victim.write_text("precious")
    for pack in ("in", "out"):
        (root / pack).mkdir()
    (root / "in" / "idle.webm").symlink_to(secret)
    drop(root / "out" / "idle.webm", small_film())
    (root / "out" / OUTPUT).symlink_to(victim)
    with Daemon(root) as daemon:
        assert "leads out of the pack" in daemon.wait_for("video_refused", pack="in")["error"]
        assert "is a link" in daemon.wait_for("pack_parked", pack="out")["error"]
    assert victim.read_text() == "precious"
    assert not (root / "in" / OUTPUT).exists()


def test_a_video_over_a_limit_is_refused_with_both_numbers(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film())
    with Daemon(root, "[limits]\nmax_frames = 10") as daemon:
        refused = daemon.wait_for("video_refused")
    assert "11 frames" in refused["error"]
    assert "max_frames = 10" in refused["error"]


def test_faces_that_are_missing_are_one_warning_with_advice(root: Path, tmp_path: Path) -> None:
    import numpy as np

    from anchord.demo.film import encode

    blank = ((100.0 * index, np.full((160, 128, 3), 90, np.uint8)) for index in range(9))
    drop(root / "me" / "idle.webm", encode(tmp_path / "blank.webm", blank))
    with Daemon(root) as daemon:
        written = daemon.wait_for("timeline_written")
        warned = daemon.wait_for("video_warned", code="no_face")
        daemon.wait_until_idle()
        assert daemon.count("video_warned") == 1
    assert (written["coverage"], written["warnings"]) == (0, ["no_face"])
    assert "4 of 4 samples" in warned["advice"]
    assert read(root / "me" / OUTPUT)["frames"] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_also_in_the_middle_of_an_extraction(root: Path, number: int) -> None:
    drop(root / "me" / "idle.webm", small_film(fps=30, seconds=20))
    with Daemon(root, "[worker]\ngrace_s = 0") as daemon:
        daemon.wait_for("extraction_started")
        daemon.process.send_signal(number)
        stopped = daemon.wait_for("daemon_stopped")
        assert daemon.process.wait(10) == 0
    assert stopped["signal"] == signal.Signals(number).name
    assert os.listdir(root / "me") == ["idle.webm"]


def test_a_running_job_gets_its_grace(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film())
    with Daemon(root, "[worker]\ngrace_s = 60") as daemon:
        daemon.wait_for("extraction_started")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_for("daemon_stopped", written=1)


def test_what_is_in_a_timelines_way_is_named_and_waited_for(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film())
    (root / "me" / OUTPUT).mkdir()
    with Daemon(root) as daemon:
        assert "is a folder; remove it" in daemon.wait_for("pack_parked")["error"]
        (root / "me" / OUTPUT).rmdir()
        daemon.wait_for("timeline_written")


def anchord(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anchord", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_once_works_everything_off_and_says_whether_all_went_well(root: Path) -> None:
    drop(root / "a" / "idle.webm", small_film())
    drop(root / "b" / "idle.webm", small_film(seed=2))
    (root / "empty").mkdir()
    assert anchord("run", "--root", root, "--once").returncode == 0
    assert (root / "a" / OUTPUT).exists()
    assert (root / "b" / OUTPUT).exists()
    (root / "b" / "idle.webm").write_bytes(b"no video")
    ended = anchord("run", "--root", root, "--once")
    assert ended.returncode == 1
    assert "video_refused" in ended.stderr


def test_a_second_daemon_on_the_same_root_refuses_and_names_the_first(root: Path) -> None:
    with Daemon(root) as daemon:
        daemon.wait_for("daemon_started")
        second = anchord("run", "--root", root)
        assert second.returncode == 74
        assert str(daemon.process.pid) in second.stderr
    assert anchord("run", "--root", root, "--once").returncode == 0


def test_bad_settings_end_it_with_their_own_status(root: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[watch]\nsettle = 1\n")
    ended = anchord("run", "--config", bad, "--root", root)
    assert ended.returncode == 78
    assert "did you mean 'settle_s'?" in ended.stderr


def test_hangup_reads_the_settings_again(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film())
    with Daemon(root) as daemon:
        daemon.wait_for("timeline_written", samples=6)
        good = daemon.settings.read_text()
        daemon.settings.write_text(good + "[extract]\nsample_rat = 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        assert "did you mean" in daemon.wait_for("settings_refused")["error"]
        daemon.settings.write_text(good + "[extract]\nsample_rate = 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for("settings_reloaded")
        daemon.wait_for("timeline_written", samples=15)


def test_a_killed_worker_costs_its_job_only(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film(fps=30, seconds=20))
    with Daemon(root) as daemon:
        pid = daemon.wait_for("worker_started")["pid"]
        daemon.wait_for("extraction_started")
        os.kill(pid, signal.SIGSEGV)
        lost = daemon.wait_for("worker_lost")
        assert "SIGSEGV" in lost["error"]
        assert daemon.wait_for("pack_failed")["retry_s"] == 5
        drop(root / "you" / "idle.webm", small_film())
        daemon.wait_for("timeline_written", pack="you")


def test_a_worker_lost_twice_over_the_same_video_parks_it(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film(fps=30, seconds=20))
    # Some 5 s of work, on a fast machine too.
    slow = "[worker]\ntimeout_s = 1\nthreads = 1\n[extract]\nsample_rate = 1\n"
    with Daemon(root, slow) as daemon:
        assert "timeout_s = 1" in daemon.wait_for("worker_lost")["error"]
        daemon.wait_for("pack_failed")
        refused = daemon.wait_for("video_refused")
        assert "2 times" in refused["error"]
        drop(root / "me" / "idle.webm", small_film())
        daemon.wait_for("timeline_written")


def test_the_worker_ends_with_the_daemon_however_that_ends(root: Path) -> None:
    drop(root / "me" / "idle.webm", small_film(fps=30, seconds=20))
    with Daemon(root) as daemon:
        daemon.is_expected_to_end_well = False
        pid = daemon.wait_for("worker_started")["pid"]
        daemon.wait_for("extraction_started")
        daemon.process.kill()
        wait_until(lambda: not is_running(pid))


def test_a_missing_model_is_named(tmp_path: Path, root: Path) -> None:
    """The package is copied and its model altered: nothing of the real one is touched."""
    copy = tmp_path / "copy"
    shutil.copytree(Path(__file__).parents[2] / "anchord", copy / "anchord")
    model = copy / "anchord/tracking/models/face_landmarker.task"
    drop(root / "me" / "idle.webm", small_film())
    for harm in (lambda: model.write_bytes(b"altered"), model.unlink):
        harm()
        for arguments in (
            ["run", "--root", root, "--once"],
            ["check", "--root", root],
            ["extract", small_film()],
        ):
            ended = subprocess.run(
                [sys.executable, "-m", "anchord", *map(str, arguments)],
                capture_output=True,
                text=True,
                check=False,
                cwd=copy,
                env=os.environ | {"PYTHONPATH": str(copy)},
                timeout=60,
            )
            assert ended.returncode == 69, ended.stderr
            assert "face_landmarker.task" in ended.stderr
            assert "64184e229b263107" in ended.stderr
