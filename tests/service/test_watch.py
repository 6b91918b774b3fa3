"""Real inotify: what is heard, and what a watch that hears nothing any more looks like."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from anchord.service.lookout import Lookout, file_system
from anchord.service.survey import Survey
from anchord.service.watch import Watch, watched_folders
from anchord.settings import WatchSettings
from tests.service.running import wait_until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "avatars"
    (made / "there").mkdir(parents=True)
    return made


class Ears:
    """A watch and all that it reported."""

    def __init__(self, root: Path) -> None:
        self.queue: SimpleQueue[str] = SimpleQueue()
        self.overflows: list[None] = []
        self.watch = Watch(root, self.queue.put, lambda: self.overflows.append(None))

    def heard(self, pack: str) -> None:
        """Wait until this pack was reported."""
        while self.queue.get(timeout=20) != pack:
            pass


@pytest.fixture
def ears(root: Path) -> Iterator[Ears]:
    made = Ears(root)
    yield made
    made.watch.close()


def test_everything_that_changes_a_file_touches_its_pack(root: Path, ears: Ears, tmp_path: Path) -> None:
    pack = root / "there"
    outside = tmp_path / "outside"
    outside.write_text("x")
    changes: list[Callable[[], object]] = [
        lambda: (pack / "a").write_text("new"),
        lambda: (pack / "a").write_text("changed"),
        lambda: (pack / "a").rename(pack / "b"),
        lambda: outside.rename(pack / "b"),
        lambda: (pack / "b").rename(outside),
        lambda: (pack / "c").hardlink_to(outside),
        lambda: (pack / "c").unlink(),
        lambda: (pack / "deep").mkdir(),
    ]
    for change in changes:
        change()
        ears.heard("there")


def test_a_folder_made_and_filled_at_once_is_heard(root: Path, ears: Ears) -> None:
    for number in range(20):
        (root / f"new{number}").mkdir()
        (root / f"new{number}" / "idle.webm").write_text("x")
        ears.heard(f"new{number}")


def test_packs_moved_in_and_out_are_heard(root: Path, ears: Ears, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack").rename(root / "in")
    ears.heard("in")
    (root / "in" / "idle.webm").write_text("x")
    ears.heard("in")
    (root / "in").rename(tmp_path / "out")
    ears.heard("in")


def test_serving_files_is_not_heard(root: Path, ears: Ears) -> None:
    """A web server opens and closes files all day long."""
    file = root / "there" / "idle.webm"
    file.write_text("x")
    ears.heard("there")
    assert ears.watch.send_cookie()
    wait_until(lambda: not ears.watch.awaits_cookie)
    while not ears.queue.empty():
        ears.queue.get()
    for _ in range(100):
        file.read_text()
    assert ears.watch.send_cookie()
    wait_until(lambda: not ears.watch.awaits_cookie)
    assert ears.queue.empty()


def test_a_cookie_proves_that_events_flow_and_leaves_nothing(root: Path, ears: Ears) -> None:
    assert ears.watch.send_cookie()
    wait_until(lambda: not ears.watch.awaits_cookie)
    assert os.listdir(root) == ["there"]
    assert ears.queue.empty()


def test_a_watch_whose_root_went_away_gets_no_cookie_back(root: Path, ears: Ears) -> None:
    """All threads are alive, and nothing is heard: only the cookie can tell."""
    root.rename(root.with_name("renamed"))
    root.mkdir()
    assert ears.watch.send_cookie()
    (root / "new").mkdir()
    assert ears.watch.is_alive
    assert ears.watch.awaits_cookie


class Clocked:
    """A lookout with a clock that is moved by hand."""

    def __init__(self, root: Path, **settings: object) -> None:
        self.touched: SimpleQueue[str] = SimpleQueue()
        self.survey = Survey(root)
        self.lookout = Lookout(
            settings=WatchSettings(**settings),  # type: ignore[arg-type]
            report=self.touched.put,
            on_overflow=lambda: None,
        )
        self.lookout.watch(self.survey.root_key())


def test_a_silent_watch_is_rebuilt_and_after_three_times_done_without(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when watchdog's reader has died of a storm: all looks well, and nothing is heard."""
    monkeypatch.setattr(Watch, "_heard", lambda _watch, _name: True)
    lookout = Clocked(root, probe_s=10).lookout
    try:
        assert lookout.mode == "inotify"
        rebuilt = [lookout.tick(now_s) for now_s in range(0, 60, 10)]
        assert rebuilt == [False, True, False, True, False, True]
        assert lookout.mode == "poll"
        assert "silent" in lookout.polls_because
        assert lookout.interval_s == lookout.settings.poll_s
    finally:
        lookout.close()


def test_a_root_that_was_swapped_asks_for_a_look_at_the_next_probe(root: Path) -> None:
    lookout = Clocked(root, probe_s=10).lookout
    try:
        assert not lookout.tick(0.0)
        root.rename(root.with_name("renamed"))
        assert lookout.tick(10.0)
        root.mkdir()
        assert lookout.tick(20.0)
    finally:
        lookout.close()


def test_a_healthy_watch_is_proven_and_left_alone(root: Path) -> None:
    clocked = Clocked(root, probe_s=10)
    try:
        for now_s in (0.0, 10.0, 20.0):
            assert not clocked.lookout.tick(now_s)
            watch = clocked.lookout._watch
            assert watch is not None
            wait_until(lambda watch=watch: not watch.awaits_cookie)  # type: ignore[misc]
        assert clocked.lookout.rebuilds == 0
        assert clocked.lookout.detail == "events proven"
    finally:
        clocked.lookout.close()


def test_polling_can_be_asked_for(root: Path) -> None:
    clocked = Clocked(root, mode="poll", poll_s=3)
    assert clocked.lookout.mode == "poll"
    assert clocked.lookout.interval_s == 3


def test_too_few_watches_are_noticed_and_the_sysctl_is_named(root: Path) -> None:
    """watchdog itself says nothing when the limit is reached."""
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    if not os.access(limit, os.W_OK):
        pytest.fail(f"cannot be tested here: {limit} is not writable by this user")
    before = limit.read_text()
    for number in range(50):
        (root / f"pack{number}").mkdir()
    try:
        limit.write_text("20")
        clocked = Clocked(root)
        assert clocked.lookout.mode == "poll"
        assert "of 52 folders" in clocked.lookout.polls_because
        assert "sysctl fs.inotify.max_user_watches=65536" in clocked.lookout.polls_because
    finally:
        limit.write_text(before)
    assert watched_folders() == 0


def test_the_file_system_is_known() -> None:
    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(Path("/sys/kernel")) == "sysfs"


def test_a_survey_sees_what_is_new_changed_and_gone(root: Path) -> None:
    survey = Survey(root)
    assert survey.look().new == ["there"]
    assert survey.look() == survey.look()
    (root / "there" / "idle.webm").write_text("x")
    (root / "more").mkdir()
    found = survey.look()
    assert (found.new, found.changed, found.gone) == (["more"], ["there"], [])
    shutil.rmtree(root / "more")
    assert survey.look().gone == ["more"]


def test_a_link_as_root_is_followed_anew_each_time(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    survey = Survey(link)
    first = survey.root_key()
    assert first.path == str(root)
    (tmp_path / "other").mkdir()
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert survey.root_key() != first
