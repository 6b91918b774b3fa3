"""Which frames are looked at."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies as st

from anchord.tracking.sampling import Turns


def turns(times_ms: list[float], sample_rate: int) -> list[int]:
    asked = Turns(sample_rate)
    return [index for index, time_ms in enumerate(times_ms) if asked.has_come(time_ms)]


@hypothesis.settings(deadline=None)
@hypothesis.given(st.integers(1, 40), st.sampled_from([10, 23.976, 24, 25, 29.97, 30, 50, 60]))
def test_on_an_even_rate_it_is_every_nth_though_times_are_rounded(sample_rate: int, fps: float) -> None:
    times = [float(round(1000 * index / fps)) for index in range(150)]
    assert turns(times, sample_rate) == list(range(0, 150, sample_rate))


def test_on_a_varying_rate_a_late_frame_is_a_sample_too() -> None:
    times = [0.0, 33, 66, 100, 133, 300, 333, 366, 400, 433]
    assert turns(times, 3) == [0, 3, 5, 8]


def test_at_a_sample_rate_of_one_it_is_every_frame() -> None:
    assert turns([0.0, 40, 200, 230, 800], 1) == [0, 1, 2, 3, 4]
