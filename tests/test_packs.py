"""What a pack is, what may be opened in it, and when its timeline is stale."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from anchord import packs, timeline
from anchord.errors import AnchordError, NoInputError, OutputError, RootError, SettingsError, VideoError
from anchord.model import MODEL_SHA256
from anchord.packs import FileKey, feed_key, find_packs, open_inside, pack_called, staleness
from anchord.settings import ExtractSettings, PackSettings
from tests.test_timeline import made


def test_every_folder_is_a_pack_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b", "a", ".git"):
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


def outcome(folder: Path, name: str) -> type[AnchordError] | bytes:
    try:
        with open_inside(folder, name) as stream:
            return stream.read()
    except AnchordError as error:
        return type(error)


def test_only_plain_files_inside_the_pack_are_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "video").write_bytes(b"video")
    (pack / "inner").symlink_to("video")
    (pack / "out").symlink_to(secret)
    (pack / "up").symlink_to("../secret")
    (pack / "folder").mkdir()
    os.mkfifo(pack / "pipe")
    (pack / "device").symlink_to("/dev/zero")
    (tmp_path / "linked").symlink_to(pack)
    assert outcome(pack, "video") == b"video"
    assert outcome(pack, "inner") == b"video"
    assert outcome(tmp_path / "linked", "video") == b"video"
    assert outcome(pack, "gone") is NoInputError
    for name in ("out", "up", "folder", "pipe", "device", "../secret", "", ".."):
        assert outcome(pack, name) is VideoError, name


def test_a_timeline_never_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    (tmp_path / "folder.json").mkdir()
    for name in ("link.json", "folder.json"):
        with pytest.raises(OutputError):
            packs.output_file(tmp_path, name)
    assert packs.output_file(tmp_path, "new.json") == tmp_path / "new.json"


SETTINGS = PackSettings()


def key(folder: Path) -> FileKey:
    found = feed_key(str(folder), "idle.webm")[0]
    assert found is not None
    return found


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
    (folder / "anchors_timeline.json").write_bytes(timeline.encode(good))


def test_a_timeline_that_matches_is_not_stale(pack: Path) -> None:
    assert staleness(pack, SETTINGS, key(pack)) is None


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
    stale = staleness(pack, SETTINGS, key(pack))
    assert stale is not None
    assert stale.reason == reason
    assert stale.unless_sha256 is None


def test_a_video_of_another_size_makes_it_stale_without_a_look_inside(pack: Path) -> None:
    (pack / "idle.webm").write_bytes(b"other content")
    stale = staleness(pack, SETTINGS, key(pack))
    assert stale is not None
    assert stale.unless_sha256 is None


def test_another_time_alone_is_for_the_digest_to_judge(pack: Path) -> None:
    os.utime(pack / "idle.webm", (1, 1))
    stale = staleness(pack, SETTINGS, key(pack))
    assert stale is not None
    assert stale.unless_sha256 == "abc"


@pytest.mark.parametrize(
    "content", [None, b"", b"{", b'{"version":1,"source":{"video":"idle.webm"},"frames":[]}']
)
def test_a_missing_or_foreign_timeline_is_stale(pack: Path, content: bytes | None) -> None:
    file = pack / "anchors_timeline.json"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert staleness(pack, SETTINGS, key(pack)) is not None
