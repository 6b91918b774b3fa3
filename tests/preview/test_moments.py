"""Which frames a person is shown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.preview.moments import moments, spread
from anchord.timeline import Timeline
from tests.preview.conftest import swaying


@given(st.integers(0, 40), st.integers(1, 20))
def test_they_rise_are_no_more_than_asked_for_and_lie_in_the_clip(count: int, most: int) -> None:
    film = swaying(count)
    found = moments(film, most)
    times = [moment.time_ms for moment in found]
    assert times == sorted(set(times))
    assert len(times) <= most
    assert 0 <= times[0] <= times[-1] <= film.source.duration_ms


def test_whatever_happens_is_among_them(eventful: Timeline) -> None:
    said = {moment.why: moment.time_ms for moment in moments(eventful, 12)}
    words = ", ".join(said)
    for word in ("first frame", "last frame", "no face", "mouth hidden", "bridged", "leftmost", "rightmost"):
        assert word in words
    assert said["no face"] == 1650
    assert said["mouth hidden"] == 2200
    assert said["bridged"] == 3100


def test_noise_is_no_motion() -> None:
    film = swaying()
    still = msgspec.structs.replace(
        film,
        frames=[
            msgspec.structs.replace(s, mouth=film.frames[0].mouth, eyes=film.frames[0].eyes)
            for s in film.frames
        ],
    )
    words = [moment.why for moment in moments(still, 12)]
    assert words == ["first frame", *[""] * 10, "last frame"]


def test_a_strip_begins_with_the_first_frame_and_never_leaves_the_clip() -> None:
    film = swaying()
    times = spread(film, 8)
    assert times[0] == film.source.start_ms
    assert times == pytest.approx([500 * i for i in range(8)])
