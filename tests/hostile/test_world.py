"""Whatever a pack is, it costs that pack: the daemon, its restart and every command serve the others."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchord.printable import printable
from tests.hostile.files import CONTENTS, OUTPUT, PLACES, STAND_IN, VIDEO, ending
from tests.hostile.folders import FOLDERS
from tests.hostile.world import USUAL_S, World

NAMES = (VIDEO, STAND_IN, "manifest.json", "anchord.toml", OUTPUT)
FILES = [(name, make.__name__) for name in NAMES for make in PLACES] + [
    (name, kind) for kind, contents in CONTENTS.items() for name in contents
]

#: What the daemon's state says of a pack that ended so; where it says nothing, its files do.
STATES = {
    "written": {"up_to_date"},
    "parked": {"parked"},
    "retrying": {"retrying"},
    "no video": {"no_video"},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    try:
        world.live()
        yield world
    finally:
        # Two thousand folders in each other are more than Python's own way of deleting can take.
        subprocess.run(["rm", "-rf", world.folder], check=True)


def test_the_daemon_lives_and_serves_the_next_pack_in_the_usual_time(world: World) -> None:
    """In a world that turns evil while it runs, and in one that is so from the start."""
    assert max(world.took_s) < USUAL_S


def test_it_ends_in_time_and_well(world: World) -> None:
    assert [status for status, _ in world.ended] == [0, 0]
    assert max(took_s for _, took_s in world.ended) < 5


@pytest.mark.parametrize(
    "event", ["defect_met", "turn_failed", "worker_lost", "supervisor_failed", "not json"]
)
def test_nothing_is_met_that_nobody_thought_of(world: World, event: str) -> None:
    assert [line for log in world.logs for line in log if line["event"] == event] == []


@pytest.mark.parametrize(("name", "kind"), FILES, ids=[f"{name}, {kind}" for name, kind in FILES])
def test_an_evil_file_costs_its_own_pack_and_no_more(world: World, name: str, kind: str) -> None:
    pack = f"{name}, {kind}"
    assert world.said_of(pack)["state"] in STATES[ending(name, kind)], world.said_of(pack)
    assert world.is_written[pack] == (ending(name, kind) == "written")


@pytest.mark.parametrize(
    "name", FOLDERS, ids=[printable(name.decode(errors="replace"))[:40] for name in FOLDERS]
)
def test_an_evil_folder_costs_itself_and_no_more(world: World, name: bytes) -> None:
    pack = name.decode(errors="surrogateescape")
    if (end := FOLDERS[name][1]) is None:
        assert printable(pack) not in world.states
    else:
        assert world.said_of(pack)["state"] in STATES[end], world.said_of(pack)
    assert world.is_written[pack] == (end == "written")


@pytest.mark.parametrize("pack", ["before", "first after", "first at last"])
def test_good_packs_are_up_to_date(world: World, pack: str) -> None:
    assert world.said_of(pack)["state"] == "up_to_date"


@pytest.mark.parametrize(
    ("command", "status"),
    [("status", 0), ("status as text", 0), ("check", 78), ("doctor", 1), ("health", 0), ("once", 1)],
)
def test_every_command_says_its_lines_and_ends(world: World, command: str, status: int) -> None:
    """An evil pack is a line, whose characters are all harmless; nothing ends in a traceback."""
    ran = world.ran[command]
    assert ran.status == status, ran
    assert "Traceback" not in ran.errors
    assert all(printable(line) == line for line in (ran.output + ran.errors).split("\n"))


def test_status_and_check_name_each_evil_pack_once(world: World) -> None:
    bad = [printable(pack) for pack, end in world.entries.items() if end in ("parked", "retrying")]
    lines = world.ran["check"].output.split("\n")
    # What is in a regular video only a worker finds out.
    within = {
        f"{name}, {kind}" for name in (VIDEO, STAND_IN) for kind in ("empty", "sparse", "huge", "zeros")
    }
    assert [
        pack
        for pack in bad
        if pack not in within and sum(line.startswith(f"pack {pack}: ") for line in lines) != 1
    ] == []
    lines = world.ran["status as text"].output.split("\n")
    assert [pack for pack in bad if sum(line.startswith(f"{pack}  ") for line in lines) != 1] == []


def test_a_round_without_a_daemon_serves_the_good(world: World) -> None:
    assert (world.root / "once" / OUTPUT).is_file()
    assert "defect_met" not in world.ran["once"].errors


def test_extracting_a_pack_by_name_gives_its_timeline_or_one_reason(world: World) -> None:
    """Into stdout, so that what is in the way of the timeline's file does not count."""
    wrong = {}
    for pack, end in world.entries.items():
        answer = world.extracted[pack]
        is_output_alone = pack.startswith(OUTPUT) or end is None
        if answer is not None and answer[0] in ("DefectError", "WorkerError"):
            wrong[pack] = answer
        elif not is_output_alone and end in ("parked", "no video") and answer is None:
            wrong[pack] = ("extracted", str(end))
        elif end == "written" and answer is not None:
            wrong[pack] = answer
    assert wrong == {}


def test_nothing_outside_of_a_pack_was_touched(world: World) -> None:
    """The other names of hard links still hold what they held."""
    outside: Path = world.folder / "outside"
    assert {file.name for file in outside.iterdir() if not file.stat().st_size} == set()
    assert (outside / f"{OUTPUT}, hard_link-{OUTPUT}").read_bytes() == b"{}"
