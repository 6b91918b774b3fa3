"""THIRD_PARTY.md says what is in the lock, and an installation gets every text."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parents[1]
PAGE = (HERE / "THIRD_PARTY.md").read_text()
#: Name, version, licence, libraries of each package in the page.
ROWS = [
    tuple(cell.strip() for cell in row)
    for row in re.findall(r"^\| ([^|]+) \| (\d[^|]*) \| ([^|]+) \| ([^|]*)\|$", PAGE, re.MULTILINE)
]


@pytest.fixture(scope="module")
def notices() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notices", HERE / "deploy/notices.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["notices"] = module
    spec.loader.exec_module(module)
    return module


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_the_page_has_what_the_lock_has_and_nothing_else() -> None:
    """`make notices` after `make lock`."""
    lock = (HERE / "requirements.cluster.lock").read_text()
    assert [f"{plain(name)}=={version}" for name, version, *_ in ROWS] == re.findall(
        r"^\S+==\S+", lock, re.MULTILINE
    )


def test_every_entry_of_the_lock_is_read_with_its_hashes(notices: ModuleType) -> None:
    lock = (HERE / "requirements.cluster.lock").read_text()
    entries = notices.locked(lock)

    assert len(entries) == len(ROWS)
    assert sum(entry.hashes.count("--hash=") for entry in entries) == lock.count("--hash=")
    assert {entry.version for entry in entries if entry.name == "av" if "< '3.12'" in entry.marker}


def test_what_is_installed_says_the_same_of_itself_as_the_page(notices: ModuleType) -> None:
    """The tests' environment has one version of each package in the lock."""
    says = {(plain(one.name), one.version): one for one in notices.installed()}
    there = [row for row in ROWS if (plain(row[0]), row[1]) in says]

    assert {plain(name) for name, *_ in there} == {plain(name) for name, *_ in ROWS}
    for name, version, licence, libraries in there:
        found = says[plain(name), version]
        assert found.licence == licence
        if platform.machine() == "x86_64":
            assert ", ".join(found.libraries) == libraries


def test_the_licence_of_every_library_that_comes_along_is_in_the_page() -> None:
    told = set(re.findall(r"^\| ([\w-]+) \| [^|]+ \|$", PAGE, re.MULTILINE))
    assert {library for *_, libraries in ROWS for library in libraries.split(", ") if library} <= told


def test_pyavs_ffmpeg_is_linked_with_x264_and_x265_as_the_page_says() -> None:
    """Where this fails, the page's words on the GPL are out of date: read them again."""
    (libavcodec,) = (
        file for file in metadata.files("av") or () if re.match(r"av\.libs/libavcodec", str(file))
    )
    needed = libavcodec.read_binary()

    assert b"libx264-" in needed
    assert b"libx265-" in needed
    assert "GPL-3.0-or-later" in PAGE
    assert all("x264" in libraries for name, *_, libraries in ROWS if name == "av")


def test_a_library_that_nobody_looked_up_is_not_passed_over(notices: ModuleType) -> None:
    one = notices.Notice("some", "1", "MIT", {}, ("never_heard_of",))
    with pytest.raises(KeyError, match="never_heard_of"):
        notices.page([one])


def test_a_text_that_several_share_is_printed_once_and_names_them_all(notices: ModuleType) -> None:
    shared = [notices.Notice(name, "1", "MIT", {"LICENSE": "Permission\n"}, ()) for name in ("one", "two")]
    bare = notices.Notice("three", "1", "MIT", {}, ())

    printed = "".join(notices.texts([*shared, bare]))
    assert printed.count("Permission") == 1
    assert "one 1, LICENSE\ntwo 1, LICENSE" in printed
    assert "three 1\n" in printed
    assert "no text of its own" in printed
