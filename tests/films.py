"""Small films with a known motion, made once per run, and the truth about them."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchord.demo.film import Matrix, breathing, encode, even_times_ms, film

#: Half the size of the sample pack: a quarter of the time.
SIZE = (256, 320)

FAST = {"deadline": "realtime", "cpu-used": "8", "crf": "24", "b": "0"}


def at_half_size(motion: Callable[[float], Matrix]) -> Callable[[float], Matrix]:
    """The same motion in a film of half the size."""
    return lambda t_s: motion(t_s) / 2


_folder = tempfile.TemporaryDirectory(prefix="anchord-films-")


@functools.cache
def small_film(name: str = "breath.webm", *, fps: float = 15, seconds: float = 1.0, seed: int = 1) -> Path:
    """A film of half the size; *name* says the container, *seed* makes its bytes differ."""
    times = even_times_ms(fps, seconds)
    pictures = film(at_half_size(breathing), times_ms=times, size=SIZE, seed=seed)
    file = Path(_folder.name) / f"{fps}-{seconds}-{seed}-{name}"
    codec = "libvpx-vp9" if name.endswith(".webm") else "libx264"
    return encode(file, pictures, codec=codec, options=FAST if codec != "libx264" else None)


def read(file: Path) -> dict[str, Any]:
    """A timeline as any reader of JSON sees it."""
    document: dict[str, Any] = json.loads(file.read_bytes())
    return document


def looseness_px(
    document: dict[str, Any], part: str, motion: Callable[[float], Matrix], *, scale: float = 1.0
) -> NDArray[np.float64]:
    """
    How far each sample's anchor is from the point of the face that it should sit on, target px.

    That point is where the anchor sat in the middle of all samples, carried by the true motion.

    Args:
        document: the timeline.
        part: mouth or eyes.
        motion: portrait to film pixels, for a presentation time in seconds.
        scale: film to target pixels.
    """
    matrices = [motion(sample["time_ms"] / 1000) * scale for sample in document["frames"]]
    centres = np.array([[sample[part]["cx"], sample[part]["cy"]] for sample in document["frames"]])
    back = [np.linalg.solve(m[:, :2], c - m[:, 2]) for m, c in zip(matrices, centres, strict=True)]
    point = np.median(back, axis=0)
    carried = np.array([m[:, :2] @ point + m[:, 2] for m in matrices])
    return np.asarray(np.hypot(*(centres - carried).T))
