"""Real inotify: what is heard, and what a watch that hears nothing any more looks like."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anchord.errors import MachineError
from anchord.service.watching.events import ROOT, STORM_S, Events
from tests.service.running import wait_until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "avatars"
    (made / "there").mkdir(parents=True)
    return made


class Ears:
    """Events of a root, and which packs they told of."""

    def __init__(self, root: Path) -> None:
        self.woken = threading.Event()
        self.events = Events(str(root), self.woken.set)

    def heard(self) -> set[str]:
        """What was told of since it was last asked, once there is something."""
        assert self.woken.wait(20)
        self.woken.clear()
        taken, _ = self.events.take(10_000)
        return set(taken)

    def hear(self, pack: str) -> None:
        """Wait until this pack was told of."""
        wait_until(lambda: pack in self.events.take(10_000)[0])

    def settle(self) -> set[str]:
        """Wait until all that happened so far was heard, and give it."""
        assert self.events.send_cookie()
        wait_until(lambda: not self.events.awaits_cookie)
        return set(self.events.take(10_000)[0])


@pytest.fixture
def ears(root: Path) -> Iterator[Ears]:
    made = Ears(root)
    made.events.watch("there")
    yield made
    made.events.close()


def test_everything_that_changes_a_file_touches_its_pack(root: Path, ears: Ears, tmp_path: Path) -> None:
    pack = root / "there"
    outside = tmp_path / "outside"
    outside.write_text("x")
    changes: list[Callable[[], object]] = [
        lambda: (pack / "a").write_text("new"),
        lambda: (pack / "a").write_text("changed"),
        lambda: (pack / "a").chmod(0o600),
        lambda: (pack / "a").rename(pack / "b"),
        lambda: outside.rename(pack / "b"),
        lambda: (pack / "b").rename(outside),
        lambda: (pack / "c").hardlink_to(outside),
        lambda: (pack / "c").unlink(),
        lambda: (pack / "deep").mkdir(),
        lambda: pack.chmod(0o700),
    ]
    for change in changes:
        change()
        ears.hear("there")


def test_our_own_files_are_not_heard(root: Path, ears: Ears) -> None:
    (root / "there" / ".anchord-tmp-0123456789ab").write_text("x")
    (root / "there" / ".anchord-tmp-0123456789ab").unlink()
    assert ears.settle() == set()


def test_what_lies_below_a_packs_folder_is_not_watched(root: Path, ears: Ears) -> None:
    """A pack of thousands of nested folders costs what any other does."""
    deep = root / "there" / "a" / "b"
    deep.mkdir(parents=True)
    ears.settle()
    (deep / "file").write_text("x")
    assert ears.settle() == set()
    assert ears.events.watched == 2


def test_a_thousand_events_are_one_name(root: Path, ears: Ears) -> None:
    for i in range(300):
        (root / "there" / f"{i}").write_text("x")
    assert ears.settle() == {"there"}


def test_a_folder_made_and_filled_at_once_is_heard(root: Path, ears: Ears) -> None:
    for number in range(20):
        (root / f"new{number}").mkdir()
        (root / f"new{number}" / "idle.webm").write_text("x")
        ears.hear(f"new{number}")


def test_another_folder_of_the_same_name_is_watched_anew(root: Path, ears: Ears, tmp_path: Path) -> None:
    """inotify goes on telling of the old one, under its old name."""
    (root / "there").rename(tmp_path / "away")
    (root / "there").mkdir()
    ears.settle()
    assert not ears.events.is_watched("there")
    ears.events.watch("there")
    (tmp_path / "away" / "file").write_text("x")
    assert ears.settle() == set()
    (root / "there" / "file").write_text("x")
    assert ears.settle() == {"there"}


def test_a_deleted_pack_is_heard_and_no_longer_watched(root: Path, ears: Ears) -> None:
    (root / "there").rmdir()
    assert ears.settle() == {"there"}
    assert not ears.events.is_watched("there")


def test_serving_files_is_not_heard(root: Path, ears: Ears) -> None:
    """A web server opens and closes files all day long."""
    file = root / "there" / "idle.webm"
    file.write_text("x")
    ears.settle()
    for _ in range(100):
        file.read_text()
    assert ears.settle() == set()


def test_a_cookie_proves_that_events_flow_and_leaves_nothing(root: Path, ears: Ears) -> None:
    assert ears.settle() == set()
    assert os.listdir(root) == ["there"]


def test_a_watch_whose_root_went_away_gets_no_cookie_back(root: Path, ears: Ears) -> None:
    """All threads are alive, and nothing is heard: only the cookie can tell."""
    root.rename(root.with_name("renamed"))
    root.mkdir()
    assert ears.events.send_cookie()
    (root / "new").mkdir()
    assert ears.events.is_alive
    assert ears.events.awaits_cookie
    wait_until(lambda: ears.events.take(1)[1])  # that the root moved was heard: all packs need a look


def test_a_storm_in_a_pack_is_not_listened_to_for_a_while(root: Path, ears: Ears) -> None:
    file = root / "there" / "file"
    for _ in range(2000):
        file.write_text("x")
        file.unlink()
    wait_until(lambda: ears.events.muted == 1)
    assert not ears.events.is_watched("there")
    ears.settle()
    file.write_text("x")
    assert ears.settle() == set()  # not heard: a look after the storm finds it
    assert ears.events.pop_calm(0.0) == []
    assert ears.events.pop_calm(1e12) == ["there"]
    ears.events.watch("there")
    file.write_text("y")
    assert ears.settle() == {"there"}


def test_lost_events_mean_that_all_packs_may_have_changed(root: Path, ears: Ears) -> None:
    ears.events.overflowed()
    ears.events.overflowed()
    assert ears.woken.is_set()
    assert ears.events.take(10) == ([], True)
    assert ears.events.take(10) == ([], False)
    assert ears.events.overflows == 1


def test_a_bounded_number_is_taken_at_a_time(root: Path, ears: Ears) -> None:
    for i in range(5):
        ears.events.heard(f"p{i}")
    assert ears.events.take(3) == (["p0", "p1", "p2"], False)
    assert ears.events.has_more
    assert ears.events.take(3) == (["p3", "p4"], False)


def test_a_folder_that_cannot_be_read_is_not_the_limit_of_watches(
    root: Path, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    """watchdog makes of EACCES a watch that is none, in silence. Root may read all, so it is acted."""
    monkeypatch.setattr(ears.events._reader, "add_callback", lambda *_: -1)
    monkeypatch.setattr(ears.events._reader, "remove_callbacks", lambda _: None)
    (root / "closed").mkdir()
    with pytest.raises(MachineError, match="may not be read"):
        ears.events.watch("closed")
    assert not ears.events.is_watched("closed")
    assert not ears.events.refused


def test_too_few_watches_are_noted(root: Path) -> None:
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    before = limit.read_text()
    for number in range(50):
        (root / f"pack{number}").mkdir()
    ears = Ears(root)
    try:
        limit.write_text("20")
        for number in range(50):
            ears.events.watch(f"pack{number}")
        assert ears.events.refused
        assert ears.events.watched + len(ears.events.refused) == 51
        assert ears.events.is_watched(ROOT)
    finally:
        limit.write_text(before)
        ears.events.close()


def test_a_pack_that_never_stops_storming_is_listened_to_ever_less_often(
    root: Path, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    pauses_s = []
    for _ in range(7):
        pauses_s.append(ears.events._pause_s("there"))
        assert ears.events._pause_s(ROOT) == STORM_S
        now_s += pauses_s[-1] + 0.1
    assert pauses_s == [0.5, 1, 2, 4, 8, 8, 8]
    now_s += 10
    assert ears.events._pause_s("there") == STORM_S
