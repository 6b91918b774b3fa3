"""The house: which room may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "anchord"

DOORS = {
    "av": "tracking/video.py",
    "mediapipe": "tracking/faces/mediapipe.py",
    "cv2": "tracking/motion/tracker.py",
    "watchdog": "service/watch.py",
    "prometheus_client": "service/metrics.py",
}
PURE = [
    "tracking/anchors.py",
    "tracking/curves/interpolate.py",
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
    "tracking/facts.py",
    "service/settle.py",
    "service/schedule.py",
    "service/flood.py",
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
    assert rooms_that_import(library) <= {door}


def test_doors_do_not_import_doors() -> None:
    modules = {door: f"anchord.{door.removesuffix('.py').replace('/', '.')}" for door in DOORS.values()}
    for door in modules:
        if (HOUSE / door).exists():
            assert not imports(HOUSE / door) & (set(modules.values()) - {modules[door]}), door


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_knows_no_clock_no_files_and_no_threads(room: str) -> None:
    doors = {f"anchord.{door.removesuffix('.py').replace('/', '.')}" for door in DOORS.values()}
    assert not imports(HOUSE / room) & ({"os", "time", "threading", "pathlib", "datetime", *DOORS} | doors)


def test_the_wings_meet_only_in_the_worker_process() -> None:
    meeting = "service/worker_process.py"
    for room in rooms("service"):
        crosses = {name for name in imports(room) if name.startswith("anchord.tracking")}
        assert not crosses or str(room.relative_to(HOUSE)) == meeting, room
    for room in rooms("tracking"):
        assert not {name for name in imports(room) if name.startswith("anchord.service")}, room


def test_the_hall_imports_neither_wing() -> None:
    for room in HOUSE.glob("*.py"):
        if room.name in ("cli.py", "__main__.py"):  # the only ones that know both wings
            continue
        names = imports(room)
        assert not {n for n in names if n.startswith(("anchord.tracking", "anchord.service"))}, room


def test_only_the_rooms_that_steer_see_settings() -> None:
    """Rooms below take plain values, so they can be read and tested alone."""
    blind = [
        *PURE,
        "tracking/faces/mediapipe.py",
        "tracking/motion/tracker.py",
        "service/watch.py",
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
        "import sys, anchord.cli, anchord.service.daemon, anchord.log;"
        "print(sorted({'numpy', 'av', 'cv2', 'mediapipe'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_only_the_command_line_ends_the_process() -> None:
    """worker_process is a command line of its own, and the sandbox ends a worker without a parent."""
    for room in rooms():
        text = room.read_text()
        if room.name not in ("cli.py", "worker_process.py", "sandbox.py"):
            assert "SystemExit" not in text, room
            assert "sys.exit" not in text, room


def test_no_room_has_a_second_thing_in_it() -> None:
    for room in rooms():
        assert len(room.read_text().splitlines()) <= 400, room
