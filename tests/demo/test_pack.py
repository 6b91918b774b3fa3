"""The sample pack is made by the same rooms as everybody's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anchord import sprite_set
from anchord.demo.pack import SAMPLE_ID, make_pack
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.sprites import manifest
from tests.films import small_film


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    # A video that is there is not made again: a smaller one does.
    (folder / "idle.webm").write_bytes(small_film().read_bytes())
    return make_pack(folder)


def test_it_is_a_pack_of_anchord_s_own(pack: Path) -> None:
    """So ``anchord sprites`` may make it anew."""
    told = json.loads((pack / MANIFEST_NAME).read_bytes())
    assert manifest.is_own(told)
    assert (told["id"], told["displayName"]) == (SAMPLE_ID, "Sample")
    files: dict[str, bytes] = {name: (pack / name).read_bytes() for name in sprite_set.PICTURES}
    assert sprite_set.own(files) == set(sprite_set.PICTURES)


def test_it_is_not_made_twice(pack: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in pack.iterdir()}
    make_pack(pack)
    assert {file.name: file.stat().st_mtime_ns for file in pack.iterdir()} == before
