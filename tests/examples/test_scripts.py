"""Each example does what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np

from anchord import read_timeline
from tests.films import small_film
from tests.service.running import drop

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=cwd)


def test_a_look_into_a_timeline(tmp_path: Path) -> None:
    video = drop(tmp_path / "idle.webm", small_film())
    told = run("look.py", video, cwd=tmp_path).stdout
    assert "a face in 100%" in told
    assert re.search(r"in sight for (\d+) of \1 moments", told)
    assert "eyes shut at no sample" in told


def test_an_overlay_is_drawn_on_every_frame(tmp_path: Path) -> None:
    video = drop(tmp_path / "idle.webm", small_film())
    run("overlay.py", video, "out.mp4", cwd=tmp_path)
    with av.open(str(tmp_path / "out.mp4"), "r") as container:
        drawn = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    with av.open(str(video), "r") as container:
        plain = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(drawn) == len(plain) == 15
    for with_it, without in zip(drawn, plain, strict=True):
        dark = (np.abs(with_it - (52, 34, 24)).max(axis=2) < 30) & (without.mean(axis=2) > 90)
        assert dark.sum() > 100


def test_a_batch_does_all_and_says_which_could_not_be_done(tmp_path: Path) -> None:
    for name in ("a/one.webm", "b/two.webm"):
        drop(tmp_path / name, small_film())
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    lines = run("batch.py", tmp_path, cwd=tmp_path).stdout.splitlines()
    assert len(lines) == 3
    assert sum("coverage 100.0%" in line for line in lines) == 2
    assert any("bad.mp4" in line and "neither a WebM nor an MP4" in line for line in lines)
    assert read_timeline(tmp_path / "a/one.webm.anchors.json").frames
    assert json.loads((tmp_path / "b/two.webm.anchors.json").read_text())["source"]["video"] == "two.webm"


def test_the_list_has_every_example() -> None:
    page = (EXAMPLES / "README.md").read_text()
    for file in EXAMPLES.iterdir():
        assert f"({file.name}" in page or file.name in ("README.md", "__pycache__"), file.name
