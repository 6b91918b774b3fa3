"""
``python -m testing.sheets FOLDER [NAME...]``: a contact sheet of each film, to be looked at.

Frames are spread over the film; green is what the truth says an overlay must cover, red where it says
that something is in front of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np

from testing import truth
from testing.films import FILMS
from testing.making import VIDEO, all_kept

_ACROSS, _DOWN, _SCALE = 8, 2, 0.42


def sheet(pack: Path) -> np.ndarray:
    """Blue first."""
    known = truth.read(pack)
    assert known is not None
    with av.open(str(pack / VIDEO)) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    count = _ACROSS * _DOWN
    chosen = np.linspace(0, len(pictures) - 1, count).round().astype(int)
    cells = []
    for index in chosen:
        picture = pictures[index].copy()
        for part in truth.PARTS:
            first, here = known.places[part][0], known.places[part][index]
            left, top, right, bottom = known.boxes[part]
            corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
            rest = np.linalg.solve(first[:, :2], (corners - first[:, 2]).T).T
            path = rest @ here[:, :2].T + here[:, 2]
            colour = (60, 60, 255) if known.covered[part][index] >= 0.5 else (90, 255, 90)
            cv2.polylines(picture, [np.round(path * 16).astype(np.int32)], True, colour, 2, cv2.LINE_AA, 4)
            said = f"{known.covered[part][index]:.2f}"
            if known.covered[part][index] > 0:
                cv2.putText(picture, said, tuple(path[1].astype(int).tolist()), 0, 0.8, colour, 2)
        cv2.putText(picture, f"{known.times_ms[index] / 1000:.2f}", (6, 26), 0, 0.8, (255, 255, 255), 2)
        cells.append(cv2.resize(picture, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_AREA))
    rows = [np.hstack(cells[row * _ACROSS : (row + 1) * _ACROSS]) for row in range(_DOWN)]
    return np.vstack(rows)


def main() -> None:
    """Write the sheets."""
    out, names = Path(sys.argv[1]), sys.argv[2:]
    out.mkdir(parents=True, exist_ok=True)
    films = tuple(film for film in FILMS if not names or film.name in names)
    for name, pack in all_kept(films).items():
        cv2.imwrite(str(out / f"{name}.png"), sheet(pack))


if __name__ == "__main__":
    main()
