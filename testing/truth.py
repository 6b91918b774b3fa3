"""What a film really shows, frame by frame, and its file ``truth.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FILE_NAME = "truth.json"
PARTS = ("mouth", "eyes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """
    The n frames of a film.

    Args:
        size: (width, height) of the film, px.
        times_ms: (n,) presentation times.
        closed: whether the last frame leads back to the first.
        has_face: (n,) whether the face is shown.
        places: per part (n, 2, 3) still to film pixels, right around that part.
        covered: per part (n,) how much of it something is in front of, 0–1.
        boxes: per part left, top, right, bottom in the first frame, film px: what an overlay must cover,
            without padding.
    """

    size: tuple[int, int]
    times_ms: Floats
    closed: bool
    has_face: Mask
    places: Mapping[str, Floats]
    covered: Mapping[str, Floats]
    boxes: Mapping[str, tuple[float, float, float, float]]

    @property
    def duration_ms(self) -> float:
        """From the first frame's start to the last one's end; it lasts as long as the one before."""
        return float(2 * self.times_ms[-1] - self.times_ms[-2] - self.times_ms[0])

    def scale(self, part: str) -> Floats:
        """(n,) how large the part is seen, over the still."""
        return np.asarray(np.sqrt(np.abs(np.linalg.det(self.places[part][:, :, :2]))))

    def roll_deg(self, part: str) -> Floats:
        """(n,) how far the part is turned, clockwise: the rotation of the nearest similarity."""
        m = self.places[part]
        return np.degrees(np.arctan2(m[:, 1, 0] - m[:, 0, 1], m[:, 0, 0] + m[:, 1, 1]))

    def write(self, folder: Path) -> None:
        """As ``truth.json`` in *folder*."""
        frames = [
            {
                "time_ms": round(float(self.times_ms[i]), 3),
                "face": bool(self.has_face[i]),
                **{part: np.round(self.places[part][i], 6).tolist() for part in PARTS},
                "covered": {part: round(float(self.covered[part][i]), 4) for part in PARTS},
            }
            for i in range(len(self.times_ms))
        ]
        document = {
            "width": self.size[0],
            "height": self.size[1],
            "closed": self.closed,
            "boxes": {part: [round(value, 3) for value in self.boxes[part]] for part in PARTS},
            "frames": frames,
        }
        (folder / FILE_NAME).write_text(json.dumps(document, separators=(",", ":")))


def read(folder: Path) -> Truth | None:
    """The truth about the film in *folder*; None where there is none."""
    file = folder / FILE_NAME
    if not file.exists():
        return None
    document = json.loads(file.read_text())
    frames = document["frames"]
    return Truth(
        size=(document["width"], document["height"]),
        times_ms=np.array([frame["time_ms"] for frame in frames]),
        closed=document["closed"],
        has_face=np.array([frame["face"] for frame in frames]),
        places={part: np.array([frame[part] for frame in frames]) for part in PARTS},
        covered={part: np.array([frame["covered"][part] for frame in frames]) for part in PARTS},
        boxes={part: tuple(document["boxes"][part]) for part in PARTS},
    )
