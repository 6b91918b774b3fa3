"""How far events can be trusted: proven, rebuilt, polled beside, done without."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchord.errors import RootError
from anchord.service.watching.events import Events
from anchord.service.watching.scanner import Names
from anchord.service.watching.watcher import Watcher, file_system, root_key
from anchord.settings import WatchSettings
from tests.service.running import wait_until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "avatars"
    (made / "there").mkdir(parents=True)
    return made


@pytest.fixture
def watchers() -> Iterator[list[Watcher]]:
    made: list[Watcher] = []
    yield made
    for watcher in made:
        watcher.close()


def watching(root: Path, watchers: list[Watcher], **settings: object) -> Watcher:
    watcher = Watcher(settings=WatchSettings(**settings), wake=lambda: None)  # type: ignore[arg-type]
    watchers.append(watcher)
    assert watcher.follow(root_key(root))
    return watcher


def proven(watcher: Watcher) -> None:
    wait_until(lambda: watcher.events is None or not watcher.events.awaits_cookie)


def test_a_healthy_watch_is_proven_and_left_alone(root: Path, watchers: list[Watcher]) -> None:
    watcher = watching(root, watchers)
    for _ in range(3):
        assert not watcher.probe()
        proven(watcher)
    assert watcher.rebuilds == 0
    assert watcher.mode == "inotify"
    assert watcher.detail == "events proven"


def test_a_silent_watch_is_rebuilt_and_after_three_times_done_without(
    root: Path, watchers: list[Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when watchdog's reader is stuck: all looks well, and nothing is heard."""
    monkeypatch.setattr(Events, "heard_in_root", lambda _events, _event: None)
    watcher = watching(root, watchers)
    assert [watcher.probe() for _ in range(6)] == [False, True, False, True, False, True]
    assert watcher.mode == "poll"
    assert "silent" in watcher.detail
    assert watcher.polls("there", 0)


def test_a_root_that_was_swapped_asks_for_a_look_at_the_next_probe(
    root: Path, watchers: list[Watcher]
) -> None:
    watcher = watching(root, watchers)
    assert not watcher.probe()
    root.rename(root.with_name("renamed"))
    assert watcher.probe()
    root.mkdir()
    assert watcher.probe()
    assert watcher.follow(root_key(root))
    assert watcher.rebuilds == 1


def test_polling_can_be_asked_for(root: Path, watchers: list[Watcher]) -> None:
    watcher = watching(root, watchers, mode="poll")
    assert watcher.mode == "poll"
    assert not watcher.probe()


def test_at_the_limit_of_watches_packs_are_polled_beside_and_the_sysctl_is_named(
    root: Path, watchers: list[Watcher]
) -> None:
    """That the kernel's limit is noted, test_events holds."""
    watcher = watching(root, watchers)
    assert watcher.events is not None
    watcher.events.refused.add("p0")
    assert watcher.look("there", f"{root}/there", Names(), None) is not None
    assert watcher.mode == "inotify+poll"
    assert "sysctl fs.inotify.max_user_watches=65536" in watcher.detail


def test_what_is_found_without_an_event_makes_its_file_system_distrusted(
    root: Path, watchers: list[Watcher]
) -> None:
    watcher = watching(root, watchers)
    look = watcher.look("there", f"{root}/there", Names(), None)
    assert look is not None
    assert not watcher.polls("there", look.folder.device)
    watcher.distrust(look.folder.device, "there")
    assert watcher.polls("there", look.folder.device)
    assert watcher.mode == "inotify+poll"
    assert "distrusted: a change in there came without one" in watcher.detail


def test_on_a_file_system_that_may_change_silently_packs_are_polled_beside(
    root: Path, watchers: list[Watcher]
) -> None:
    """An overlay: its lower layer can be changed behind it. bindfs and sshfs are the same to this code."""
    lower, upper, work = (root.parent / name for name in ("lower", "upper", "work"))
    for folder in (lower, upper, work):
        folder.mkdir()
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(root / "there")]
    subprocess.run(mount, check=True)
    try:
        watcher = watching(root, watchers)
        (root / "local").mkdir()
        there = watcher.look("there", f"{root}/there", Names(), None)
        local = watcher.look("local", f"{root}/local", Names(), None)
        assert there is not None
        assert local is not None
        assert watcher.polls("there", there.folder.device)
        assert not watcher.polls("local", local.folder.device)
        assert watcher.mode == "inotify+poll"
        assert "overlay may change without events" in watcher.detail
        watcher.close()
    finally:
        subprocess.run(["umount", str(root / "there")], check=True)


def test_a_root_in_a_circle_or_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    for name in ("circle", "gone"):
        with pytest.raises(RootError, match=name):
            root_key(tmp_path / name)


def test_a_link_as_root_is_followed_anew_each_time(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    first = root_key(link)
    assert first.path == str(root)
    (tmp_path / "other").mkdir()
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert root_key(link) != first


def test_the_file_system_is_known() -> None:
    assert file_system("/proc/self") == "proc"
    assert file_system("/sys/kernel") == "sysfs"
    assert file_system(os.fsdecode(b"/proc/\xff")) == "proc"
