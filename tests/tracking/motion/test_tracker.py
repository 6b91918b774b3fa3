"""The skin's motion, measured in pixels moved by a known motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.demo.film import Matrix, Pose, film, moved, portrait
from anchord.tracking.faces import FaceFinder
from anchord.tracking.faces.mesh import LEFT_EYE, LOWER_LIDS, RIGHT_EYE, UPPER_LIDS, Landmarks
from anchord.tracking.motion import tracker
from anchord.tracking.motion.similarity import Similarities
from anchord.tracking.motion.tracker import Follower, close_up, followers
from anchord.tracking.tuning import TUNING

Pixels = NDArray[np.uint8]

REST = Pose()


@pytest.fixture(scope="module")
def face(finder: FaceFinder) -> Landmarks:
    """The portrait's landmarks, in pixels of the portrait."""
    matrix = REST.matrix()
    found = finder.submit(lambda: finder.find(moved(portrait(), matrix))).result()
    return np.asarray((found[0].landmarks - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)


def of_portrait(matrix: Matrix) -> Similarities:
    return Similarities(
        a=np.asarray(complex(matrix[0, 0], matrix[1, 0])), b=np.asarray(complex(matrix[0, 2], matrix[1, 2]))
    )


def added(
    follower: Follower,
    face: Landmarks,
    matrix: Matrix,
    *,
    off_px: float = 0.0,
    grain: float = 2.0,
    seed: int = 1,
) -> Pixels:
    """Show a follower the portrait moved by *matrix*, with landmarks that are *off_px*."""
    _, pixels = next(film(lambda _: matrix, times_ms=[0.0], grain=grain, seed=seed))
    landmarks = face @ matrix[:, :2].T + matrix[:, 2]
    landmarks = landmarks + np.random.default_rng(seed).normal(0, off_px, 2)
    follower.add(close_up(pixels, landmarks), landmarks)
    return pixels


def error_px(follower: Follower, poses: list[Pose], part_middle: complex) -> float:
    """Largest distance between where links carry the part's middle and where it really went."""
    truth = [of_portrait(pose.matrix()) for pose in poses]
    worst = 0.0
    for link in follower.links:
        there = truth[link.earlier].of(np.array([part_middle]))
        here = truth[link.later].of(np.array([part_middle]))
        worst = max(worst, float(abs(link.motion.of(there) - here)[0]))
    return worst


def middle_of(face: Landmarks, part: str) -> complex:
    tight = face[list(followers()[part].part.tight)]
    low, high = tight.min(axis=0), tight.max(axis=0)
    return complex(*((low + high) / 2))


@pytest.mark.parametrize("part", ["mouth", "eyes"])
@pytest.mark.parametrize(
    "pose",
    [
        Pose(x=261.37, y=297.8),
        Pose(roll_deg=6),
        Pose(scale=2.56 * 1.07),
        Pose(x=240, y=320, scale=2.4, roll_deg=-4),
    ],
)
def test_a_known_motion_is_measured_to_a_tenth_of_a_pixel_though_landmarks_err(
    face: Landmarks, part: str, pose: Pose
) -> None:
    follower = followers()[part]
    added(follower, face, REST.matrix())
    added(follower, face, pose.matrix(), off_px=1.0, seed=2)
    assert error_px(follower, [REST, pose], middle_of(face, part)) < 0.1
    assert follower.agree[1] > 0.8


def test_changing_light_is_not_motion(face: Landmarks) -> None:
    follower = followers()["eyes"]
    pixels = added(follower, face, REST.matrix())
    landmarks = face @ REST.matrix()[:, :2].T + REST.matrix()[:, 2]
    shade = np.linspace(0.7, 1.0, pixels.shape[1])[None, :, None]
    follower.add(close_up((pixels * shade).astype(np.uint8), landmarks), landmarks)
    assert error_px(follower, [REST, REST], middle_of(face, "eyes")) < 0.1


def test_a_blink_does_not_pull_the_eyes_along(face: Landmarks) -> None:
    """The skin above and below the lids moves with them, further than they are kept clear of."""
    follower = followers()["eyes"]
    pixels = added(follower, face, REST.matrix())
    landmarks = face @ REST.matrix()[:, :2].T + REST.matrix()[:, 2]
    across = np.hypot(*(landmarks[263] - landmarks[33]))
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    pulled = np.zeros_like(x)
    for rim in (RIGHT_EYE, LEFT_EYE):
        eye = landmarks[list(rim)].mean(axis=0)
        pulled += 3 * np.exp(-((x - eye[0]) ** 2 + 2 * (y - eye[1]) ** 2) / (2 * (0.07 * across) ** 2))
    shut = cv2.remap(pixels, x, (y - pulled).astype(np.float32), cv2.INTER_LINEAR)
    landmarks[list(UPPER_LIDS)] = landmarks[list(LOWER_LIDS)]
    follower.add(close_up(shut, landmarks), landmarks)
    assert error_px(follower, [REST, REST], middle_of(face, "eyes")) < 0.1


def test_shut_eyes_are_not_lost_where_all_of_their_skin_is_by_the_lids(
    face: Landmarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "TUNING", replace(TUNING, blink_clearance=3.0))
    follower = followers()["eyes"]
    pixels = added(follower, face, REST.matrix())
    landmarks = face @ REST.matrix()[:, :2].T + REST.matrix()[:, 2]
    landmarks[list(UPPER_LIDS)] = landmarks[list(LOWER_LIDS)]
    follower.add(close_up(pixels, landmarks), landmarks)
    assert follower.agree[1] > 0.8


def test_a_hand_over_the_mouth_agrees_with_nothing(face: Landmarks) -> None:
    both = followers()
    landmarks = face @ REST.matrix()[:, :2].T + REST.matrix()[:, 2]
    for follower in both.values():
        pixels = added(follower, face, REST.matrix())
    hand = pixels.copy()
    x, y = landmarks[[13, 14]].mean(axis=0).astype(int)
    hand[y - 100 : y + 80, x - 130 : x + 130] = np.random.default_rng(3).normal(150, 25, (180, 260, 3))
    for follower in both.values():
        follower.add(close_up(hand, landmarks), landmarks)
    assert both["mouth"].agree[1] < 0.5
    assert both["eyes"].agree[1] > 0.6


def test_it_remembers_a_few_keyframes_however_long_the_clip(face: Landmarks) -> None:
    follower = followers()["mouth"]
    for index in range(12):
        added(follower, face, Pose(x=256 + index).matrix(), seed=index)
    assert len(follower._keyframes) == 1
    follower.add(None, None)
    added(follower, face, REST.matrix(), seed=99)
    assert follower.agree[12] == 0
    assert follower.links[-1].earlier == 0, "after a gap it is measured against a keyframe"


@pytest.mark.parametrize("enlarged", [1, 4])
def test_a_close_up_is_no_larger_than_needed(face: Landmarks, enlarged: int) -> None:
    """So a 4K video costs no more memory than a small one."""
    scaled: Callable[[float], Matrix] = lambda _: REST.matrix() * enlarged  # noqa: E731
    _, pixels = next(film(scaled, times_ms=[0.0], size=(512 * enlarged, 640 * enlarged)))
    landmarks = face @ (REST.matrix() * enlarged)[:, :2].T + REST.matrix()[:, 2] * enlarged
    close = close_up(pixels, landmarks)
    assert close.grey.size < 450 * 450
