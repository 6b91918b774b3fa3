"""What a pack is, what may be opened in it, and when its timeline is stale."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from anchord import packs, timeline
from anchord.errors import NoInputError, RootError, SettingsError
from anchord.files import FileKey, Folder
from anchord.manifest import statics_in
from anchord.model import MODEL_SHA256
from anchord.packs import Stale, find_packs, pack_called
from anchord.settings import ExtractSettings, PackSettings
from tests.test_timeline import made


def test_every_folder_is_a_pack_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b", "a", ".git", "lost+found", "@eaDir", "#recycle", "..data"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert [pack.id for pack in find_packs(tmp_path)] == ["a", "b", "link"]


def test_a_root_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="cannot be read"):
        find_packs(tmp_path / "gone")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "../a", "a\0b"])
def test_an_avatar_id_is_a_plain_folder_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="plain name"):
        pack_called(tmp_path, name)


def test_an_unknown_avatar_id_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="no such pack"):
        pack_called(tmp_path, "nobody")


SETTINGS = PackSettings()


def key(folder: Path) -> FileKey:
    return FileKey.of((folder / "idle.webm").stat())


def staleness(folder: Path) -> Stale | None:
    with Folder(str(folder)) as opened:
        return packs.staleness(opened, SETTINGS, key(folder))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack whose timeline matches its video."""
    (tmp_path / "idle.webm").write_bytes(b"content")
    write(tmp_path, {})
    return tmp_path


def write(folder: Path, changes: dict[str, dict[str, object]]) -> None:
    base = made([])
    good = msgspec.structs.replace(
        base,
        source=msgspec.structs.replace(
            base.source, size=7, mtime_us=key(folder).mtime_us, sha256="abc", **changes.get("source", {})
        ),
        generator=msgspec.structs.replace(
            base.generator,
            method=timeline.METHOD,
            model_sha256=MODEL_SHA256,
            settings_sha256=ExtractSettings().sha256(),
        ),
    )
    good = msgspec.structs.replace(
        good, generator=msgspec.structs.replace(good.generator, **changes.get("generator", {}))
    )
    good = msgspec.structs.replace(
        good, quality=msgspec.structs.replace(good.quality, **changes.get("quality", {}))
    )
    file = folder / "anchors_timeline.json"
    file.write_bytes(timeline.encode(good))
    # Change times have the kernel's tick, and it must be a later one than the video's.
    while file.stat().st_ctime_ns <= key(folder).ctime_ns:
        file.chmod(0o644)


def test_a_timeline_that_matches_is_not_stale(pack: Path) -> None:
    assert staleness(pack) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"source": {"video": "other.webm"}}, "settings changed"),
        ({"generator": {"settings_sha256": "0"}}, "settings changed"),
        ({"generator": {"method": timeline.METHOD - 1}}, "method changed"),
        ({"generator": {"model_sha256": "0"}}, "method changed"),
    ],
)
def test_whatever_shaped_the_timeline_makes_it_stale(
    pack: Path, changes: dict[str, dict[str, object]], reason: str
) -> None:
    write(pack, changes)
    assert staleness(pack) == Stale(reason=reason)


def test_a_video_of_another_size_makes_it_stale_without_a_look_inside(pack: Path) -> None:
    (pack / "idle.webm").write_bytes(b"other content")
    assert staleness(pack) == Stale(reason="video changed")


def test_another_time_alone_is_for_the_digest_to_judge(pack: Path) -> None:
    os.utime(pack / "idle.webm", (1, 1))
    assert staleness(pack) == Stale(reason="video changed", unless_sha256="abc")


def test_a_video_touched_after_the_timeline_was_written_is_for_the_digest_to_judge(pack: Path) -> None:
    """Its time can be set back, as `touch -r` does; its change time can't."""
    before = key(pack)
    (pack / "new").write_bytes(b"CONTENT")
    os.utime(pack / "new", ns=(before.mtime_ns, before.mtime_ns))
    (pack / "new").rename(pack / "idle.webm")
    assert key(pack).mtime_ns == before.mtime_ns
    assert staleness(pack) == Stale(reason="video changed", unless_sha256="abc")
    with Folder(str(pack)) as folder:
        while staleness(pack) is not None:  # the kernel's tick
            packs.confirm(folder, "anchors_timeline.json")


GOOD = b'{"version":1,"source":{"video":"idle.webm"},"frames":[]}\n'


@pytest.mark.parametrize("content", [None, b"", b"{", GOOD, GOOD[:-2], b"[" * 100_000, b"\xff" * 1000])
def test_a_missing_or_foreign_timeline_is_stale(pack: Path, content: bytes | None) -> None:
    file = pack / "anchors_timeline.json"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert staleness(pack) is not None


def test_a_timeline_that_was_cut_is_stale_however_good_its_head_is(pack: Path) -> None:
    file = pack / "anchors_timeline.json"
    file.write_bytes(file.read_bytes()[:-4])
    assert staleness(pack) == Stale(reason="timeline unreadable")


def test_of_an_endless_timeline_only_head_and_tail_are_read(pack: Path) -> None:
    os.truncate(pack / "anchors_timeline.json", 1 << 40)
    assert staleness(pack) == Stale(reason="timeline unreadable")


def test_a_digest_reads_all_and_rewinds(pack: Path) -> None:
    with Folder(str(pack)) as folder, folder.open("idle.webm") as stream:
        stream.read(3)
        assert packs.digest(stream, "idle.webm") == hashlib.sha256(b"content").hexdigest()
        assert stream.read() == b"content"


STATICS = statics_in({part: {"anchor": {"x": 1, "y": 2, "w": 30, "h": 40}} for part in ("mouth", "eyes")})


@pytest.mark.parametrize(("source", "faces", "is_stale"), [
    ("pixels", 10, True), ("landmarks", 4, True), ("landmarks", 5, False),
])  # fmt: skip
def test_other_anchors_make_a_timeline_stale_only_where_they_were_or_could_be_used(
    pack: Path, source: str, faces: int, is_stale: bool
) -> None:
    write(pack, {"quality": {"source": source, "faces": faces, "samples": 10}})
    with Folder(str(pack)) as opened:
        found = packs.staleness(opened, msgspec.structs.replace(SETTINGS, statics=STATICS), key(pack))
    assert found == (Stale(reason="anchors changed") if is_stale else None)


def test_another_base_face_makes_a_timeline_stale(pack: Path) -> None:
    (pack / "base_face.png").write_bytes(b"picture")
    with Folder(str(pack)) as opened:
        settings = msgspec.structs.replace(SETTINGS, base="base_face.png")
        assert packs.staleness(opened, settings, key(pack)) == Stale(reason="base face changed")
        write(pack, {"generator": {"base_sha256": hashlib.sha256(b"picture").hexdigest()}})
        assert packs.staleness(opened, settings, key(pack)) is None
