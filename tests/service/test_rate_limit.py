"""Like failures: a few are told, the rest are counted, and none is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anchord.service.rate_limit import TOLD_SINGLY, WINDOW_S, RateLimit


def test_a_full_disk_is_a_few_lines_and_one_count() -> None:
    limit = RateLimit()
    told = [limit.is_told("No space left on device", now_s=float(second) / 100) for second in range(500)]
    assert told == [True] * TOLD_SINGLY + [False] * (500 - TOLD_SINGLY)
    assert limit.pop_counts(now_s=WINDOW_S - 1) == {}
    assert limit.wait_s(now_s=WINDOW_S - 1) == 1.0
    assert limit.pop_counts(now_s=WINDOW_S) == {"No space left on device": 500 - TOLD_SINGLY}
    assert limit.wait_s(now_s=WINDOW_S) is None
    assert limit.is_told("No space left on device", now_s=WINDOW_S)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20)), max_size=60))
def test_every_failure_is_told_or_counted(failures: list[tuple[str, float]]) -> None:
    limit, now_s, told, counted = RateLimit(), 0.0, 0, 0
    for kind, pause_s in failures:
        now_s += pause_s
        counted += sum(limit.pop_counts(now_s=now_s).values())
        told += limit.is_told(kind, now_s=now_s)
    counted += sum(limit.pop_counts(now_s=now_s + WINDOW_S).values())
    assert told + counted == len(failures)


def test_of_a_window_that_had_few_nothing_is_counted_and_the_next_begins_anew() -> None:
    limit = RateLimit()
    assert all(limit.is_told("full", now_s=0) for _ in range(TOLD_SINGLY))
    assert limit.wait_s(now_s=0) is None
    # At the very end of its window it begins again, whole.
    told = [limit.is_told("full", now_s=WINDOW_S) for _ in range(TOLD_SINGLY + 1)]
    assert told == [True] * TOLD_SINGLY + [False]
    assert limit.pop_counts(now_s=2 * WINDOW_S - 1) == {}
    assert limit.pop_counts(now_s=2 * WINDOW_S) == {"full": 1}

    assert limit.is_told("once", now_s=0)
    for _ in range(TOLD_SINGLY - 1):
        limit.is_told("once", now_s=1)
    assert limit.pop_counts(now_s=WINDOW_S) == {}
