"""A real video through the real decoder and the real model; the motion it was made by is the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray

from anchord import timeline
from anchord.demo.film import Matrix, Pose, breathing, encode, even_times_ms, film, moved, portrait
from anchord.errors import AnchordError, IncompleteVideoError, VideoError
from anchord.settings import ExtractSettings, Limits
from anchord.tracking import sampling
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from tests.films import FAST, SIZE, at_half_size, looseness_px, small_film

Extract = Callable[..., dict[str, Any]]
Pictures = Iterable[tuple[float, NDArray[np.uint8]]]

half_breathing = at_half_size(breathing)


@pytest.fixture
def extracted(finder: FaceFinder) -> Extract:
    """Extract a file and give the timeline back as a reader sees it, checked against the schema."""

    def run(file: Path, limits: Limits | None = None, **settings: Any) -> dict[str, Any]:
        with file.open("rb") as stream:
            made = extract(stream, file.name, ExtractSettings(**settings), limits or Limits(), finder)
        document: dict[str, Any] = json.loads(timeline.encode(made))
        jsonschema.validate(document, timeline.schema())
        return document

    return run


def webm(file: Path, pictures: Pictures, **options: Any) -> Path:
    return encode(file, pictures, options=FAST, **options)


def half_film(times_ms: list[float], motion: Callable[[float], Matrix] = half_breathing) -> Pictures:
    return film(motion, times_ms=times_ms, size=SIZE)


def held_to(
    document: dict[str, Any], motion: Callable[[float], Matrix], scale: float, limit_px: float
) -> None:
    for part in ("mouth", "eyes"):
        looseness = looseness_px(document, part, motion, scale=scale)
        assert float(np.sqrt((looseness**2).mean())) < limit_px, part


def test_anchors_follow_a_known_motion(tmp_path: Path, extracted: Extract) -> None:
    file = webm(tmp_path / "idle.webm", film(times_ms=even_times_ms(30, 2)))
    document = extracted(file, sample_rate=2)
    assert document["quality"]["coverage"] == 1
    assert [sample["frame"] for sample in document["frames"]] == [*range(0, 60, 2), 59]
    held_to(document, breathing, 1.0, 1.0)
    rolls = [sample["mouth"]["roll"] for sample in document["frames"]]
    true = [np.degrees(np.arctan2(*breathing(s["time_ms"] / 1000)[::-1, 0])) for s in document["frames"]]
    assert np.std(np.array(rolls) - true) < 0.15


@pytest.mark.parametrize(
    ("name", "codec", "reported"),
    [
        ("a.webm", "libvpx-vp9", "vp9"),
        ("a.webm", "libvpx", "vp8"),
        ("a.webm", "libsvtav1", "av1"),
        ("a.mkv", "libvpx-vp9", "vp9"),
        ("a.mp4", "libx264", "h264"),
        ("a.mov", "libx264", "h264"),
    ],
)
def test_formats(tmp_path: Path, extracted: Extract, name: str, codec: str, reported: str) -> None:
    options = FAST if codec.startswith("libvpx") else None
    file = encode(tmp_path / name, half_film(even_times_ms(15, 1)), codec=codec, options=options)
    document = extracted(file, sample_rate=1)
    source = document["source"]
    assert (source["codec"], source["frame_count"], source["width"], source["height"]) == (
        reported,
        15,
        *SIZE,
    )
    assert source["fps"] == pytest.approx(15, rel=0.01)
    assert document["quality"]["coverage"] == 1
    held_to(document, half_breathing, 2.0, 1.0)


def test_times_are_those_of_a_player_on_a_varying_rate(tmp_path: Path, extracted: Extract) -> None:
    times = [0.0, 40.0, 200.0, 230.0, 400.0, 480.0, 520.0, 800.0]
    document = extracted(webm(tmp_path / "idle.webm", half_film(times)), sample_rate=1)
    assert [sample["time_ms"] for sample in document["frames"]] == times
    assert document["source"]["variable_frame_rate"] is True
    held_to(document, half_breathing, 2.0, 1.0)


def test_a_start_offset_is_kept(tmp_path: Path, extracted: Extract) -> None:
    times = [500.0 + 100 * index for index in range(8)]
    document = extracted(webm(tmp_path / "idle.webm", half_film(times), fps=10), sample_rate=1)
    assert document["source"]["start_ms"] == 500
    assert [sample["time_ms"] for sample in document["frames"]] == times
    assert document["source"]["duration_ms"] == pytest.approx(800, abs=40)
    assert document["source"]["variable_frame_rate"] is False


def turned(file: Path, degrees: int) -> Path:
    """Set an MP4's display matrix, as a phone held upright does."""
    matrices = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    content = bytearray(file.read_bytes())
    at = content.index(b"tkhd") + 4 + 4 + 8 + 4 + 4 + 4 + 8 + 8
    a, b, c, d = (value * 65536 for value in matrices[degrees])
    matrix = [a, b, 0, c, d, 0, 0, 0, 1 << 30]
    content[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_seen_as_a_player_shows_it(
    tmp_path: Path, extracted: Extract, degrees: int
) -> None:
    """Stored lying down, with the turn in the track's header."""
    stored = (
        (t, np.ascontiguousarray(np.rot90(p, degrees // 90))) for t, p in half_film(even_times_ms(10, 1))
    )
    file = turned(encode(tmp_path / "idle.mp4", stored, codec="libx264"), degrees)
    document = extracted(file, sample_rate=1)
    assert (document["source"]["width"], document["source"]["height"]) == SIZE
    assert document["source"]["rotation"] % 180 == degrees % 180
    assert document["quality"]["coverage"] == 1
    held_to(document, half_breathing, 2.0, 1.0)


def test_pixels_that_are_not_square_are_shown_square(tmp_path: Path, extracted: Extract) -> None:
    squeeze = np.array([[0.5, 0, 0], [0, 1, 0]])

    def squeezed(t_s: float) -> Matrix:
        return np.asarray(squeeze[:, :2] @ half_breathing(t_s))

    pictures = film(squeezed, times_ms=even_times_ms(10, 0.8), size=(SIZE[0] // 2, SIZE[1]))
    file = encode(tmp_path / "idle.mp4", pictures, codec="libx264", pixel_aspect=2)
    document = extracted(file, sample_rate=1)
    assert (document["source"]["width"], document["source"]["height"]) == SIZE
    held_to(document, half_breathing, 2.0, 1.0)


def test_a_transparent_video_keeps_its_face(tmp_path: Path, extracted: Extract) -> None:
    """With the wrong decoder the hidden part of the picture would be looked at."""

    def seen_through(alpha: int) -> Pictures:
        for time_ms, pixels in half_film(even_times_ms(10, 0.6)):
            yield time_ms, np.dstack([pixels, np.full(pixels.shape[:2], alpha, np.uint8)])

    document = extracted(webm(tmp_path / "a.webm", seen_through(255), pixel_format="yuva420p"), sample_rate=1)
    assert document["source"]["alpha"] is True
    assert document["quality"]["coverage"] == 1
    hidden = extracted(webm(tmp_path / "b.webm", seen_through(0), pixel_format="yuva420p"), sample_rate=1)
    assert hidden["quality"]["coverage"] == 0


@pytest.mark.parametrize("fit", ["contain", "cover", "fill"])
def test_the_video_lies_in_the_target_as_the_page_draws_it(extracted: Extract, fit: str) -> None:
    # Which further frames a page needs depends on the target's pixels, and they move the others a little.
    asked = {"sample_rate": 5, "follow_every_frame": False}
    document = extracted(small_film(), target_width=1000, target_height=500, fit=fit, **asked)
    plain = extracted(small_film(), target_width=SIZE[0], target_height=SIZE[1], **asked)
    scale = {
        "contain": (500 / 320, 500 / 320),
        "cover": (1000 / 256, 1000 / 256),
        "fill": (1000 / 256, 500 / 320),
    }[fit]
    for here, there in zip(document["frames"], plain["frames"], strict=True):
        for side, number, (whole, stored) in (("cx", 0, (1000, 256)), ("cy", 1, (500, 320))):
            offset = (whole - stored * scale[number]) / 2
            assert here["mouth"][side] == pytest.approx(
                there["mouth"][side] * scale[number] + offset, abs=0.05
            )
        assert here["mouth"]["w"] == pytest.approx(there["mouth"]["w"] * scale[0], rel=0.005)
        assert here["mouth"]["h"] == pytest.approx(there["mouth"]["h"] * scale[1], rel=0.005)


def test_padding_widens_the_box_about_its_centre(extracted: Extract) -> None:
    tight = extracted(small_film(), mouth_padding=1.0)["frames"][0]["mouth"]
    wide = extracted(small_film(), mouth_padding=2.0)["frames"][0]["mouth"]
    assert wide["w"] == pytest.approx(2 * tight["w"], abs=0.02)
    assert (wide["cx"], wide["cy"]) == (tight["cx"], tight["cy"])
    assert wide["x"] == pytest.approx(wide["cx"] - wide["w"] / 2, abs=0.02)


def blank(shown: Callable[[int], bool], count: int = 30) -> Pictures:
    for index, (time_ms, pixels) in enumerate(half_film(even_times_ms(15, count / 15))):
        yield time_ms, pixels if shown(index) else np.full_like(pixels, 90)


def warned(document: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in document["quality"]["warnings"]]


def test_without_any_face_the_timeline_is_empty_and_says_what_to_do(
    tmp_path: Path, extracted: Extract
) -> None:
    document = extracted(webm(tmp_path / "idle.webm", blank(lambda _: False)))
    assert document["frames"] == []
    assert document["quality"]["coverage"] == 0
    assert warned(document) == ["no_face"]
    assert "no face in 11 of 11 samples" in document["quality"]["warnings"][0]["message"]


def test_a_short_gap_is_bridged_and_marked(tmp_path: Path, extracted: Extract) -> None:
    file = webm(tmp_path / "idle.webm", blank(lambda index: not 10 <= index < 14))
    document = extracted(file, sample_rate=1)
    status = [sample["status"] for sample in document["frames"]]
    assert status == ["tracked"] * 10 + ["interpolated"] * 4 + ["tracked"] * 16
    assert document["quality"]["coverage"] == pytest.approx(26 / 30, abs=1e-3)
    assert document["quality"]["gaps"] == []
    assert "face_missing" in warned(document)
    assert "0.67–0.87 s" in document["quality"]["warnings"][0]["message"]


def test_a_long_gap_is_left_out_and_listed(tmp_path: Path, extracted: Extract) -> None:
    file = webm(tmp_path / "idle.webm", blank(lambda index: not 10 <= index < 20))
    document = extracted(file, sample_rate=1)
    assert [sample["frame"] for sample in document["frames"]] == [*range(10), *range(20, 30)]
    assert document["quality"]["gaps"] == [[667, 1267]]
    assert document["quality"]["longest_gap_ms"] == pytest.approx(667, abs=1)


@pytest.mark.parametrize(
    ("kept_bytes", "frames"),
    [
        (1 << 30, {9: "tracked", 10: "interpolated", 13: "interpolated", 14: "tracked"}),
        (0, {8: "tracked", 12: "interpolated", 16: "tracked"}),
    ],
    ids=["to the frame", "as coarse as the samples where frames are too large to keep"],
)
def test_where_a_face_comes_and_goes_is_known(
    tmp_path: Path,
    extracted: Extract,
    monkeypatch: pytest.MonkeyPatch,
    kept_bytes: int,
    frames: dict[int, str],
) -> None:
    monkeypatch.setattr(sampling, "_KEPT_BYTES", kept_bytes)
    file = webm(tmp_path / "idle.webm", blank(lambda index: not 10 <= index < 14))
    document = extracted(file, sample_rate=4)
    status = {sample["frame"]: sample["status"] for sample in document["frames"]}
    assert [frame for frame in status if 8 <= frame <= 16] == sorted({8, 12, 16} | set(frames))
    assert {frame: status[frame] for frame in frames} == frames


def test_at_the_ends_the_anchor_is_held(tmp_path: Path, extracted: Extract) -> None:
    file = webm(tmp_path / "idle.webm", blank(lambda index: 3 <= index < 26))
    status = [sample["status"] for sample in extracted(file, sample_rate=1)["frames"]]
    assert status == ["held"] * 3 + ["tracked"] * 23 + ["held"] * 4


def test_two_faces_are_a_warning(tmp_path: Path, extracted: Extract) -> None:
    def pair() -> Pictures:
        for time_ms, pixels in half_film(even_times_ms(10, 0.5)):
            yield time_ms, np.concatenate([pixels, pixels[:, ::-1]], axis=1)

    document = extracted(webm(tmp_path / "idle.webm", pair()), sample_rate=1)
    assert "several_faces" in warned(document)


def test_a_small_face_is_found_or_named_with_its_height(tmp_path: Path, extracted: Extract) -> None:
    source = portrait()

    def distant() -> Pictures:
        for time_ms in even_times_ms(10, 0.5):
            backdrop = np.full((640, 512, 3), 160, np.uint8)
            small = moved(source, Pose(x=51, y=64, scale=0.5).matrix(), (102, 128))
            backdrop[250:378, 200:302] = small
            yield time_ms, backdrop

    document = extracted(webm(tmp_path / "idle.webm", distant()), sample_rate=1)
    if document["quality"]["coverage"] == 0:
        assert warned(document) == ["no_face"]
    else:
        message = next(w["message"] for w in document["quality"]["warnings"] if w["code"] == "face_small")
        assert "30–50 %" in message


def test_a_dark_picture_is_named_as_the_cause(tmp_path: Path, extracted: Extract) -> None:
    pictures = ((t, (p // 40).astype(np.uint8)) for t, p in half_film(even_times_ms(10, 0.5)))
    document = extracted(webm(tmp_path / "idle.webm", pictures), sample_rate=1)
    assert warned(document) == ["no_face"]
    assert "dark" in document["quality"]["warnings"][0]["message"]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(max_bytes=1000), "max_bytes = 1000"),
        (Limits(max_pixels=256 * 319), "max_pixels"),
        (Limits(max_frames=10), "max_frames = 10"),
        (Limits(max_duration_s=0.5), "max_duration_s = 0.5"),
    ],
)
def test_what_is_over_a_limit_is_refused_with_both_numbers(
    extracted: Extract, limits: Limits, words: str
) -> None:
    with pytest.raises(VideoError, match=words):
        extracted(small_film(), limits)


@pytest.mark.parametrize("name", ["vp9.webm", "h264.mp4"])
def test_a_video_cut_in_the_middle_is_never_a_short_timeline(
    tmp_path: Path, extracted: Extract, name: str
) -> None:
    whole = small_film(name).read_bytes()
    file = tmp_path / name
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IncompleteVideoError):
        extracted(file)


def test_a_sound_file_has_no_video(tmp_path: Path, extracted: Extract) -> None:
    import av

    file = tmp_path / "idle.webm"
    with av.open(file, "w") as container:
        stream = container.add_stream("libopus", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="flt", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="no video track"):
        extracted(file)


def test_a_damaged_frame_is_never_passed_over(tmp_path: Path, extracted: Extract) -> None:
    """The whole file is there, so the container is content: only the decoder can tell."""
    content = bytearray(small_film().read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    file = tmp_path / "idle.webm"
    file.write_bytes(content)
    with pytest.raises(AnchordError, match=r"damaged|neither|middle|opened"):
        extracted(file)
