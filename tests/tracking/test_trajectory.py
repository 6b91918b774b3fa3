"""When something is in front of a part, and when it only looks so."""

from __future__ import annotations

import numpy as np
import pytest

from anchord.tracking.anchors import Placement
from anchord.tracking.motion.similarity import Floats
from anchord.tracking.trajectory import Seen, trajectory

COUNT = 20
LOST = slice(8, 14)


def hidden(mouth_agree: Floats, eyes_agree: Floats) -> list[int]:
    """The samples of a still face in which the mouth counts as hidden."""
    xy = np.random.default_rng(5).uniform(100, 400, (478, 2))
    xy[33], xy[263] = (200, 250), (300, 250)
    agree = {"mouth": mouth_agree, "eyes": eyes_agree}
    made = trajectory(
        Seen(
            times_ms=np.linspace(0, 100 * (COUNT - 1), COUNT),
            has_face=np.ones(COUNT, bool),
            clip=np.tile(xy[:, 0] + 1j * xy[:, 1], (COUNT, 1)),
            links={"mouth": [], "eyes": []},
            agree=agree,
            is_known={part: share >= 0.35 for part, share in agree.items()},
            frame_times_ms=np.linspace(0, 100 * (COUNT - 1), COUNT),
            end_ms=COUNT * 100.0,
            is_last_extra=False,
        ),
        Placement(scale=(1.0, 1.0), offset=(0.0, 0.0)),
        {"mouth": 1.5, "eyes": 1.3},
        max_gap_ms=500.0,
        smoothing_ms=None,
    )
    return list(np.flatnonzero(made.hidden["mouth"]))


def agreeing(where: slice = LOST, share: float = 1.0) -> Floats:
    agree = np.ones(COUNT)
    agree[where] = share
    return agree


def test_a_part_that_is_lost_while_the_other_is_seen_is_hidden_and_a_little_longer() -> None:
    assert hidden(agreeing(share=0.2), agreeing()) == list(range(7, 15))


def test_it_stays_hidden_though_the_other_is_lost_later() -> None:
    assert hidden(agreeing(share=0.2), agreeing(slice(10, 12), 0.3)) == list(range(7, 15))


@pytest.mark.parametrize("eyes", [0.3, 0.45])
def test_a_head_that_turns_away_hides_nothing(eyes: float) -> None:
    assert hidden(agreeing(share=0.2), agreeing(share=eyes)) == []


def test_a_moment_may_be_a_smile() -> None:
    assert hidden(agreeing(slice(8, 10), 0.2), agreeing()) == []
    assert hidden(agreeing(slice(8, 11), 0.2), agreeing()) == list(range(7, 12))
