"""TOML in, frozen settings out; every mistake named with file, key, value and what to do."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomli

from anchord.errors import SettingsError
from anchord.files import Folder
from anchord.settings import (
    ExtractSettings,
    PackSettings,
    Settings,
    pack_settings,
    read_settings,
)

REPOSITORY = Path(__file__).parents[1]


def written(folder: Path, text: str, name: str = "anchord.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text)
    return file


def for_pack(
    settings: Settings, pack: str, folder: Path, flags: dict[str, Any] | None = None
) -> PackSettings:
    with Folder(str(folder)) as opened:
        return pack_settings(settings, pack, opened, flags)


def test_the_documented_defaults_are_the_defaults() -> None:
    """anchord.toml at the top of the repository names every key with the value it has anyway."""
    file = REPOSITORY / "anchord.toml"
    assert msgspec.structs.replace(read_settings(file), origins={}) == Settings()
    documented = tomli.loads(file.read_text())
    plain = msgspec.json.decode(msgspec.json.encode(Settings()))
    for hidden in ("packs", "origins"):
        plain.pop(hidden)
    assert documented == plain


def test_every_documented_key_has_a_reason() -> None:
    lines = (REPOSITORY / "anchord.toml").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if " = " in line and not line.startswith("#"):
            assert before.startswith("#") or " = " in before, f"{line} stands without a comment"


def test_a_later_layer_wins_key_by_key(tmp_path: Path) -> None:
    daemon = written(
        tmp_path / "etc",
        "[extract]\nsample_rate = 2\nmouth_padding = 2.0\nprecision = 1\n"
        '[packs."me"]\nmouth_padding = 3.0\nprecision = 3\n',
    )
    pack = tmp_path / "me"
    written(pack, "precision = 4\n")
    chosen = for_pack(read_settings(daemon), "me", pack, {"eyes_padding": 5.0})
    assert chosen.extract == ExtractSettings(sample_rate=2, mouth_padding=3.0, precision=4, eyes_padding=5.0)
    assert chosen.origins["sample_rate"] == str(daemon)
    assert chosen.origins["mouth_padding"] == 'anchord.toml [packs."me"]'
    assert chosen.origins["precision"] == str(pack / "anchord.toml")
    assert chosen.origins["eyes_padding"] == "command line"
    assert "fit" not in chosen.origins


@pytest.mark.parametrize(
    ("manifest", "video"),
    [
        ({"base": {"idleVideo": "idle_loop.webm"}}, "idle_loop.webm"),
        ({"idleVideo": "loop.mp4"}, "loop.mp4"),
        ({"base": {"src": "base.png"}}, "idle.webm"),
        ({}, "idle.webm"),
        ({"base": {"idleVideo": "a.webm"}, "idleVideo": "b.webm"}, "a.webm"),
    ],
)
def test_the_manifest_names_the_video(tmp_path: Path, manifest: dict[str, object], video: str) -> None:
    written(tmp_path, json.dumps(manifest), "manifest.json")
    assert for_pack(Settings(), "me", tmp_path).video == video


def test_the_packs_own_file_wins_over_its_manifest(tmp_path: Path) -> None:
    written(tmp_path, '{"idleVideo": "loop.mp4"}', "manifest.json")
    written(tmp_path, 'video = "mine.webm"\n')
    assert for_pack(Settings(), "me", tmp_path).video == "mine.webm"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sample_rat = 1", ["'sample_rat'", "did you mean 'sample_rate'?"]),
        ("sample_rate = 0", ["sample_rate = 0", ">= 1"]),
        ("sample_rate = 2.5", ["sample_rate = 2.5", "int"]),
        ('fit = "stretch"', ["fit = 'stretch'"]),
        ("mouth_padding = -1", ["mouth_padding = -1", "> 0"]),
        ('video = "../secret.webm"', ["video = '../secret.webm'"]),
        ('output = "/etc/passwd"', ["output = '/etc/passwd'"]),
        ('video = ".."', ["video = '..'", "plain file name"]),
        ('output = "idle.webm"', ["would overwrite"]),
        ('output = "manifest.json"', ["would overwrite"]),
        ('root = "/srv"', ["unknown key 'root'"]),
        ("this is not toml", ["not valid TOML"]),
    ],
)
def test_a_mistake_in_a_packs_file_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        for_pack(Settings(), "me", tmp_path)
    for word in [str(file), *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[watch]\nsettle = 1", ["'watch.settle'", "did you mean 'settle_s'?"]),
        ("[extract]\nsample_rate = 0", ["extract.sample_rate = 0", ">= 1"]),
        ("[limits]\nmax_bytes = 'much'", ["limits.max_bytes = 'much'"]),
        ("watch = 3", ["watch = 3", "must be a table"]),
        ("packs = 3", ["packs = 3"]),
        ('[packs."me"]\nsample_rate = "x"', ['packs."me".sample_rate', "'x'"]),
        ("origins = {}", ["unknown key 'origins'"]),
    ],
)
def test_a_mistake_in_the_daemons_file_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_settings(file)
    assert caught.value.exit_status == 78
    for word in [str(file), *words]:
        assert word in str(caught.value)


def test_a_manifest_that_is_no_json_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "{", "manifest.json")
    with pytest.raises(SettingsError, match="cannot be read as a manifest") as caught:
        for_pack(Settings(), "me", tmp_path)
    assert str(file) in str(caught.value)


def test_settings_that_give_the_same_timeline_have_the_same_digest() -> None:
    assert ExtractSettings(sample_rate=3).sha256() == ExtractSettings().sha256()
    assert ExtractSettings(sample_rate=4).sha256() != ExtractSettings().sha256()
