"""`anchord tail`: the log as a person reads it, wherever it was kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord import looking
from anchord.commands.log_lines import LEVELS, Clock, Event, Filter, Statistics, event_in, sentence
from anchord.commands.tail import from_docker, from_file, from_journal, shown
from anchord.errors import MachineError, NoInputError
from anchord.log import EVENTS

AT = "2026-11-26T07:25:51.123456Z"


def line(event: str = "timeline_written", level: str = "info", **values: Any) -> str:
    return json.dumps({"time": AT, "level": level, "event": event, **values})


WRITTEN: dict[str, Any] = {
    "pack": "ada", "video": "idle.webm", "frames": 120, "samples": 41, "faces": 41, "coverage": 1.0,
    "longest_gap_ms": 0, "face_height": 0.4, "warnings": [], "bytes": 9000, "reason": "video changed",
    "queued_s": 0.01, "elapsed_s": 1.25,
}  # fmt: skip


def read(*lines: str, wanted: Filter | None = None) -> list[str]:
    told = shown(iter(lines), wanted or Filter(), Statistics(), Clock(UTC))
    return [text for text, _ in told]


WRAPPED = {
    "our own": line(**WRITTEN),
    "with a priority": f"<6>{line(**WRITTEN)}",
    "journalctl -o json": json.dumps({"MESSAGE": line(**WRITTEN), "__REALTIME_TIMESTAMP": "1"}),
    "journalctl -o json, as bytes": json.dumps({"MESSAGE": list(line(**WRITTEN).encode())}),
    "docker's json-file": json.dumps({"log": f"{line(**WRITTEN)}\n", "stream": "stderr", "time": AT}),
    "docker compose logs": f"anchord-1  | {line(**WRITTEN)}",
    "syslog": f"Nov 26 07:25:51 host anchord[77]: {line(**WRITTEN)}",
    "docker's journald driver": json.dumps({"MESSAGE": json.dumps({"log": line(**WRITTEN)})}),
}


@pytest.mark.parametrize("kept", WRAPPED)
def test_a_line_is_the_same_wherever_it_was_kept(kept: str) -> None:
    assert read(WRAPPED[kept]) == [
        "-- 2026-11-26",
        "07:25:51   ada  idle.webm: 120 frames, coverage 100.0%, 1.2 s",
    ]


def test_a_video_takes_one_line_and_names_its_warnings() -> None:
    warned = line("video_warned", "warning", pack="ada", video="idle.webm", code="dark", advice="use light")
    written = line(**WRITTEN | {"warnings": ["dark", "noisy"], "queued_s": 3.2})
    assert read(warned, written)[1:] == [
        "07:25:51   ada  idle.webm: 120 frames, coverage 100.0%, 1.2 s after 3.2 s in the queue  dark, noisy"
    ]
    assert "dark: use light" in read(warned, wanted=Filter(level="debug"))[1]


def test_only_the_packs_and_levels_that_are_wanted_are_shown() -> None:
    lines = [
        line(**WRITTEN),
        line(**WRITTEN | {"pack": "bob"}),
        line("root_lost", "error", error="gone"),
        line("pack_settled", "debug", pack="ada"),
    ]
    assert len(read(*lines)) == 4
    assert len(read(*lines, wanted=Filter(packs=("a*",)))) == 2
    assert read(*lines, wanted=Filter(level="error"))[1:] == ["07:25:51 x the avatars root is gone: gone"]
    assert "pack settled" in read(*lines, wanted=Filter(packs=("ada", "x"), level="debug"))[2]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_has_words_whatever_keys_it_comes_with(name: str) -> None:
    level, _, keys = EVENTS[name]
    whole = event_in(line(name, level, **dict.fromkeys(keys, 1) | {"warnings": ["dark"], "pack": "ada"}))
    bare = event_in(line(name, level))
    assert whole
    assert bare
    assert sentence(whole).strip()
    assert sentence(bare).strip()


def test_what_is_none_of_the_daemons_is_shown_as_it_is_but_moves_no_cursor() -> None:
    told = read("Traceback (most recent call last):", "", line("daemon_stopped\x1b[2J"), "\x1b[2J{")
    assert told[0].strip() == "Traceback (most recent call last):"
    assert all("\x1b" not in text for text in told)
    assert len(told) == 4


KEYS = ("event", "level", "MESSAGE", "log", "time", "pack", "warnings", "__REALTIME_TIMESTAMP")
anything = st.recursive(
    st.none() | st.text() | st.integers() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


known = st.builds(
    lambda name, values: {**values, "event": name},
    st.sampled_from([*EVENTS]),
    st.dictionaries(st.sampled_from([key for _, _, keys in EVENTS.values() for key in keys]), anything),
)
strange = st.fixed_dictionaries(
    {key: st.integers() | st.floats() | st.just(10**400) | st.text() for key in WRITTEN}
).map(lambda values: values | {"event": "timeline_written", "warnings": ["dark"]})


@given(st.text() | (anything | known | strange).map(json.dumps))
def test_no_line_ends_the_reading(text: str) -> None:
    statistics = Statistics()
    for shown_line, _ in shown(iter([text]), Filter(level="debug"), statistics, Clock(UTC)):
        assert isinstance(shown_line, str)
    list(statistics.lines())


def test_days_are_told_once() -> None:
    clock = Clock(UTC)
    assert clock.read(AT) == ("2026-11-26", "07:25:51")
    assert clock.read(AT) == ("", "07:25:51")
    assert clock.read("2026-11-27T00:00:01Z") == ("2026-11-27", "00:00:01")
    assert clock.read("yesterday") == ("", " " * 8)


def test_statistics_of_what_was_read() -> None:
    statistics = Statistics()
    for i in range(1, 21):
        event = event_in(
            line(**WRITTEN | {"pack": f"p{i}", "elapsed_s": i, "coverage": 1 - i / 100, "warnings": ["dark"]})
        )
        assert event
        statistics.add(event)
    refused = Event(name="video_refused", level="warning", time="", pack="p1", values={})
    statistics.add(refused)
    assert list(statistics.lines()) == [
        "20 timelines written, 20 packs named",
        "coverage: median 89.5%, least 80.0%",
        "elapsed: median 10.50 s, 95 % below 19.05 s, most 20.00 s",
        "queued: median 0.01 s, 95 % below 0.01 s, most 0.01 s",
        "frames: 2400, 11 a second of work",
        "warning dark: 20",
        "video refused: 1",
    ]
    assert list(Statistics().lines()) == ["0 timelines written, 0 packs named"]


def test_a_followed_file_goes_on_is_rotated_and_emptied(tmp_path: Path) -> None:
    """Half a line is held back until its end is there."""
    file = tmp_path / "log"
    file.write_text("one\ntw")

    def steps() -> Iterator[None]:
        with file.open("a") as out:
            out.write("o\nthree\n")
        yield
        file.rename(tmp_path / "log.1")
        yield
        file.write_text("four\n")
        yield
        file.write_text("5\n")
        yield

    todo = steps()
    lines = from_file(str(file), follow=True, pause=lambda _s: next(todo))
    assert [next(lines).strip() for _ in range(5)] == ["one", "two", "three", "four", "5"]
    lines.close()


def test_without_following_a_last_line_needs_no_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one\ntwo")
    assert list(from_file(str(tmp_path / "log"), follow=False)) == ["one\n", "two"]
    with pytest.raises(NoInputError, match="none"):
        list(from_file(str(tmp_path / "none"), follow=False))


def test_journal_and_docker_are_asked_as_their_manuals_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("journalctl", "docker"):
        program = tmp_path / name
        program.write_text('#!/bin/sh\necho "$0 $@" | sed "s,.*/,,"\n[ "$*" != "logs --tail 9 gone" ]\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert list(from_journal("anchord", lines=9, follow=True)) == [
        "journalctl --unit anchord --output json --lines 9 --no-pager --follow\n"
    ]
    assert list(from_docker("web", lines=9, follow=False)) == ["docker logs --tail 9 web\n"]
    with pytest.raises(MachineError, match="ended with 1"):
        list(from_docker("gone", lines=9, follow=False))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NoInputError, match="is not on this machine"):
        list(from_journal("anchord", lines=9, follow=False))


def test_as_a_person_types_it(tmp_path: Path) -> None:
    lines = "\n".join([line(**WRITTEN), line("video_refused", "warning", pack="bob", error="is damaged")])
    command = [sys.executable, "-m", "anchord", "tail", "-"]
    told = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    assert [text[8:] for text in told.stdout.splitlines()[1:]] == [
        "   ada  idle.webm: 120 frames, coverage 100.0%, 1.2 s",
        " ! bob  refused: is damaged",
    ]
    told = subprocess.run([*command, "--stats"], input=lines, capture_output=True, text=True, check=True)
    assert "1 timelines written, 2 packs named" in told.stdout


def test_the_command_has_just_the_levels_of_the_log() -> None:
    assert looking._LEVELS == LEVELS
