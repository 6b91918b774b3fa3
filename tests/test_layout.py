"""The house: which room may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "anchord"

#: Library -> the room that imports it; the wings that draw have doors of their own.
DOORS = {
    "av": "tracking/video/reader.py",
    "mediapipe": "tracking/faces/mediapipe.py",
    "ai_edge_litert": "tracking/faces/litert.py",
    "cv2": "tracking/motion/tracker.py",
    "watchdog": "service/watching/events.py",
    "prometheus_client": "service/report/metrics.py",
    "dask": "cluster/membership.py",
    "cryptography": "cluster/certificates.py",
}
SECOND_DOORS = {
    "cv2": ("sprites/warp.py", "tracking/faces/crops.py", "preview/drawing.py"),
    "av": ("preview/film.py",),
}
#: Dask's worker, scheduler, client and connections are four things; each has a door.
CLUSTER_DOORS = {f"cluster/{room}.py" for room in ("client", "membership", "node", "scheduler", "serving")}
PURE = [
    "sprites/visemes.py",
    "sprites/manifest.py",
    "sprite_set.py",
    "png.py",
    "tracking/anchors.py",
    "tracking/curves/interpolate.py",
    "tracking/faces/face.py",
    "tracking/faces/geometry.py",
    "tracking/faces/selection.py",
    "tracking/trajectory.py",
    "tracking/curves/gaps.py",
    "tracking/motion/registration.py",
    "tracking/faces/light.py",
    "tracking/motion/pose_graph.py",
    "tracking/curves/loop.py",
    "tracking/faces/mesh.py",
    "tracking/motion/occlusion.py",
    "tracking/motion/patch.py",
    "tracking/motion/similarity.py",
    "tracking/curves/smooth.py",
    "tracking/quality.py",
    "tracking/video/colour.py",
    "tracking/video/facts.py",
    "tracking/video/holes.py",
    "tracking/video/orientation.py",
    "tracking/video/timing.py",
    "tracking/video/tracks.py",
    "cluster/members.py",
    "service/timers.py",
    "service/queue.py",
    "service/rate_limit.py",
    "service/watching/debounce.py",
    "service/watching/rota.py",
    "printable.py",
    "parsing.py",
    "errors.py",
    "reading.py",
    "placing.py",
    "preview/moments.py",
    "preview/plot.py",
    "preview/page.py",
]


def imports(room: Path) -> set[str]:
    """Every module that a room imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(room.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms(wing: str = "") -> list[Path]:
    return [room for room in sorted((HOUSE / wing).rglob("*.py")) if "demo" not in room.parts]


def rooms_that_import(library: str) -> set[str]:
    return {
        str(room.relative_to(HOUSE))
        for room in rooms()
        if any(name == library or name.startswith(f"{library}.") for name in imports(room))
    }


@pytest.mark.parametrize(("library", "door"), DOORS.items())
def test_a_foreign_library_comes_in_through_one_door(library: str, door: str) -> None:
    """To replace one of them is to rewrite one room."""
    assert rooms_that_import(library) <= {door, *SECOND_DOORS.get(library, ())}


def test_dask_comes_in_through_the_doors_of_the_clusters_wing() -> None:
    assert rooms_that_import("distributed") == CLUSTER_DOORS


def test_doors_do_not_import_doors() -> None:
    modules = {door: f"anchord.{door.removesuffix('.py').replace('/', '.')}" for door in DOORS.values()}
    for door in modules:
        if (HOUSE / door).exists():
            assert not imports(HOUSE / door) & (set(modules.values()) - {modules[door]}), door


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_knows_no_clock_no_files_and_no_threads(room: str) -> None:
    doors = {f"anchord.{door.removesuffix('.py').replace('/', '.')}" for door in DOORS.values()}
    assert not imports(HOUSE / room) & ({"os", "time", "threading", "pathlib", "datetime", *DOORS} | doors)


# Wing -> the wings that it may import, and the one room that may import others.
WINGS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "tracking": ((), {}),
    "sprites": (("tracking",), {}),
    "preview": (("tracking", "sprites"), {}),
    "worker": ((), {"worker/process.py": ("tracking", "sprites", "preview")}),
    "service": (("worker",), {}),
    "cluster": (("worker",), {}),
}


@pytest.mark.parametrize("wing", WINGS)
def test_imports_go_one_way_through_the_house(wing: str) -> None:
    """Tracking knows nobody, only the worker's process knows it, and the service the worker's seam."""
    allowed, doors = WINGS[wing]
    for room in rooms(wing):
        seen = {name.split(".")[1] for name in imports(room) if name.startswith("anchord.")} & WINGS.keys()
        place = str(room.relative_to(HOUSE))
        assert seen - {wing, *allowed} <= set(doors.get(place, ())), place


def test_the_hall_imports_no_wing() -> None:
    for room in HOUSE.glob("*.py"):
        if room.name in (
            "cli.py",
            "looking.py",
            "terminal.py",
            "library.py",
            "__main__.py",
        ):  # the only ones that know them
            continue
        wings = tuple(f"anchord.{wing}" for wing in WINGS)
        assert not {name for name in imports(room) if name.startswith(wings)}, room


def test_what_lies_in_a_pack_is_opened_in_one_room() -> None:
    """Wherever else a path is opened, it is the machine's own, or what a person named."""
    # The opener and its kin; our own files (settings, model, standard streams); the root and its lock;
    # what the kernel says of itself; a folder that is open already, to list it.
    own = {"files.py", "atomic.py", "settings.py", "model.py", "cli.py", "packs.py", "service/lock.py"}
    own |= {"service/watching/events.py", "service/watching/watcher.py", "commands/premises.py"}
    opening = re.compile(r"\bos\.open\(|\.read_(bytes|text)\(|(?<![\w.])(?<!def )open\(")
    for room in [*HOUSE.glob("*.py"), *rooms("service"), *rooms("commands")]:
        assert not opening.search(room.read_text()) or str(room.relative_to(HOUSE)) in own, room


def test_only_the_rooms_that_steer_see_settings() -> None:
    """Rooms below take plain values, so they can be read and tested alone."""
    blind = [
        *PURE,
        "tracking/faces/litert.py",
        "tracking/faces/mediapipe.py",
        "tracking/motion/tracker.py",
        "service/watching/events.py",
        "atomic.py",
        "timeline.py",
    ]
    for room in blind:
        if (HOUSE / room).exists():
            names = imports(HOUSE / room)
            assert "anchord.settings.Settings" not in names, room
            assert "anchord.settings.ExtractSettings" not in names, room


def test_the_daemon_never_loads_a_decoder_a_model_or_numpy() -> None:
    program = (
        "import sys, anchord.cli, anchord.commands.sprites, anchord.commands.preview;"
        "import anchord.service.daemon, anchord.log;"
        "from anchord import *;"
        "print(sorted({'numpy', 'av', 'cv2', 'mediapipe', 'dask', 'distributed'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_help_is_there_before_anything_that_only_some_commands_need() -> None:
    """It is what shells complete by, and what a person waits for."""
    program = (
        "import sys, anchord.cli;"
        "print(sorted(name for name in sys.modules if name == 'msgspec' or name.startswith("
        "('anchord.worker', 'anchord.service', 'anchord.tracking', 'anchord.preview'))))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_only_the_command_line_ends_the_process() -> None:
    """The worker's process has a command line of its own, and the sandbox ends one without a parent."""
    for room in rooms():
        text = room.read_text()
        if room.name != "cli.py" and "worker" not in room.parts:
            assert "SystemExit" not in text, room
            assert "sys.exit" not in text, room


def test_no_room_has_a_second_thing_in_it() -> None:
    for room in rooms():
        assert len(room.read_text().splitlines()) <= 400, room
