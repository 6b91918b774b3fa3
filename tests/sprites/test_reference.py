"""Averaging takes noise away and nothing else."""

from __future__ import annotations

import numpy as np

from anchord.sprites.reference import Cut, averaged, noise_of, sharpness_of
from anchord.sprites.warp import Floats
from tests.sprites.conftest import face


def noisy(seed: int, sigma: float = 5.0) -> Floats:
    pixels, _ = face("lisa")
    noise = np.random.default_rng(seed).normal(0, sigma, (*pixels.shape[:2], 1))
    return np.asarray(pixels + noise, np.float32)


def a_cut(pixels: Floats) -> Cut:
    matrix = np.array([[1.0, 0, 0], [0, 1, 0]])
    return Cut(part="mouth", pixels=pixels, points=face("lisa")[1], matrix=matrix, scale=1.0)


def test_the_noise_of_a_camera_is_measured() -> None:
    flat = np.random.default_rng(1).normal(128, 5, (100, 100, 1)).repeat(3, axis=2).astype(np.float32)
    assert 4 < noise_of(flat) < 6


def test_many_frames_have_less_noise_and_no_blur() -> None:
    here = a_cut(noisy(0))
    calm = averaged(here, [noisy(seed) for seed in range(1, 10)])
    assert noise_of(calm) < 0.6 * noise_of(here.pixels)
    assert 0.9 < sharpness_of(calm) / sharpness_of(face("lisa")[0]) < 1.1


def test_what_moved_in_another_frame_leaves_no_ghost() -> None:
    """A glance, or a hand: where it differs, its frame does not count."""
    here = a_cut(noisy(0))
    others = [noisy(seed) for seed in range(1, 5)]
    for other in others:
        other[100:160, 100:160] = 255 - other[100:160, 100:160]
    calm = averaged(here, others)
    there, clean = (slice(100, 160), slice(100, 160)), face("lisa")[0]
    assert np.abs(calm - clean)[there].mean() < 1.1 * np.abs(here.pixels - clean)[there].mean()


def test_light_that_comes_and_goes_is_no_difference() -> None:
    here = a_cut(noisy(0))
    calm = averaged(here, [np.asarray(noisy(seed) + 9, np.float32) for seed in range(1, 10)])
    assert abs(float((calm - here.pixels).mean())) < 0.5
    assert noise_of(calm) < 0.7 * noise_of(here.pixels)
