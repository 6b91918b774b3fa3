"""The bill of materials: what the lock says, the same bytes each time, and nothing of the machine."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

import pytest
from packaging.markers import Marker

from anchord import __version__
from tests.deploy.conftest import FIGURES, SOURCE, run


@pytest.fixture(scope="module")
def tool_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the three environments in it are made of, for this Python."""
    folder = tmp_path_factory.mktemp("tool-wheels")
    for lock in ("runtime", "build", "sbom"):
        run(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary", ":all:",
            "-r", SOURCE / f"requirements.{lock}.lock", "-d", folder)  # fmt: skip
    return folder


def made(file: Path, wheels: Path) -> bytes:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PYTHON": sys.executable}
    run(SOURCE / "deploy/sbom", file, env=os.environ | offline)
    return file.read_bytes()


def test_the_bill_of_materials_is_the_lock_and_the_same_each_time(tmp_path: Path, tool_wheels: Path) -> None:
    """The tool itself checks it against CycloneDX's schema."""
    started_s = time.monotonic()
    content = made(tmp_path / "one/first.json", tool_wheels)
    FIGURES.append(f"bill of materials: {len(content):,} bytes, made in {time.monotonic() - started_s:.0f} s")
    bill = json.loads(content)

    locked = re.findall(
        r"^([\w.-]+)==(\S+)(?: ; ([^\\\n]+))? \\$",
        (SOURCE / "requirements.runtime.lock").read_text(),
        re.MULTILINE,
    )
    here = {f"pkg:pypi/{name}@{version}" for name, version, marker in locked
            if not marker or Marker(marker).evaluate()}  # fmt: skip
    assert {component["purl"] for component in bill["components"]} == here
    assert all(component["licenses"] for component in bill["components"])
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == ("anchord", __version__)
    needs = {node["ref"]: node.get("dependsOn", []) for node in bill["dependencies"]}
    assert any(name.startswith("av==") for name in needs[root["bom-ref"]])

    for trace in (str(tmp_path), "/tmp/", "file:", str(SOURCE), "timestamp", "serialNumber"):
        assert trace.encode() not in content, trace
    assert made(tmp_path / "two/second.json", tool_wheels) == content
