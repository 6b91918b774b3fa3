"""`anchord preview` as a person types it: what it writes, and what it says."""

from __future__ import annotations

import io
import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import av
import cv2
import numpy as np
import pytest

from anchord.commands.preview import Target, outputs, targets
from anchord.errors import NoInputError, OutputError, SettingsError
from anchord.settings import Settings
from tests.films import small_film
from tests.service.running import drop
from tests.test_cli import anchord


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An avatars root with a pack that has a timeline and sprites, and one whose video is none."""
    root = tmp_path_factory.mktemp("avatars")
    drop(root / "me" / "idle.webm", small_film())
    assert anchord("sprites", "--avatar-id", "me", "--root", root).returncode == 0
    assert anchord("extract", "--avatar-id", "me", "--base-path", root).returncode == 0
    (root / "bad").mkdir()
    (root / "bad" / "idle.webm").write_bytes(b"no video")
    return root


def picture(file: Path) -> np.ndarray:
    found = cv2.imread(str(file))
    assert found is not None
    return np.asarray(found)


def frames(content: bytes) -> tuple[list[float], list[np.ndarray], list[float]]:
    """Times and pictures of a film, and the times of its sound, s."""
    with av.open(io.BytesIO(content), "r") as container:
        shown = list(container.decode(video=0))
        pictures = [frame.to_ndarray(format="rgb24") for frame in shown]
    with av.open(io.BytesIO(content), "r") as container:
        heard = list(container.decode(audio=0)) if container.streams.audio else []
    return [frame.time or 0.0 for frame in shown], pictures, [frame.time or 0.0 for frame in heard]


def test_a_contact_sheet_of_a_pack_shows_its_frames_with_their_anchors(made: Path, tmp_path: Path) -> None:
    ended = anchord("preview", "me", "--root", made, "-o", tmp_path / "sheet.png")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "sheet.png" in ended.stdout
    sheet = picture(tmp_path / "sheet.png")
    assert sheet.shape[1] > 1500
    # Blue first: the mouth's green and the eyes' cyan.
    for colour in ((90, 220, 60), (240, 220, 70)):
        assert (np.abs(sheet.astype(int) - colour).max(axis=2) < 30).sum() > 500


def test_a_plain_video_is_shown_with_a_timeline_that_is_not_written(tmp_path: Path) -> None:
    drop(tmp_path / "clip.webm", small_film())
    ended = anchord("preview", tmp_path / "clip.webm", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "no timeline fits its video" in ended.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.webm", "clip.webm.png"]


def test_a_film_has_every_frame_and_the_packs_sprites(made: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare" / "idle.webm"
    drop(bare, made / "me" / "idle.webm")
    shutil.copy(made / "me" / "anchors_timeline.json", bare.parent)
    for source, name in ((made / "me", "dressed.webm"), (bare.parent, "bare.webm")):
        ended = anchord("preview", source, "--video", "-o", tmp_path / name)
        assert (ended.returncode, ended.stderr) == (0, "")
    times, dressed, heard = frames((tmp_path / "dressed.webm").read_bytes())
    assert times == pytest.approx([i / 15 for i in range(15)], abs=0.002)
    assert heard == []
    assert dressed[0].shape == (640, 512, 3)
    _, plain, _ = frames((tmp_path / "bare.webm").read_bytes())
    anchor = json.loads((bare.parent / "anchors_timeline.json").read_text())["frames"][0]["mouth"]
    box = (
        slice(int(anchor["y"]), int(anchor["y"] + anchor["h"])),
        slice(int(anchor["x"]), int(anchor["x"] + anchor["w"])),
    )
    # At 0.4 s the mouth is open: AA.
    moved = np.abs(dressed[8][box].astype(int) - plain[8][box]).mean()
    assert moved > 5
    # The anchors' green is drawn where there are no sprites, and only there.
    green = [
        (np.abs(film[8].astype(int) - (60, 220, 90)).max(axis=2) < 60).sum() for film in (dressed, plain)
    ]
    assert green[0] < 20 < green[1]


@pytest.mark.parametrize("kind", ["webm", "mp4"])
@pytest.mark.parametrize("codec", ["aac", "libopus"])
def test_the_clips_sound_is_kept(kind: str, codec: str, tmp_path: Path) -> None:
    """Copied where the container can hold it, and encoded anew where not."""
    clip = tmp_path / "loud" / ("idle.mp4" if codec == "aac" else "idle.webm")
    clip.parent.mkdir()
    with_sound(small_film(clip.name), clip, codec)
    ended = anchord("preview", clip.parent, "--video", "-o", tmp_path / f"film.{kind}")
    assert ended.returncode == 0, ended.stderr
    times, _, heard = frames((tmp_path / f"film.{kind}").read_bytes())
    assert len(times) == 15
    assert heard[0] < 0.1
    assert heard[-1] == pytest.approx(1, abs=0.1)


def with_sound(film: Path, file: Path, codec: str) -> None:
    """A silent film with a second of a tone."""
    with av.open(str(film)) as source, av.open(str(file), "w") as out:
        video = out.add_stream_from_template(source.streams.video[0])
        audio: Any = out.add_stream(codec, rate=48_000, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
        tone = np.sin(np.arange(48_000) / 20).astype(np.float32)[None] / 4
        for start in range(0, 48_000, 960):
            frame = av.AudioFrame.from_ndarray(tone[:, start : start + 960], format="fltp", layout="mono")
            frame.rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            out.mux(audio.encode(frame))
        out.mux(audio.encode(None))


def test_a_plot_is_an_svg(made: Path, tmp_path: Path) -> None:
    ended = anchord("preview", "me", "--root", made, "--plot", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ET.fromstring((tmp_path / "me.svg").read_text()).tag.endswith("svg")


def test_one_bad_pack_costs_no_other(made: Path, tmp_path: Path) -> None:
    ended = anchord("preview", "--all", "--root", made, "-o", tmp_path)
    assert ended.returncode == 65
    assert "bad: idle.webm: is neither a WebM" in ended.stderr
    assert "1 of 2 could not be shown" in ended.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["me.png"]


def test_the_page_has_every_pack_and_says_what_is_wrong_with_one(made: Path, tmp_path: Path) -> None:
    ended = anchord("preview", "--all", "--root", made, "--html", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    page = (tmp_path / "anchord.html").read_text()
    assert page.count("<article") == 2
    assert page.index("<h3>bad</h3>") < page.index("<h3>me</h3>")
    assert "is neither a WebM nor an MP4 video" in page
    assert page.count("data:image/jpeg;base64,/9j/") == 1


def test_what_was_named_is_a_video_a_folder_or_a_packs_id(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "idle.webm").write_bytes(b"")
    assert targets(["ada"], tmp_path, Settings(), everything=False) == [
        Target(name="ada", folder=str(tmp_path / "ada"))
    ]
    assert targets([], tmp_path, Settings(), everything=True) == targets(
        ["ada"], tmp_path, Settings(), everything=False
    )
    assert targets([str(tmp_path / "ada")], Path("/nowhere"), Settings(), everything=False)[0].video is None
    groups = Settings(depth=2)
    (tmp_path / "ab" / "abcd").mkdir(parents=True)
    [found] = targets(["ab/abcd"], tmp_path, groups, everything=False)
    assert found == Target(name="ab/abcd", folder=str(tmp_path / "ab/abcd"))
    assert outputs([found], "sheet", None) == ["ab-abcd.png"]
    clip = targets([str(tmp_path / "ada" / "idle.webm")], tmp_path, Settings(), everything=False)[0]
    assert (clip.name, clip.folder) == ("idle.webm", str(tmp_path / "ada"))
    with pytest.raises(NoInputError, match="no such pack"):
        targets(["bob"], tmp_path, Settings(), everything=False)
    for named, everything in (([], False), (["ada"], True)):
        with pytest.raises(SettingsError, match="--all"):
            targets(named, tmp_path, Settings(), everything=everything)


def test_where_it_goes_is_checked_before_any_work(tmp_path: Path) -> None:
    one = [Target(name="ada", folder="/")]
    assert outputs(one, "sheet", None) == ["ada.png"]
    assert outputs(one * 2, "plot", str(tmp_path)) == [f"{tmp_path}/ada.svg"] * 2
    assert outputs(one, "video", f"{tmp_path}/a.mp4") == [f"{tmp_path}/a.mp4"]
    with pytest.raises(SettingsError, match=r"must end with \.webm or \.mp4"):
        outputs(one, "video", "a.gif")
    for form, output, found in (("sheet", "no/a.png", one), ("sheet", "no", one * 2)):
        with pytest.raises(OutputError, match="no folder"):
            outputs(found, form, output)  # type: ignore[arg-type]
