"""`anchord sprites` as a person types it: what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from anchord import png
from anchord.commands.sprites import visemes_in
from anchord.errors import SettingsError
from anchord.sprite_set import PICTURES
from tests.films import small_film
from tests.service.running import drop

FILES = {*PICTURES, "manifest.json"}


def sprites(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anchord", "sprites", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An avatars root with a pack whose sprites were made."""
    root = tmp_path_factory.mktemp("avatars")
    drop(root / "me" / "idle.webm", small_film())
    ended = sprites("--avatar-id", "me", "--root", root, "--preview", root / "sheet.png")
    assert ended.returncode == 0, ended.stderr
    assert f"8 files written to {root}/me" in ended.stdout
    assert "of 0 frames" not in ended.stdout
    assert "five more fish" in ended.stdout
    assert "anchord extract" in ended.stderr
    return root


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    """A pack of one's own, with its sprites."""
    return Path(shutil.copytree(made / "me", tmp_path / "me"))


def times(pack: Path) -> dict[str, int]:
    return {name: (pack / name).stat().st_mtime_ns for name in os.listdir(pack)}


def test_a_pack_has_all_that_the_page_reads_and_nothing_else(made: Path) -> None:
    assert set(os.listdir(made / "me")) == {*FILES, "idle.webm"}
    manifest = json.loads((made / "me" / "manifest.json").read_text())
    assert manifest["base"]["idleVideo"] == "idle.webm"
    assert manifest["mouth"]["visemes"] == ["REST", "AA", "EE", "OH", "OO", "FF", "TH"]
    assert set(manifest["mouth"]["light"]) == set(manifest["eyes"]["light"]) == {"r", "g", "b"}
    for name in PICTURES:
        content = (made / "me" / name).read_bytes()
        assert png.is_own(content)
        assert (made / "me" / name).stat().st_mode & 0o777 == 0o644
    assert (made / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_its_own_files_are_made_anew_without_asking(pack: Path) -> None:
    before = times(pack)
    ended = sprites(pack, "--visemes", "aa,oo")
    assert ended.returncode == 0, ended.stderr
    after = times(pack)
    assert all(after[name] > before[name] for name in FILES)
    assert json.loads((pack / "manifest.json").read_text())["mouth"]["visemes"] == ["REST", "AA", "OO"]


@pytest.mark.parametrize("name", ["mouth_sprites.png", "base_face.png", "manifest.json"])
def test_a_file_of_somebody_else_is_named_and_nothing_is_touched(pack: Path, name: str) -> None:
    """73 is sysexits' "cannot create"."""
    if name == "manifest.json":
        manifest = json.loads((pack / name).read_text())
        manifest["mouth"]["featherPx"] = 12
        (pack / name).write_text(json.dumps(manifest))
    else:
        (pack / name).write_bytes(b"a picture of mine")
    before = times(pack)
    ended = sprites(pack)
    assert ended.returncode == 73
    assert f"would replace {name}, which" in ended.stderr
    assert "--force" in ended.stderr
    assert times(pack) == before


def test_force_replaces_pictures_and_keeps_what_a_manifest_says_of_other_things(pack: Path) -> None:
    (pack / "manifest.json").write_text(json.dumps({"displayName": "Ada \x1b[2J", "mouth": {"mine": 1}}))
    (pack / "eyes_open.png").write_bytes(b"mine")
    ended = sprites(pack, "--force")
    assert ended.returncode == 0, ended.stderr
    manifest = json.loads((pack / "manifest.json").read_text())
    assert manifest["displayName"] == "Ada \x1b[2J"
    assert "mine" not in manifest["mouth"]
    assert png.is_own((pack / "eyes_open.png").read_bytes())


def test_a_link_or_a_folder_in_the_way_is_refused_even_with_force(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.png").write_bytes(b"mine")
    (pack / "eyes_half.png").unlink()
    (pack / "eyes_half.png").symlink_to(tmp_path / "elsewhere.png")
    ended = sprites(pack, "--force")
    assert ended.returncode == 65
    assert "eyes_half.png: is a link" in ended.stderr
    assert (tmp_path / "elsewhere.png").read_bytes() == b"mine"


def test_a_video_that_is_none_leaves_the_old_sprites(pack: Path) -> None:
    (pack / "idle.webm").write_bytes(b"no video")
    before = times(pack)
    ended = sprites(pack)
    assert ended.returncode == 65
    assert "neither a WebM nor an MP4" in ended.stderr
    assert times(pack) == before


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "either a PACK folder or an --avatar-id"),
        (("nowhere",), 66, "is no pack's folder"),
        (("--avatar-id", "nobody", "--root", "/nowhere"), 66, "no such pack"),
        (("--avatar-id", "../me"), 78, "plain name"),
        ((".", "--visemes", "AA,XX"), 78, "'XX' is none of REST"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], status: int, words: str) -> None:
    ended = sprites(*arguments)
    assert ended.returncode == status, ended.stderr
    assert words in ended.stderr


def test_a_speech_clip_that_is_not_there_is_named(pack: Path) -> None:
    ended = sprites(pack, "--from", pack / "speech.webm")
    assert ended.returncode == 66
    assert "speech.webm" in ended.stderr


def test_visemes_are_taken_in_any_order_and_case() -> None:
    assert visemes_in("oo, aa") == ("REST", "AA", "OO")
    assert len(visemes_in(None)) == 7
    with pytest.raises(SettingsError, match="'A'"):
        visemes_in("A")


def test_the_same_clip_gives_the_same_bytes(pack: Path) -> None:
    """So a second run changes nothing, and a page loads nothing anew."""
    before = {file.name: file.read_bytes() for file in pack.iterdir()}
    ended = sprites("--avatar-id", pack.name, "--base-path", pack.parent)
    assert ended.returncode == 0, ended.stderr
    assert {file.name: file.read_bytes() for file in pack.iterdir()} == before


def test_a_contact_sheet_without_a_folder_is_said_before_anything_is_written(pack: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in pack.iterdir()}
    ended = sprites(pack, "--preview", pack.parent / "no" / "sheet.png")
    assert ended.returncode == 74
    assert "there is no folder" in ended.stderr
    assert {file.name: file.stat().st_mtime_ns for file in pack.iterdir()} == before


def test_no_pack_and_no_clip_are_told_apart(tmp_path: Path) -> None:
    asked: dict[tuple[str | Path, ...], int] = {
        (): 2,
        (tmp_path, "--avatar-id", "me"): 2,
        (tmp_path,): 66,
        (tmp_path / "nowhere",): 66,
        ("--avatar-id", "bob", "--base-path", tmp_path): 66,
    }
    for arguments, status in asked.items():
        assert sprites(*arguments).returncode == status, arguments
    assert list(tmp_path.iterdir()) == []
