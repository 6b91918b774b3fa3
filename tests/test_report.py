"""`anchord report`: all packs at one time."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from anchord import timeline
from anchord.advice import WARNINGS
from anchord.commands.preview import Target
from anchord.commands.report import Report, lines, report, tables, title, worst_targets
from anchord.settings import Settings
from anchord.timeline import VideoWarning
from tests.films import small_film
from tests.service.running import drop
from tests.test_cli import anchord
from tests.test_timeline import made


def put(root: Path, name: str, *codes: str, faces: int = 10, source: str = "landmarks") -> None:
    """A pack whose timeline is of ten samples, and has these warnings."""
    film = made([])
    quality = msgspec.structs.replace(
        film.quality,
        samples=10,
        faces=faces,
        coverage=faces / 10,
        warnings=[VideoWarning(code=code, message="a message") for code in codes],
        source=source,
    )
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "idle.webm").write_bytes(b"a video")
    (folder / "anchors_timeline.json").write_bytes(
        timeline.encode(msgspec.structs.replace(film, quality=quality))
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "avatars"
    put(root, "good")
    put(root, "dark", "dark")
    put(root, "gap", "dark", "face_missing", faces=4)
    put(root, "drawn", "of_tomorrow", source="pixels")
    (root / "drawn" / "anchord.toml").write_text('follow = "auto"\nsample_rate = 1\n')
    (root / "typo").mkdir()
    (root / "typo" / "anchord.toml").write_text("sample_rat = 1\n")
    (root / "empty").mkdir()
    return root


@pytest.fixture
def found(root: Path) -> Report:
    return report(Settings(), root, now_s=1_800_000_000.4)


def test_packs_are_counted_by_what_became_of_them(found: Report) -> None:
    assert (found.packs, found.running, found.made_unix_s) == (6, False, 1_800_000_000)
    assert found.states == {"stale": 4, "refused": 1, "no_video": 1}
    assert (found.coverage_median, found.coverage_least, found.whole) == (1.0, 0.4, 3)
    assert found.followed == {"landmarks": 3, "pixels": 1}
    assert found.methods == {"1": 4}
    assert found.own_settings == {"follow": 1, "sample_rate": 1}


def test_each_kind_of_warning_says_once_what_to_do(found: Report) -> None:
    assert [(kind.code, kind.packs) for kind in found.warnings] == [
        ("dark", ["dark", "gap"]),
        ("face_missing", ["gap"]),
        ("of_tomorrow", ["drawn"]),
    ]
    assert found.warnings[0].remedy == WARNINGS["dark"].remedy
    assert "another version" in found.warnings[2].meaning


def test_who_needs_a_person_is_named_with_the_reason(found: Report) -> None:
    stopped = {pack.pack: (pack.state, pack.reason) for pack in found.stopped}
    assert set(stopped) == {"typo", "empty"}
    assert stopped["typo"][0] == "refused"
    assert "did you mean 'sample_rate'" in stopped["typo"][1]
    assert stopped["empty"] == ("no_video", "there is no idle.webm")


def test_the_worst_come_first(found: Report, root: Path) -> None:
    assert [pack.pack for pack in found.worst] == ["gap", "dark", "drawn", "good"]
    assert worst_targets(found, Settings(), root)[0] == Target(name="gap", folder=str(root / "gap"))


def test_text_tables_and_json_say_the_same(found: Report) -> None:
    text = "\n".join(lines(found))
    cells = " ".join(cell for table in tables(found) for row in table.rows for cell in row)
    for said in ("face_missing", WARNINGS["dark"].remedy, "did you mean 'sample_rate'", "40.0%"):
        assert said in text
        assert said in cells
    assert title(found)[1].endswith("2027-01-15 08:00 UTC · anchord 0.1.0")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


def test_an_empty_root_has_a_report_too(tmp_path: Path) -> None:
    found = report(Settings(), tmp_path)
    assert list(lines(found)) == [f"{tmp_path}: 0 packs; no daemon running"]


def test_a_name_that_moves_the_cursor_is_escaped(tmp_path: Path) -> None:
    put(tmp_path, "evil\x1b[2J\u202e", "dark")
    found = report(Settings(), tmp_path)
    assert found.warnings[0].packs == ["evil\\x1b[2J\\u202e"]
    assert worst_targets(found, Settings(), tmp_path)[0].folder.endswith("evil\x1b[2J\u202e")


def test_as_a_person_types_it(tmp_path: Path) -> None:
    drop(tmp_path / "avatars" / "me" / "idle.webm", small_film())
    assert anchord("extract", "--avatar-id", "me", "--base-path", tmp_path / "avatars").returncode == 0
    told = anchord("report", "--root", tmp_path / "avatars", "--json")
    assert json.loads(told.stdout)["states"] == {"up_to_date": 1}
    ended = anchord("report", "--root", tmp_path / "avatars", "--html", tmp_path / "report.html")
    assert (ended.returncode, ended.stderr) == (0, "")
    page = (tmp_path / "report.html").read_text()
    assert "<h3>me</h3>" in page
    assert page.count("data:image/jpeg;base64,/9j/") == 1
