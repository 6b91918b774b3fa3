"""The file format: bytes that validate, round where they are written, and stay small."""

from __future__ import annotations

import io
import json
from typing import Any

import hypothesis
import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anchord import timeline
from anchord.timeline import Anchor, Sample, Timeline

VALIDATOR = jsonschema.Draft202012Validator(timeline.schema())

coordinates = st.floats(-5000, 5000, allow_nan=False)
anchors = st.builds(
    Anchor,
    x=coordinates,
    y=coordinates,
    w=coordinates,
    h=coordinates,
    cx=coordinates,
    cy=coordinates,
    roll=coordinates,
)
samples = st.builds(
    Sample,
    frame=st.integers(0, 100_000),
    time_ms=st.floats(0, 1e6),
    status=st.sampled_from(["tracked", "interpolated", "held"]),
    mouth=anchors,
    eyes=anchors,
)


def made(frames: list[Sample], precision: int = 2) -> Timeline:
    return Timeline(
        source=timeline.Source(
            video="idle.webm",
            fps=30.0,
            frame_count=120,
            width=512,
            height=640,
            sample_every_n_frames=3,
            duration_ms=4000.0,
            start_ms=0.0,
            variable_frame_rate=False,
            rotation=0,
            alpha=False,
            codec="vp9",
            size=335_154,
            mtime_us=1_700_000_000_000_000,
            sha256="0" * 64,
        ),
        target=timeline.Target(width=512, height=640, fit="contain"),
        config=timeline.Config(
            mouth_padding=1.5,
            eyes_padding=1.3,
            precision=precision,
            max_gap_ms=500.0,
            follow="auto",
            smoothing="auto",
        ),
        generator=timeline.Generator(
            name="anchord", version="0", method=1, model_sha256="0" * 64, settings_sha256="0" * 64
        ),
        loop=timeline.Loop(closed=False, seam_px=None),
        quality=timeline.Quality(
            coverage=1.0,
            samples=len(frames),
            faces=len(frames),
            gaps=[],
            longest_gap_ms=0.0,
            jitter_px=0.03,
            face_height=0.4,
            warnings=[],
        ),
        frames=frames,
    )


@hypothesis.given(st.lists(samples, max_size=4), st.integers(0, 6))
def test_whatever_is_written_validates_and_reads_back(frames: list[Sample], precision: int) -> None:
    content = timeline.encode(made(frames, precision))
    VALIDATOR.validate(json.loads(content))
    assert timeline.encode(timeline.decode(content)) == content


def test_the_first_versions_keys_come_first_with_their_names_and_types() -> None:
    """A reader of the first version finds what it knows."""
    sample = timeline.decode(timeline.encode(made([])))
    document = json.loads(timeline.encode(sample))
    assert list(document) == [
        "version", "source", "target", "config", "generator", "loop", "quality", "frames",
    ]  # fmt: skip
    assert document["version"] == 1
    assert list(document["source"])[:6] == [
        "video", "fps", "frame_count", "width", "height", "sample_every_n_frames",
    ]  # fmt: skip


def anchor(value: float) -> Anchor:
    return Anchor(x=value, y=value, w=value, h=value, cx=value, cy=value, roll=value)


@pytest.mark.parametrize(
    ("precision", "x", "roll"), [(0, 176, 176.23), (2, 176.23, 176.23), (3, 176.235, 176.235)]
)
def test_numbers_are_rounded_where_they_are_written(precision: int, x: float, roll: float) -> None:
    sample = Sample(frame=0, time_ms=0.0, status="tracked", mouth=anchor(176.2346), eyes=anchor(1.0))
    document: Any = json.loads(timeline.encode(made([sample], precision)))
    mouth = document["frames"][0]["mouth"]
    assert (mouth["x"], mouth["roll"]) == (x, roll)
    assert type(mouth["x"]) is type(x)


def test_no_number_is_written_longer_than_it_needs() -> None:
    sample = Sample(frame=0, time_ms=4000.0, status="tracked", mouth=anchor(-0.0001), eyes=anchor(2.0))
    content = timeline.encode(made([sample]))
    assert b'"time_ms":4000,' in content
    assert b"-0" not in content
    assert b'"x":2,' in content


FIRST_VERSION = b'{"version":1,"source":{"video":"idle.webm"},"frames":[]}\n'


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b'{"version":1}', b"\xff", FIRST_VERSION[:-1], b"[" * 100_000 + b"]}\n"],
)
def test_what_is_no_timeline_that_was_written_whole_is_told_apart(content: bytes) -> None:
    assert timeline.head(io.BytesIO(content)) is None


@given(st.lists(samples, max_size=50))
def test_the_head_says_what_a_timeline_was_made_from(frames: list[Sample]) -> None:
    content = timeline.encode(made(frames))
    found = timeline.head(io.BytesIO(content))
    assert found is not None
    assert (found.source.size, found.source.sha256) == (335_154, "0" * 64)
    assert found.quality is not UNSET
    assert found.quality.samples == len(frames)
    assert timeline.head(io.BytesIO(content[:-3])) is None


def test_the_first_versions_own_file_is_a_timeline_of_unknown_origin() -> None:
    """It is stale, not broken: nothing says what it was made from."""
    keys = timeline.head(io.BytesIO(FIRST_VERSION))
    assert keys is not None
    assert keys.generator.method is not timeline.METHOD


@given(st.lists(samples, max_size=30), st.integers(0, 3))
def test_what_is_decoded_and_encoded_again_is_the_same_bytes(frames: list[Sample], precision: int) -> None:
    """The worker encodes, the parent decodes, checks and encodes by itself."""
    frames = [
        msgspec.structs.replace(frame, frame=i, time_ms=i * 33.333 + 0.1) for i, frame in enumerate(frames)
    ]
    content = timeline.encode(made(frames, precision))
    head, count, written = timeline.recoded(content)
    assert written == content
    assert count == len(frames)
    assert head.frames == []
    assert timeline.decode(written).quality == head.quality


def test_a_timeline_from_before_mirrors_were_seen_is_still_read() -> None:
    document = json.loads(timeline.encode(made([])))
    del document["source"]["mirrored"]
    VALIDATOR.validate(document)
    assert timeline.decode(json.dumps(document).encode()).source.mirrored is False


def test_every_key_is_described_in_the_schema() -> None:
    schema = timeline.schema()
    for name, record in schema["$defs"].items():
        assert record.get("description"), name
        for key, value in record["properties"].items():
            is_self_evident = "$ref" in value or "enum" in value or key in ("name", "frames", "warnings")
            assert is_self_evident or "description" in value or "$ref" in str(value), f"{name}.{key}"
