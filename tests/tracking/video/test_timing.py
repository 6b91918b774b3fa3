"""Times into rate, length and evenness."""

from __future__ import annotations

import pytest

from anchord.tracking.video.timing import timing


def test_a_named_rate_counts_where_it_is_true() -> None:
    """Times are rounded to 1 ms, which makes 30 Hz of 29.97."""
    times = [round(1001 * i / 30) for i in range(60)]
    assert timing(times, end_ms=0, named_fps=30000 / 1001).fps == 30000 / 1001
    assert timing(times, end_ms=0, named_fps=25).fps == pytest.approx(29.97, rel=1e-3)


def test_a_start_offset_is_kept_and_not_counted_as_length() -> None:
    made = timing([500, 600, 700], end_ms=800, named_fps=10)
    assert (made.start_ms, made.duration_ms, made.variable_frame_rate) == (500, 300, False)


def test_the_last_frame_lasts_as_long_as_the_others_where_nothing_is_said() -> None:
    assert timing([0, 40, 80], end_ms=80, named_fps=None).duration_ms == 120
    assert timing([0], end_ms=0, named_fps=None).duration_ms == pytest.approx(1000 / 30)


@pytest.mark.parametrize(("times", "varies"), [([0, 33, 67, 100], False), ([0, 33, 67, 110], True)])
def test_rounding_is_not_a_rate_that_varies(times: list[float], varies: bool) -> None:
    assert timing(times, end_ms=0, named_fps=None).variable_frame_rate is varies
