"""All that is stale, once: in order of age, as far as asked for, and told of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from anchord.commands.backfill import Pace, Progress, duration, lines
from anchord.service.plan import Outcome
from anchord.settings import Limits, PackSettings
from anchord.worker.executor import Task
from tests.films import small_film
from tests.service.running import drop

OUTPUT = "anchors_timeline.json"


def backfill(root: Path, *arguments: str) -> tuple[int, list[str], list[dict[str, object]]]:
    """Its status, what it says, and its log."""
    command = [sys.executable, "-m", "anchord", "backfill", "--root", str(root), "-v", *arguments]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"ANCHORD_CONFIG": str(settings(root))},
    )  # fmt: skip
    return (
        ended.returncode,
        ended.stdout.splitlines(),
        [json.loads(line) for line in ended.stderr.splitlines()],
    )


def settings(root: Path) -> Path:
    file = root.parent / "anchord.toml"
    file.write_text("[watch]\nsettle_s = 0.05\n[worker]\nprocesses = 1\n")
    return file


def named(log: list[dict[str, object]], event: str) -> list[object]:
    return [line["pack"] for line in log if line["event"] == event]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Five packs, the last of them the longest unchanged."""
    made = tmp_path / "avatars"
    for pack in ("e", "d", "c", "b", "a"):
        drop(made / pack / "idle.webm", small_film())
    return made


def test_a_backfill_is_done_in_order_of_age_and_goes_on_where_it_stopped(root: Path) -> None:
    status, said, log = backfill(root, "--dry-run", "--limit", "3")
    assert (status, said) == (
        0,
        [*(f"{pack}: timeline missing" for pack in "edc"), f"{root}: 3 would be done, 2 left for later"],
    )
    assert not any((pack / OUTPUT).exists() for pack in root.iterdir())
    assert not named(log, "extraction_started")

    (root / "d" / "idle.webm").write_bytes(b"no video")  # now the newest
    status, said, log = backfill(root, "--limit", "3")
    assert (status, said) == (0, [f"{root}: 3 done, 2 left for later"])
    assert named(log, "timeline_written") == ["e", "c", "b"]

    (root / "empty").mkdir()
    (root / "b" / "anchord.toml").write_text("sample_rate = 1\n")
    status, said, log = backfill(root, "--stale-only")
    assert (status, said) == (
        0,
        [f"{root}: 1 done, 2 unchanged, 2 without a timeline, left out, 1 without a video"],
    )
    assert named(log, "timeline_written") == ["b"]

    status, said, log = backfill(root)
    assert status == 1
    assert said[0] == f"{root}: 1 done, 3 unchanged, 1 without a video, 1 parked"
    assert said[1].startswith("  parked 1: idle.webm: ")
    assert named(log, "timeline_written") == ["a"]
    assert backfill(root, "--stale-only")[:2] == (
        0,
        [f"{root}: 0 done, 4 unchanged, 1 without a timeline, left out, 1 without a video"],
    )


def test_reasons_are_counted_and_of_many_kinds_the_commonest_are_told() -> None:
    outcome = Outcome(packs=100, written=10, parked=Counter({f"reason {n}": 1 + n for n in range(12)}))
    outcome.retrying["disk full"] = 4
    said = list(lines("/srv", outcome, limit=None, dry_run=False))
    assert said[0] == "/srv: 10 done, 8 without a video, 78 parked, 4 failed"
    assert said[1] == "  parked 12: reason 11"
    assert said[-2:] == ["  parked 3 more, for other reasons", "  failed 4: disk full"]


def test_a_dry_run_names_no_more_than_the_limit() -> None:
    tasks = [
        Task(
            pack=pack,
            settings=PackSettings(),
            limits=Limits(),
            feed=(None, None, None, None),
            sha256="",
            reason="method changed",
            owner=0,
        )
        for pack in ("a", "b", "c")
    ]
    said = list(lines("/srv", Outcome(packs=3, left=tasks), limit=2, dry_run=True))
    assert said == ["a: method changed", "b: method changed", "/srv: 2 would be done, 1 left for later"]


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=300))
def test_the_rate_is_that_of_the_last_two_minutes(steps: list[float]) -> None:
    pace, now_s = Pace(), 0.0
    pace.begin(now_s=now_s)
    times = [now_s]
    for step in steps:
        now_s += step
        times.append(now_s)
        pace.add(now_s=now_s)
    assert pace.done == len(steps)
    assert 1 / 50.1 <= pace.rate_hz <= 1 / 0.0099
    recent = [time for time in times if now_s - time <= 120]
    if len(recent) > 2:
        assert pace.rate_hz == pytest.approx((len(recent) - 1) / (recent[-1] - recent[0]), rel=1e-6)
    left_s = pace.left_s(10)
    assert left_s is not None
    assert left_s * pace.rate_hz == pytest.approx(10)


def test_nothing_is_promised_before_something_is_done() -> None:
    pace = Pace()
    pace.begin(now_s=5.0)
    assert (pace.rate_hz, pace.left_s(10)) == (0.0, None)


def test_without_a_terminal_the_log_says_now_and_then_how_it_goes() -> None:
    now_s = 1000.0
    told = Progress(None, clock=lambda: now_s)
    with structlog.testing.capture_logs() as logs:
        for number in range(100):
            told.working(f"a{number}", 199 - 2 * number)
            told.working(f"b{number}", 198 - 2 * number)
            told.progressed(f"a{number}", 1, 2)
            now_s += 1.0
            told.finished(f"a{number}")
            told.finished(f"b{number}")
    assert [(log["event"], log["done"]) for log in logs] == [
        ("backfill_progressed", 59),
        ("backfill_progressed", 119),
        ("backfill_progressed", 179),
    ]
    assert (logs[0]["left"], logs[0]["left_s"]) == (141, pytest.approx(72, abs=2))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5940, "99 min"), (12000, "3 h 20 min")]
)
def test_durations_are_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words
