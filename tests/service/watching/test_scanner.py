"""What a pack looks like, without reading a file."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from anchord.errors import AnchordError, MachineError
from anchord.service.watching import scanner
from anchord.service.watching.scanner import Known, Look, Names, Sweep, is_still, look_at
from tests.service.running import wait_until


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    made = tmp_path / "me"
    made.mkdir()
    (made / "idle.webm").write_bytes(b"video")
    return made


DEFAULT = Names()


def look(pack: Path, names: Names = DEFAULT, before: Look | None = None) -> Look:
    found = look_at(str(pack), names, before)
    assert found is not None
    return found


def test_what_feeds_a_timeline_matters_and_nothing_else_does(pack: Path) -> None:
    before = look(pack)
    (pack / "notes.txt").write_text("x")
    (pack / ".anchord-tmp-1").write_text("x")
    (pack / "anchors_timeline.json").write_text("{}")
    assert look(pack).matter == before.matter
    for change in (
        lambda: (pack / "idle.webm").write_bytes(b"other"),
        lambda: (pack / "anchord.toml").write_text("sample_rate = 1"),
        lambda: (pack / "manifest.json").write_text("{}"),
        lambda: (pack / "base_face.png").write_bytes(b"face"),
        lambda: pack.chmod(0o700),
        lambda: (pack / "idle.webm").chmod(0o600),
        lambda: (pack / "idle.webm").unlink(),
    ):
        before = look(pack)
        change()
        assert look(pack).matter != before.matter


def test_where_there_is_no_video_everything_that_comes_matters(pack: Path) -> None:
    """It may be the one that is meant."""
    (pack / "idle.webm").unlink()
    before = look(pack)
    (pack / "idle.mp4").write_bytes(b"video")
    assert look(pack).matter != before.matter
    stand_in = Names("idle.mp4", is_stand_in=True)
    before = look(pack, stand_in)
    (pack / "idle.webm").write_bytes(b"video")
    assert look(pack, stand_in).matter != before.matter


def test_an_earlier_look_changes_nothing_of_what_is_seen(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It saves calls; with the folder's time long past, all the same changes are seen."""
    monkeypatch.setattr(scanner, "_TICK_NS", -1)
    before = look(pack)
    assert look(pack, before=before) == before
    (pack / "manifest.json").write_text("{}")
    assert look(pack, before=before).feed[2] is not None
    before = look(pack)
    (pack / "manifest.json").write_text('{"id": "me"}')  # in place: the folder does not change
    assert look(pack, before=before).matter != before.matter


def test_a_link_beneath_the_folder_is_followed_and_one_out_of_it_is_not(pack: Path, tmp_path: Path) -> None:
    """As Kubernetes lays files: idle.webm -> ..data/idle.webm, ..data -> ..2026."""
    (pack / "..2026").mkdir()
    (pack / "idle.webm").rename(pack / "..2026" / "idle.webm")
    (pack / "..data").symlink_to("..2026")
    (pack / "idle.webm").symlink_to("..data/idle.webm")
    video = look(pack).feed[0]
    assert video is not None
    assert video.inode == (pack / "..2026" / "idle.webm").stat().st_ino
    secret = tmp_path / "secret"
    secret.write_text("x")
    (pack / "manifest.json").symlink_to(secret)
    outside = look(pack).feed[2]
    assert outside is not None
    assert outside.inode == (pack / "manifest.json").lstat().st_ino


def test_the_base_face_is_the_one_that_the_manifest_names(pack: Path) -> None:
    (pack / "base_face.png").write_bytes(b"face")
    (pack / "other.png").write_bytes(b"another")
    assert look(pack).feed[3] != look(pack, Names(base="other.png")).feed[3]
    assert look(pack, Names(base="")).feed[3] is None


def test_what_is_no_folder_or_gone_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("file", "gone", "circle"):
        assert look_at(str(tmp_path / name), Names()) is None


def test_the_machines_trouble_is_a_look_that_says_so(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def stat(path: str, **how: bool) -> os.stat_result:
        if str(path).endswith("idle.webm"):
            raise OSError(5, "Input/output error", path)
        return real(path, **how)

    monkeypatch.setattr(os, "stat", stat)
    found = look(pack)
    assert "idle.webm: cannot be looked at: Input/output error" in found.trouble
    monkeypatch.setattr(os, "stat", lambda path, **_: (_ for _ in ()).throw(OSError(116, "Stale", path)))
    with pytest.raises(MachineError, match="Stale"):
        look_at(str(pack), Names())


nothing: dict[str, Look] = {}


def never(_pack: str) -> bool:
    return False


def test_a_sweep_tells_of_what_is_not_as_it_was(pack: Path) -> None:
    seen = {"me": look(pack), "you": look(pack)}
    (pack / "idle.webm").chmod(0o600)
    after = look(pack)
    seen["you"] = after
    sweep = Sweep(
        packs=["me", "you"], is_still=never, look=lambda _: look(pack), seen=seen.get, is_whole=True
    )
    assert found_by(sweep) == {"me": after}


def test_a_pack_is_still_only_if_nothing_of_it_has_changed(pack: Path) -> None:
    (pack / "manifest.json").write_text("{}")
    (pack / "anchors_timeline.json").write_text("{}")
    (pack / "base_face.png").write_bytes(b"face")
    os.utime(pack, (1, 1))
    before = look(pack)

    def still(names: Names = Names()) -> bool:  # noqa: B008
        return is_still(str(pack), names, before, now_ns=time.time_ns())

    changes: list[Callable[[], object]] = [
        lambda: (pack / "manifest.json").write_text("{ }"),
        lambda: (pack / "base_face.png").write_bytes(b"another"),
        lambda: (pack / "idle.webm").chmod(0o600),
        lambda: os.utime(pack / "idle.webm"),
        lambda: (pack / "anchord.toml").write_text(""),
        lambda: (pack / "anchors_timeline.json").unlink(),
        lambda: pack.chmod(0o700),
        lambda: (pack / "manifest.json").unlink(),
    ]
    for change in changes:
        os.utime(pack, (1, 1))
        before = look(pack)
        assert still()
        assert not still(Names(video="other.webm"))
        change()
        assert not still()
    # Within a tick of its file system's clock a folder may change without a new time.
    assert not is_still(str(pack), Names(), look(pack), now_ns=look(pack).changed_ns + 1)


def found_by(sweep: Sweep) -> dict[str, Look | AnchordError | None]:
    found: dict[str, Look | AnchordError | None] = {}
    while not sweep.is_done:
        found |= dict(sweep.turn())
    return found


def test_a_sweep_looks_at_every_pack_and_a_bug_in_one_is_its_answer(pack: Path) -> None:
    def looked(name: str) -> Look | None:
        if name == "buggy":
            raise KeyError(name)
        return look_at(str(pack), Names())

    bugs: list[Exception] = []
    names = [f"p{i}" for i in range(500)] + ["buggy"]
    found = found_by(
        Sweep(
            packs=names, is_still=never, look=looked, seen=nothing.get, is_whole=True, on_defect=bugs.append
        )
    )
    assert found.keys() == set(names)
    assert isinstance(found["buggy"], AnchordError)
    assert len(bugs) == 1


def test_a_pack_that_hangs_does_not_keep_another_turn_from_the_rest(pack: Path) -> None:
    answer = threading.Event()

    def looked(name: str) -> Look | None:
        if name == "hung":
            answer.wait(20)
        return None

    sweep = Sweep(
        packs=["hung", "cats", "dogs"], is_still=never, look=looked, seen=nothing.get, is_whole=True
    )
    first: list[list[tuple[str, object]]] = []
    thread = threading.Thread(target=lambda: first.append([*sweep.turn()]))
    thread.start()
    wait_until(lambda: sweep.at == {"hung"})
    assert found_by(sweep) == {"cats": None, "dogs": None}
    answer.set()
    thread.join()
    assert first == [[("hung", None)]]


def test_what_is_known_is_forgotten_with_the_pack(pack: Path) -> None:
    known = Known()
    found = look(pack)
    known.seen["me"] = found
    known.name("me", Names("other.webm"))
    assert found.feed[0] is not None
    known.confirm("me", found.feed[0])
    known.forget("me")
    assert known.names("me") == Names()
    assert known.confirmed("me") is None
    assert "me" not in known.seen
