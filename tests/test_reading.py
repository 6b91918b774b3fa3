"""Where an anchor is at a time. That it is where the page draws it is tested beside the page."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord import reading, timeline
from anchord.errors import ArgumentError
from anchord.reading import PARTS, Curves, Values, anchor_at
from anchord.timeline import Anchor, Part, Sample, Timeline
from tests.test_timeline import made


def moving(
    times_ms: Sequence[float], *, closed: bool = False, gaps: Sequence[tuple[float, float]] = ()
) -> Timeline:
    """The mouth moves one px a ms to the right; the eyes rest."""
    eyes = Anchor(x=0, y=0, w=10, h=4, cx=5, cy=2, roll=0)
    frames = [
        Sample(
            frame=i,
            time_ms=time,
            status="tracked",
            mouth=Anchor(x=time - 5, y=0, w=10, h=4, cx=time, cy=2, roll=0),
            eyes=eyes,
        )
        for i, time in enumerate(times_ms)
    ]
    plain = made(frames)
    duration_ms = times_ms[-1] - times_ms[0] + 100 if times_ms else 0
    return msgspec.structs.replace(
        plain,
        source=msgspec.structs.replace(plain.source, duration_ms=duration_ms),
        loop=msgspec.structs.replace(plain.loop, closed=closed),
        quality=msgspec.structs.replace(plain.quality, gaps=list(gaps)),
    )


rising = st.lists(st.integers(0, 10_000), min_size=1, max_size=20, unique=True).map(sorted)


@given(rising, st.booleans())
def test_a_sample_is_given_back_at_its_time(times: list[int], closed: bool) -> None:
    film = moving([float(time) for time in times], closed=closed)
    for sample in film.frames:
        found = anchor_at(film, "mouth", sample.time_ms)
        assert found is not None
        assert found.cx == pytest.approx(sample.mouth.cx)
        assert (found.x, found.y) == pytest.approx((found.cx - found.w / 2, found.cy - found.h / 2))


@given(rising, st.floats(-1000, 12_000))
def test_what_moves_evenly_is_followed_evenly_and_held_at_both_ends(times: list[int], time_ms: float) -> None:
    found = anchor_at(moving([float(time) for time in times]), "mouth", time_ms)
    assert found is not None
    assert found.cx == pytest.approx(min(max(time_ms, times[0]), times[-1]), abs=1e-6)


@given(rising, st.booleans(), st.floats(-1000, 12_000))
def test_a_timeline_and_its_parsed_file_are_read_alike(
    times: list[int], closed: bool, time_ms: float
) -> None:
    film = moving([float(time) for time in times], closed=closed)
    document = json.loads(timeline.encode(film))
    for part in PARTS:
        assert Curves.of_document(document).at(part, time_ms) == Curves.of(film).at(part, time_ms)


def test_inside_a_gap_no_face_is_in_sight() -> None:
    film = moving([0, 100, 900, 1000], gaps=[(150, 850)])
    assert [anchor_at(film, "mouth", time) is None for time in (149, 150, 500, 850, 851)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_without_samples_there_is_no_anchor() -> None:
    assert anchor_at(moving([]), "eyes", 0) is None


def test_files_of_the_first_version_are_read_too() -> None:
    box = {"x": 10, "y": 20, "w": 30, "h": 40}
    document = {
        "version": 1,
        "source": {"frame_count": 100, "fps": 25},
        "frames": [{"time_ms": 0, "mouth": box, "eyes": box}],
    }
    curves = Curves.of_document(document)
    assert curves.duration_ms == 4000
    assert curves.at("mouth", 5) == (25, 40, 30, 40, 0)


@pytest.mark.parametrize(
    ("part", "time_ms", "says"),
    [("nose", 0.0, "part = 'nose': must be one of mouth, eyes"), ("mouth", float("nan"), "finite")],
)
def test_what_cannot_be_is_refused_by_name(part: str, time_ms: float, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        anchor_at(moving([0]), part, time_ms)  # type: ignore[arg-type]


def test_curves_go_with_their_timeline() -> None:
    film = moving([0, 100])
    anchor_at(film, "mouth", 50)
    known = len(reading._known)
    del film
    gc.collect()
    assert len(reading._known) == known - 1


def test_a_roll_takes_the_shorter_way_and_half_a_turn_goes_back() -> None:
    """As JavaScript's Math.round has it."""

    def rolled(*rolls: float) -> list[float]:
        rows: dict[Part, list[Values]] = {part: [(0, 0, 1, 1, roll) for roll in rolls] for part in PARTS}
        curves = Curves(times_ms=range(len(rolls)), rows=rows)
        return [row[4] for row in curves.rows["mouth"]]

    assert rolled(170, -170) == [170, 190]
    assert rolled(-170, 170, 10) == [-170, -190, -350]
    assert rolled(0, 180, 0) == [0, -180, -360]


def test_a_loop_is_closed_only_where_it_is_said_and_lasts_longer_than_its_samples() -> None:
    rows: dict[Part, list[Values]] = {part: [(x, 0, 1, 1, 0) for x in (0, 10)] for part in PARTS}
    assert not Curves(times_ms=[0, 100], rows=rows, duration_ms=200).is_closed
    assert not Curves(times_ms=[0, 100], rows=rows, duration_ms=100, is_closed=True).is_closed
    closed = Curves(times_ms=[0, 100], rows=rows, duration_ms=200, is_closed=True)
    at = closed.at("mouth", 150)
    assert at
    assert at[0] == pytest.approx(5)
