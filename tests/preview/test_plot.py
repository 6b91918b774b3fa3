"""A timeline over time."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.preview.plot import _ticks, plot
from anchord.timeline import Timeline
from tests.preview.conftest import swaying

SVG = "{http://www.w3.org/2000/svg}"


def drawn(film: Timeline, name: str = "ada") -> ET.Element:
    return ET.fromstring(plot(name, film))


def paths(root: ET.Element) -> list[str]:
    """Of the curves: two ways each for mouth and eyes, two sizes, two rolls."""
    found = [path.get("d") or "" for path in root.iter(f"{SVG}path")]
    return [path for path in found if "h14" not in path]


def test_the_pen_is_lifted_where_there_is_no_face(eventful: Timeline) -> None:
    found = paths(drawn(eventful))
    assert len(found) == 8
    assert [path.count("M") for path in found] == [2] * 8
    assert [path.count("M") for path in paths(drawn(swaying()))] == [1] * 8


def test_a_curve_stays_in_its_panel(eventful: Timeline) -> None:
    for i, path in enumerate(paths(drawn(eventful))):
        top = 74 + 158 * (0 if i < 4 else 1 if i < 6 else 2)
        points = [tuple(map(float, point)) for point in re.findall(r"([\d.]+) ([\d.]+)", path)]
        assert all(74 <= x <= 982 and top <= y <= top + 128 for x, y in points)
    assert len({y for _, y in re.findall(r"([\d.]+) ([\d.]+)", paths(drawn(eventful))[0])}) > 50


def test_blinks_gaps_and_warnings_are_shown(eventful: Timeline) -> None:
    root = drawn(eventful)
    kinds = [rect.get("class") for rect in root.iter(f"{SVG}rect")]
    assert kinds.count("blink") == 2
    assert kinds.count("gap") == 3
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert any(text.startswith("dark: the face is dark <b>") for text in texts)


def test_without_signals_it_says_that_blinks_are_unknown() -> None:
    film = swaying()
    mute = msgspec.structs.replace(
        film, frames=[msgspec.structs.replace(s, signals=msgspec.UNSET) for s in film.frames]
    )
    assert "unknown without signals" in plot("ada", mute)
    assert "unknown without signals" not in plot("ada", film)


def test_a_clip_without_a_face_has_a_drawing_too() -> None:
    film = msgspec.structs.replace(swaying(), frames=[])
    assert paths(drawn(film, "<&>")) == [""] * 8


@given(st.floats(-1e6, 1e6), st.floats(0.2, 1e6))
def test_ticks_are_round_few_and_inside(low: float, span: float) -> None:
    ticks = _ticks(low, low + span)
    assert 2 <= len(ticks) <= 6
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= tick <= low + span + slack for tick in ticks)
    steps = [b - a for a, b in pairwise(ticks)]
    assert steps == pytest.approx([steps[0]] * len(steps))
