"""The commands as a person types them."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import msgspec
import pytest

from anchord import __version__, timeline
from tests.films import read, small_film
from tests.service.running import drop
from tests.test_timeline import made

OUTPUT = "anchors_timeline.json"


def anchord(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anchord", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    drop(tmp_path / "avatars" / "me" / "idle.webm", small_film())
    return tmp_path / "avatars"


def test_extract_by_avatar_id_with_the_documents_defaults(root: Path) -> None:
    ended = anchord("extract", "--avatar-id", "me", "--base-path", root)
    assert ended.returncode == 0, ended.stderr
    document = read(root / "me" / OUTPUT)
    assert document["source"]["sample_every_n_frames"] == 3
    assert document["target"] == {"width": 512, "height": 640, "fit": "contain"}
    assert (document["config"]["mouth_padding"], document["config"]["eyes_padding"]) == (1.5, 1.3)
    assert "15 frames processed" in ended.stdout
    assert "coverage 100.0%" in ended.stdout
    assert str(root / "me" / OUTPUT) in ended.stdout


@pytest.mark.parametrize("name", ["idle.webm", "clip.MP4"])
def test_a_demo_clip_is_a_face_that_can_be_followed(tmp_path: Path, name: str) -> None:
    file = tmp_path / "new" / name
    ended = anchord("demo-clip", file, "--fps", "12")
    assert ended.returncode == 0, ended.stderr
    followed = anchord("extract", file, "--sample-rate", "1", "--min-coverage", "1")
    assert followed.returncode == 0, followed.stderr
    assert "48 frames processed" in followed.stdout


def test_a_demo_clip_replaces_nothing_unasked(tmp_path: Path) -> None:
    file = tmp_path / "idle.webm"
    file.write_bytes(b"mine")
    ended = anchord("demo-clip", file)
    assert (ended.returncode, file.read_bytes()) == (73, b"mine")
    assert "--force" in ended.stderr
    assert anchord("demo-clip", file, "--force", "--fps", "2").returncode == 0
    assert file.stat().st_size > 1000
    ended = anchord("demo-clip", tmp_path / "idle.gif")
    assert ended.returncode == 78
    assert ".webm or .mp4" in ended.stderr


def test_all_of_the_documents_parameters(root: Path) -> None:
    drop(root / "me" / "loop.webm", small_film(seed=2))
    ended = anchord(
        "extract",
        *("--avatar-id", "me", "--base-path", root, "--input", "loop.webm", "--output", "other.json"),
        *("--sample-rate", "5", "--mouth-padding", "2", "--eyes-padding", "1.1"),
        *("--target-width", "256", "--target-height", "256", "--fit", "cover"),
    )
    assert ended.returncode == 0, ended.stderr
    document = read(root / "me" / "other.json")
    assert document["source"]["video"] == "loop.webm"
    assert document["source"]["sample_every_n_frames"] == 5
    assert document["target"] == {"width": 256, "height": 256, "fit": "cover"}
    assert (document["config"]["mouth_padding"], document["config"]["eyes_padding"]) == (2, 1.1)
    assert not (root / "me" / OUTPUT).exists()


def test_flags_win_over_every_file_and_the_packs_file_over_the_daemons(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "anchord.toml"
    config.write_text("[extract]\nsample_rate = 7\nprecision = 4\nmouth_padding = 3.0\n")
    (root / "me" / "anchord.toml").write_text("sample_rate = 5\nprecision = 1\n")
    ended = anchord(
        "extract", "--avatar-id", "me", "--base-path", root, "--config", config, "--sample-rate", "2"
    )
    assert ended.returncode == 0, ended.stderr
    document = read(root / "me" / OUTPUT)
    assert document["source"]["sample_every_n_frames"] == 2
    assert document["config"]["precision"] == 1
    assert document["config"]["mouth_padding"] == 3


def test_extract_a_plain_file_to_stdout_and_nowhere_else(tmp_path: Path) -> None:
    video = drop(tmp_path / "some" / "idle.mp4", small_film("h264.mp4"))
    ended = anchord("extract", video, "-o", "-")
    assert ended.returncode == 0, ended.stderr
    jsonschema.validate(json.loads(ended.stdout), timeline.schema())
    assert "15 frames processed" in ended.stderr
    assert os.listdir(video.parent) == ["idle.mp4"]


def test_extract_a_plain_file_beside_itself_or_to_a_path(tmp_path: Path) -> None:
    video = drop(tmp_path / "some" / "idle.webm", small_film())
    assert anchord("extract", "some/idle.webm", cwd=tmp_path).returncode == 0
    assert read(video.parent / OUTPUT)["source"]["video"] == "idle.webm"
    assert anchord("extract", video, "-o", tmp_path / "out.json").returncode == 0
    assert read(tmp_path / "out.json")["frames"] == read(video.parent / OUTPUT)["frames"]


def test_low_coverage_has_its_own_status_and_is_written_all_the_same(tmp_path: Path) -> None:
    import numpy as np

    from anchord.demo.film import encode

    blank = ((100.0 * index, np.full((160, 128, 3), 90, np.uint8)) for index in range(6))
    video = encode(tmp_path / "idle.webm", blank)
    ended = anchord("extract", video, "--min-coverage", "0.5")
    assert ended.returncode == 65
    assert "coverage 0.000 is below --min-coverage 0.5" in ended.stderr
    assert "no_face" in ended.stderr
    assert read(tmp_path / OUTPUT)["quality"]["coverage"] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--avatar-id", "../me"], 78, "plain name"),
        (["--avatar-id", "/etc"], 78, "plain name"),
        (["--avatar-id", "nobody"], 66, "no such pack"),
        (["--avatar-id", "me", "--input", "../me/idle.webm"], 78, "video = '../me/idle.webm'"),
        (["--avatar-id", "me", "--input", "gone.webm"], 66, "there is no gone.webm"),
        (["--avatar-id", "me", "--output", "/tmp/x.json"], 78, "output = '/tmp/x.json'"),
        (["--avatar-id", "me", "--sample-rate", "0"], 78, "sample_rate = 0"),
        (["--avatar-id", "me", "--fit", "stretch"], 78, "fit = 'stretch'"),
        (["--avatar-id", "text"], 65, "neither a WebM nor an MP4"),
        (["--avatar-id", "full"], 65, "is a folder; remove it"),
        ([], 2, "name either"),
        (["some.webm", "--avatar-id", "me"], 2, "name either"),
        (["gone.webm"], 66, "No such file"),
        (["--config", "gone.toml", "x.webm"], 78, "gone.toml"),
    ],
)
def test_what_goes_wrong_is_named_and_has_its_status(
    root: Path, arguments: list[str], status: int, words: str
) -> None:
    (root / "text").mkdir()
    (root / "text" / "idle.webm").write_text("no video")
    drop(root / "full" / "idle.webm", small_film())
    (root / "full" / OUTPUT).mkdir()
    ended = anchord("extract", "--base-path", root, *arguments, cwd=root)
    assert ended.returncode == status, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (root / "me" / OUTPUT).exists()


def test_a_terminal_gets_a_progress_bar_and_a_pipe_does_not(tmp_path: Path) -> None:
    video = drop(tmp_path / "idle.webm", small_film(fps=30, seconds=4))
    reader, terminal = pty.openpty()
    command = [sys.executable, "-m", "anchord", "extract", str(video)]
    shown: list[bytes] = []

    def read_all() -> None:
        """While it runs: a terminal that nobody reads holds up who writes to it."""
        with contextlib.suppress(OSError):  # the other side of a terminal is gone: Linux says EIO
            while part := os.read(reader, 65536):
                shown.append(part)

    screen = threading.Thread(target=read_all)
    screen.start()
    ended = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=terminal,
        timeout=120,
        check=True,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(terminal)
    screen.join()
    os.close(reader)
    assert b"/120" in b"".join(shown)
    assert b"frames" in b"".join(shown)
    assert b"timeline written" in ended.stdout
    assert anchord("extract", video).stderr == ""


def test_check_shows_what_holds_and_where_it_came_from(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "anchord.toml"
    config.write_text(f'root = "{root}"\n[extract]\nprecision = 1\n')
    (root / "me" / "anchord.toml").write_text("sample_rate = 5\n")
    ended = anchord("check", "--config", config, "me")
    assert ended.returncode == 0, ended.stderr
    lines = {line.split()[0]: line.split() for line in ended.stdout.splitlines()}
    assert lines["sample_rate"] == ["sample_rate", "5", str(root / "me" / "anchord.toml")]
    assert lines["precision"] == ["precision", "1", str(config)]
    assert lines["fit"] == ["fit", "'contain'", "default"]
    assert "whole" in lines["model"]


def test_check_says_what_to_do_where_neither_face_nor_anchors_are(root: Path) -> None:
    pack = root / "me"
    (pack / "idle.webm").touch()
    poor = made([])
    poor = msgspec.structs.replace(
        poor, quality=msgspec.structs.replace(poor.quality, samples=10, faces=2, coverage=0.2)
    )
    (pack / "anchors_timeline.json").write_bytes(timeline.encode(poor))
    said = anchord("check", "--root", root, "me").stdout
    assert "a face was found in 2 of 10 samples" in said
    assert "anchord anchors" in said
    box = {"anchor": {"x": 10, "y": 10, "w": 50, "h": 40}}
    (pack / "manifest.json").write_text(json.dumps({"mouth": box, "eyes": box}))
    assert "samples" not in anchord("check", "--root", root, "me").stdout


def test_check_says_what_is_in_the_way(root: Path, tmp_path: Path) -> None:
    assert anchord("check", "--root", tmp_path / "gone").returncode == 74
    (root / "me" / "anchord.toml").write_text("sample_rat = 5\n")
    ended = anchord("check", "--root", root)
    assert ended.returncode == 78
    assert "did you mean 'sample_rate'?" in ended.stdout
    assert "1 pack cannot be worked on" in ended.stderr


def test_the_schema_is_printed_as_the_package_uses_it() -> None:
    ended = anchord("schema", "timeline")
    assert json.loads(ended.stdout) == timeline.schema()
    jsonschema.Draft202012Validator.check_schema(timeline.schema())


def test_it_knows_its_version() -> None:
    assert __version__ in anchord("--version").stdout


def extract_stdin(source: int | bytes, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "anchord", "extract", "-", *map(str, arguments)]
    if isinstance(source, bytes):
        return subprocess.run(command, capture_output=True, check=False, timeout=120, input=source)
    return subprocess.run(command, capture_output=True, check=False, timeout=120, stdin=source)


def test_a_video_comes_by_stdin_and_its_timeline_goes_to_stdout() -> None:
    """A pipe, which can't be gone back in, and a file that is opened as stdin."""
    film = small_film()
    piped = extract_stdin(film.read_bytes(), "--sample-rate", "1")
    assert piped.returncode == 0, piped.stderr
    document = json.loads(piped.stdout)
    jsonschema.validate(document, timeline.schema())
    assert document["source"]["video"] == "idle.webm"
    assert document["source"]["size"] == film.stat().st_size
    assert len(document["frames"]) == 15
    assert b"coverage 100.0%" in piped.stderr
    with film.open("rb") as stream:
        opened = extract_stdin(stream.fileno(), "--sample-rate", "1", "-o", "-", "--input", "me.webm")
    again = json.loads(opened.stdout)
    assert again["source"]["video"] == "me.webm"
    assert again["frames"] == document["frames"]


def test_what_came_by_stdin_is_written_where_it_is_told_to(tmp_path: Path) -> None:
    ended = extract_stdin(small_film().read_bytes(), "-o", tmp_path / "out.json")
    assert ended.returncode == 0, ended.stderr
    assert read(tmp_path / "out.json")["quality"]["coverage"] == 1
    assert os.listdir(tmp_path) == ["out.json"]


@pytest.mark.parametrize(("content", "said"), [(b"", b"idle.webm"), (b"no video at all", b"idle.webm")])
def test_what_is_no_video_on_stdin_is_refused_and_nothing_is_said_on_stdout(
    content: bytes, said: bytes
) -> None:
    ended = extract_stdin(content)
    assert ended.returncode == 65
    assert said in ended.stderr
    assert ended.stdout == b""


def test_more_than_may_be_is_not_taken_from_stdin(tmp_path: Path) -> None:
    (tmp_path / "anchord.toml").write_text("[limits]\nmax_bytes = 1000\n")
    ended = extract_stdin(bytes(5000), "--config", tmp_path / "anchord.toml")
    assert ended.returncode == 65
    assert b"over the limit max_bytes = 1000" in ended.stderr
