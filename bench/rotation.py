"""
Would an overlay sit better if it turned with the head? ``python -m bench.rotation``.

The page moves a sprite by its anchor: place, size, roll. A head that turns or nods shows the part
foreshortened and askew as well, which a page could imitate from ``pose``. Films of turning heads know where
the corners of each part's box really are; here they are compared with where they would be drawn:

* plain: as the page does;
* rotated: the box is also narrowed by the cosine of the yaw and flattened by that of the pitch, as CSS
  rotateX and rotateY without perspective do;
* fitted: by whatever stretch and skew per sine of yaw and pitch fits best, found on the other people's films:
  more than any rule could know.

Only frames within 10 degrees of how the head is mostly held count. Figures are rms, px of a 512x640 target.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from testing.films import TURNS
from testing.product import extracted, face_finder
from testing.reading import Floats, Reading
from testing.store import all_kept
from testing.truth import PARTS, Truth, read

_WITHIN_DEG = 10.0
NAMES = ("plain", "rotated", "fitted")


def corners(truth: Truth, part: str) -> Floats:
    """(n, 4, 2) the box's corners in each frame, from their middle there."""
    left, top, right, bottom = truth.boxes[part]
    first = truth.places[part][0]
    box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    rest = np.linalg.solve(first[:, :2], (box - first[:, 2]).T).T
    seen = rest @ truth.places[part][:, :, :2].transpose(0, 2, 1) + truth.places[part][:, None, :, 2]
    return np.asarray(seen - seen.mean(axis=1, keepdims=True))


def turns(document: dict[str, Any], times_ms: Floats) -> Floats:
    """(n, 2) yaw and pitch from how the head is mostly held, degrees; straight between samples."""
    told = [(frame["time_ms"], frame["pose"]) for frame in document["frames"] if "pose" in frame]
    at = [time for time, _ in told]
    angles = np.array([(pose["yaw"], pose["pitch"]) for _, pose in told])
    angles -= np.median(angles, axis=0)
    return np.stack([np.interp(times_ms, at, column) for column in angles.T], axis=1)


class Case:
    """One part of one film: what is drawn, what is true, and how the head is turned, where that counts."""

    def __init__(self, who: str, truth: Truth, document: dict[str, Any], part: str) -> None:
        self.who, self.part = who, part
        true = corners(truth, part)
        values = Reading(document).at(part, truth.times_ms)
        angles = turns(document, truth.times_ms)
        counts = (np.abs(angles).max(axis=1) <= _WITHIN_DEG) & ~np.isnan(values[:, 0])
        # Only how the part is shaped is judged, so that no film's first frame is the better one.
        self.still = int(np.flatnonzero(counts)[np.abs(angles[counts]).sum(axis=1).argmin()])
        roll = np.radians(values[:, 4] - values[self.still, 4])
        scale = values[:, 2] / values[self.still, 2]
        turn = scale[:, None, None] * np.stack(
            [np.stack([np.cos(roll), -np.sin(roll)], -1), np.stack([np.sin(roll), np.cos(roll)], -1)], -2
        )
        self.upright = true[self.still]
        self.turn, self.true = turn[counts], true[counts]
        sines = np.sin(np.radians(angles))
        self.sines = (sines - sines[self.still])[counts]
        self.cosines = (np.cos(np.radians(angles)) / np.cos(np.radians(angles[self.still])))[counts]

    def drawn(self, shaped: Floats) -> Floats:
        """(n, 4, 2) the corners, given their (n, 4, 2) places on the upright overlay."""
        return np.asarray(shaped @ self.turn.transpose(0, 2, 1))

    def plain(self) -> Floats:
        """As the page does."""
        return self.drawn(np.broadcast_to(self.upright, self.true.shape))

    def rotated(self) -> Floats:
        """Foreshortened, too."""
        return self.drawn(self.upright[None] * self.cosines[:, None, :])

    def columns(self) -> Floats:
        """(n, 4, 2, 8) what each coefficient does: to x and y, by x and y, by the sine of yaw and pitch."""
        made = np.zeros((*self.true.shape, 8))
        for angle in range(2):
            for axis in range(2):
                for other in range(2):
                    move = np.zeros(self.true.shape)
                    move[:, :, axis] = self.sines[:, None, angle] * self.upright[None, :, other]
                    made[..., 4 * angle + 2 * axis + other] = self.drawn(move)
        return made


def error_px(case: Case, drawn: Floats) -> float:
    return float(np.sqrt(((drawn - case.true) ** 2).sum(axis=-1).mean()))


def main() -> None:
    packs = all_kept(TURNS)
    cases: list[Case] = []
    with face_finder() as finder:
        for film in TURNS:
            truth = read(packs[film.name])
            document = extracted(packs[film.name] / "idle.webm", finder, include=("pose",), sample_rate=1)
            if truth is not None and document is not None:
                cases += [Case(film.who, truth, document, part) for part in PARTS]
    for part in PARTS:
        found = [case for case in cases if case.part == part]
        rows = []
        for case in found:
            others = [other for other in found if other.who != case.who]
            system = np.concatenate([other.columns().reshape(-1, 8) for other in others])
            wanted = np.concatenate([(other.true - other.plain()).ravel() for other in others])
            weights = np.linalg.lstsq(system, wanted, rcond=None)[0]
            fitted = case.plain() + case.columns() @ weights
            rows.append([error_px(case, drawn) for drawn in (case.plain(), case.rotated(), fitted)])
            told = "  ".join(f"{name} {px:.2f}" for name, px in zip(NAMES, rows[-1], strict=True))
            print(f"{part:6} {case.who:16} {told}")
        means = np.sqrt((np.array(rows) ** 2).mean(axis=0))
        told = "  ".join(f"{name} {px:.2f}" for name, px in zip(NAMES, means, strict=True))
        print(f"{part:6} {'all':16} {told}")


if __name__ == "__main__":
    main()
