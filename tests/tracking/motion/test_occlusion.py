"""A hand is seen where one is, and not in a word, a smile, another light or a turned head."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from anchord.demo.film import Pose, moved, portrait
from anchord.tracking.faces import FaceFinder
from anchord.tracking.faces.mesh import AREAS, DRAWN, Landmarks
from anchord.tracking.motion.occlusion import POINTS, Texture, covered, hidden, texture
from anchord.tracking.motion.similarity import Complex

COUNT = 40
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def face(finder: FaceFinder) -> tuple[Pixels, Landmarks]:
    """The portrait in a film's frame, and its landmarks."""
    pixels = moved(portrait(), Pose().matrix())
    found = finder.submit(lambda: finder.find(pixels)).result()
    return pixels, found[0].landmarks


@pytest.fixture
def clip(face: tuple[Pixels, Landmarks]) -> Complex:
    landmarks = face[1]
    return np.tile(landmarks[:, 0] + 1j * landmarks[:, 1], (COUNT, 1))


def filmed(face: tuple[Pixels, Landmarks], seed: int = 1) -> list[Texture]:
    """What a still face with a camera's grain and landmarks' noise looks like."""
    pixels, landmarks = face
    noise = np.random.default_rng(seed)
    return [
        texture(
            np.clip(pixels + noise.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8),
            landmarks + noise.normal(0, 0.1, landmarks.shape),
        )
        for _ in range(COUNT)
    ]


def handed(
    face: tuple[Pixels, Landmarks], part: str, *, left: float = 0.0, right: float = 1.0, seed: int = 3
) -> Texture:
    """The face with fingers over a part from *left* to *right* of its area, as shares of its width."""
    pixels, landmarks = face
    area = landmarks[list(AREAS[part])]
    low, high = area.min(axis=0), area.max(axis=0)
    x0, x1 = (int(low[0] + share * (high[0] - low[0])) for share in (left, right))
    y0, y1 = int(low[1]), int(high[1])
    skin = np.median(pixels[int(landmarks[205, 1]) - 4 :, int(landmarks[205, 0]) - 4 :][:8, :8], axis=(0, 1))
    fingers = 0.85 + 0.15 * np.cos(np.arange(y1 - y0) / 5 + seed)[:, None, None]
    shown = pixels.copy()
    shown[y0:y1, x0:x1] = np.clip(skin * fingers, 0, 255)
    return texture(shown, landmarks)


@pytest.mark.parametrize("part", ["mouth", "eyes"])
def test_a_still_face_is_not_covered(face: tuple[Pixels, Landmarks], clip: Complex, part: str) -> None:
    assert covered(np.stack(filmed(face)), clip, part).max() < 0.05


@pytest.mark.parametrize("part", ["mouth", "eyes"])
@pytest.mark.parametrize(("left", "right"), [(0.0, 1.0), (0.0, 0.5), (0.5, 1.0)])
@pytest.mark.parametrize("lasts", [6, 28])
def test_a_hand_over_half_of_a_part_is_seen_also_where_it_stays_for_most_of_the_clip(
    face: tuple[Pixels, Landmarks], clip: Complex, part: str, left: float, right: float, lasts: int
) -> None:
    seen = filmed(face)
    seen[6 : 6 + lasts] = [handed(face, part, left=left, right=right)] * lasts
    share = covered(np.stack(seen), clip, part)
    is_there = np.isin(np.arange(COUNT), np.arange(6, 6 + lasts))
    assert share[~is_there].max() < 0.15, "what comes back is known at once"
    # Where neither wins, nothing is said.
    assert share[is_there].min() > 0.3 or (lasts == 28 and share.max() == 0)
    if right - left == 1.0:
        assert share[is_there].min() > 0.5


def test_a_hand_over_one_part_does_not_hide_the_other(face: tuple[Pixels, Landmarks], clip: Complex) -> None:
    seen = filmed(face)
    seen[10:20] = [handed(face, "mouth")] * 10
    assert covered(np.stack(seen), clip, "eyes").max() < 0.15


def test_light_that_dims_and_a_dark_corner_are_no_hand(face: tuple[Pixels, Landmarks], clip: Complex) -> None:
    pixels, landmarks = face
    seen = filmed(face)
    shade = np.linspace(0.9, 0.35, pixels.shape[1])[None, :, None]
    seen[20:] = [texture((pixels * shade).astype(np.uint8), landmarks)] * 20
    for part in AREAS:
        assert covered(np.stack(seen), clip, part).max() < 0.1


def test_an_open_mouth_is_no_hand(face: tuple[Pixels, Landmarks], clip: Complex) -> None:
    """The lips are where the landmarks are; only what is between them is new, and is not looked at."""
    seen = filmed(face)
    dark = np.isin(POINTS, DRAWN) & np.isin(POINTS, AREAS["mouth"])
    for sample in seen[15:30]:
        sample[dark, 0] -= 0.2
    assert covered(np.stack(seen), clip, "mouth").max() < 0.15


def test_what_looks_new_but_more_like_a_mouth_is_no_hand(
    face: tuple[Pixels, Landmarks], clip: Complex
) -> None:
    """Wide open, lips stretch and cheeks fold; half a hand would leave less of a mouth to see."""
    seen = filmed(face)
    noise = np.random.default_rng(9)
    lips = np.isin(POINTS, DRAWN) & np.isin(POINTS, AREAS["mouth"])
    around = ~lips & np.isin(POINTS, AREAS["mouth"])
    for sample in seen[20:30]:
        sample[around, 0] += noise.normal(0, 0.12, int(around.sum()))
        sample[lips, 0] -= 0.5
    assert covered(np.stack(seen), clip, "mouth").max() < 0.15
    for sample in seen[20:30]:
        sample[lips, 0] += 1.0
    assert covered(np.stack(seen), clip, "mouth")[20:30].min() > 0.3


def test_what_is_outside_the_picture_tells_nothing(face: tuple[Pixels, Landmarks], clip: Complex) -> None:
    pixels, landmarks = face
    seen = filmed(face)
    cut = int(landmarks[0, 0])
    seen[20:] = [texture(np.ascontiguousarray(pixels[:, :cut]), landmarks)] * 20
    assert np.isnan(seen[20]).any()
    assert covered(np.stack(seen), clip, "mouth").max() < 0.15


def test_texture_is_the_same_at_any_size(face: tuple[Pixels, Landmarks]) -> None:
    pixels, landmarks = face
    large = pixels.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_allclose(texture(large, landmarks * 2 + 0.5), texture(pixels, landmarks), atol=0.08)


def marked(share: list[float], step_ms: float, has_face: list[bool] | None = None) -> list[int]:
    times = np.linspace(0, (len(share) - 1) * step_ms, len(share))
    there = np.ones(len(share), bool) if has_face is None else np.array(has_face)
    return list(np.flatnonzero(hidden(times, there, np.array(share)[there])))


def test_a_moment_is_no_hand_at_any_sample_rate() -> None:
    for step_ms, count in ((33.3, 7), (100.0, 2), (167.0, 1)):
        assert marked([0.0] * 10 + [0.9] * count + [0.0] * 10, step_ms) == []
        assert marked([0.0] * 10 + [0.9] * (count + 1) + [0.0] * 10, step_ms) != []


def test_a_part_is_hidden_a_little_longer_than_it_is_covered() -> None:
    assert marked([0.0] * 5 + [0.8] * 4 + [0.0] * 5, 100.0) == [4, 5, 6, 7, 8, 9]


def test_without_a_face_nothing_is_hidden() -> None:
    found = marked([0.8] * 12, 100.0, [True] * 4 + [False] * 2 + [True] * 6)
    assert found == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]


def test_noise_on_a_single_sample_changes_no_verdict() -> None:
    assert marked([0.0] * 5 + [0.5, 0.6, 0.22, 0.5, 0.6] + [0.0] * 5, 100.0) == [4, 5, 6, 7, 8, 9, 10]
    assert marked([0.0] * 5 + [0.22, 0.24, 0.6, 0.24, 0.22] + [0.0] * 5, 100.0) == []
