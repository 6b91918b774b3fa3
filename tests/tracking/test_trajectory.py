"""What of the samples' links, textures and landmarks gets into the anchors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.tracking.anchors import Placement
from anchord.tracking.body import Seen
from anchord.tracking.faces.mesh import AREAS, DRAWN
from anchord.tracking.motion.occlusion import POINTS
from anchord.tracking.motion.pose_graph import Link
from anchord.tracking.motion.similarity import Complex, Similarities
from anchord.tracking.trajectory import Trajectory, trajectory

COUNT = 20
COVERED = slice(8, 14)


def shape() -> Complex:
    xy = np.random.default_rng(5).uniform(100, 400, (478, 2))
    xy[33], xy[263] = (200, 250), (300, 250)
    return np.asarray(xy[:, 0] + 1j * xy[:, 1])


def textures(*parts: str) -> NDArray[np.float32]:
    """A face that stays as it is, but for foreign skin over some *parts* in ``COVERED``."""
    noise = np.random.default_rng(7)
    looks = np.zeros((COUNT, len(POINTS), 2), np.float32)
    looks[..., 0] = noise.normal(0, 0.2, len(POINTS)) - 0.4 * np.isin(POINTS, DRAWN)
    looks[..., 1] = 0.1 * np.isin(POINTS, DRAWN)
    for part in parts:
        there = np.isin(POINTS, AREAS[part])
        looks[COVERED, there, 0] = noise.normal(0, 0.3, int(there.sum()))
        looks[COVERED, there, 1] = 0.0
    return looks


def made(looks: NDArray[np.float32], links: dict[str, list[Link]], clip: Complex | None = None) -> Trajectory:
    times = np.linspace(0, 100 * (COUNT - 1), COUNT)
    return trajectory(
        Seen(
            times_ms=times,
            has_face=np.ones(COUNT, bool),
            is_sample=np.ones(COUNT, bool),
            clip=np.tile(shape(), (COUNT, 1)) if clip is None else clip,
            links=links,
            agree={part: np.ones(COUNT) for part in ("mouth", "eyes")} if links else {},
            textures=looks,
            frame_times_ms=times,
            end_ms=COUNT * 100.0,
            is_last_extra=False,
        ),
        Placement(scale=(1.0, 1.0), offset=(0.0, 0.0)),
        {"mouth": 1.5, "eyes": 1.3},
        max_gap_ms=500.0,
        smoothing_ms=0.0,
    )


def still(later: int, off_px: float = 0.0) -> Link:
    return Link(
        later=later,
        earlier=0,
        motion=Similarities(a=np.asarray(1 + 0j), b=np.asarray(off_px + 0j)),
        agree=0.9,
        sigma=0.001,
        start=250 + 300j,
        end=250 + 300j + off_px,
        spread=0.001,
        turned=0.0,
    )


def test_a_covered_part_is_hidden_and_the_other_is_not() -> None:
    hidden = made(textures("mouth"), {}).hidden
    assert list(np.flatnonzero(hidden["mouth"])) == list(range(7, 15))
    assert not hidden["eyes"].any()


@pytest.mark.parametrize("follow", [True, False])
def test_the_verdict_is_the_same_with_landmarks_alone(follow: bool) -> None:
    links = {part: [still(i) for i in range(1, COUNT)] for part in ("mouth", "eyes")} if follow else {}
    assert made(textures("eyes"), links).hidden["eyes"].sum() == 8


def test_what_is_followed_on_a_hand_does_not_move_the_anchor() -> None:
    eyes = [still(i) for i in range(1, COUNT)]
    pulled = [still(i, 25.0 if 8 <= i < 14 else 0.0) for i in range(1, COUNT)]
    found = made(textures("mouth"), {"mouth": pulled, "eyes": eyes})
    assert np.ptp(found.tracks["mouth"].centre[:, 0]) < 0.1
    loose = made(textures(), {"mouth": pulled, "eyes": eyes})
    assert np.ptp(loose.tracks["mouth"].centre[:, 0]) > 5, "unless the hand is not seen"


def test_a_hidden_part_goes_with_the_other_and_two_hidden_ones_with_the_landmarks() -> None:
    clip = np.tile(shape(), (COUNT, 1))
    lips = np.arange(478) % 2 == 0
    clip[COVERED] += np.where(lips, 0, 12)
    both = made(textures("mouth", "eyes"), {}, clip)
    assert both.hidden["mouth"].sum() == both.hidden["eyes"].sum() == 8
    assert np.isfinite(both.tracks["mouth"].centre).all()


def followed(sway_px: float) -> tuple[Trajectory, NDArray[np.float64]]:
    """A face that sways, with landmarks on every fifth frame and pixels on all of them."""
    count = 61
    times = np.linspace(0, 2000, count)
    true = sway_px * np.sin(2 * np.pi * times / 1000)
    is_sample = np.arange(count) % 5 == 0
    moves = {
        part: [
            Link(
                later=i,
                earlier=0,
                motion=Similarities(a=np.asarray(1 + 0j), b=np.asarray(true[i] + 0j)),
                agree=0.9,
                sigma=0.001,
                start=250 + 300j,
                end=250 + 300j + true[i],
                spread=0.001,
                turned=0.0,
            )
            for i in range(1, count)
        ]
        for part in ("mouth", "eyes")
    }
    kept = np.flatnonzero(is_sample)
    seen = Seen(
        times_ms=times,
        has_face=np.ones(count, bool),
        is_sample=is_sample,
        clip=shape() + true[kept, None],
        links=moves,
        agree={part: np.ones(count) for part in ("mouth", "eyes")},
        textures=np.tile(textures()[:1], (len(kept), 1, 1)),
        frame_times_ms=times,
        end_ms=2033.0,
        is_last_extra=False,
    )
    found = trajectory(
        seen,
        Placement(scale=(1.0, 1.0), offset=(0.0, 0.0)),
        {"mouth": 1.5, "eyes": 1.3},
        max_gap_ms=500.0,
        smoothing_ms=0.0,
    )
    return found, true


def test_between_samples_the_pixels_say_where_it_is() -> None:
    found, true = followed(12.0)
    off = found.tracks["eyes"].centre[:, 0] - true
    assert np.ptp(off) < 0.3
    assert found.is_written.sum() > 20, "and what a page could not read between samples is written"


def test_a_calm_clip_is_written_as_its_samples_alone() -> None:
    found, _ = followed(0.3)
    assert list(np.flatnonzero(found.is_written)) == list(range(0, 61, 5))
