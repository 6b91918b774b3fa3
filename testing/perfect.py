"""Timelines that are right by construction, and wrong by a known amount: scorers are held to these."""

from __future__ import annotations

from typing import Any

import numpy as np

from testing.truth import PARTS, Floats, Truth


def document(
    truth: Truth,
    *,
    every: int = 1,
    shift: Floats | None = None,
    roll_deg: float | Floats = 0.0,
    grown: float | Floats = 1.0,
    hidden: dict[str, list[int]] | None = None,
) -> dict[str, Any]:
    """
    A timeline whose target pixels are the film's.

    Args:
        truth: what it knows.
        every: which frames are samples.
        shift: (n, 2) px added to the centres.
        roll_deg: added to the roll.
        grown: multiplied into the size.
        hidden: per part the frames that are marked.
    """
    n = len(truth.times_ms)
    shift = np.zeros((n, 2)) if shift is None else shift
    roll_deg, grown = np.broadcast_to(roll_deg, n), np.broadcast_to(grown, n)
    anchors: dict[str, list[dict[str, float]]] = {}
    for part in PARTS:
        left, top, right, bottom = truth.boxes[part]
        first = truth.places[part][0]
        middle = np.linalg.solve(
            first[:, :2], np.array([(left + right) / 2, (top + bottom) / 2]) - first[:, 2]
        )
        scale = truth.scale(part) / truth.scale(part)[0]
        roll = truth.roll_deg(part)
        anchors[part] = []
        for i in range(n):
            cx, cy = truth.places[part][i] @ (*middle, 1.0) + shift[i]
            w, h = (right - left) * scale[i] * grown[i], (bottom - top) * scale[i] * grown[i]
            anchors[part].append(
                {
                    "x": cx - w / 2,
                    "y": cy - h / 2,
                    "w": w,
                    "h": h,
                    "cx": cx,
                    "cy": cy,
                    "roll": roll[i] + roll_deg[i],
                }
            )
    marks = {part: set((hidden or {}).get(part, ())) for part in PARTS}
    frames = []
    for i in range(0, n, every):
        if not truth.has_face[i]:
            continue
        frame: dict[str, Any] = {"frame": i, "time_ms": float(truth.times_ms[i]), "status": "tracked"}
        frame |= {part: anchors[part][i] for part in PARTS}
        if said := [part for part in PARTS if i in marks[part]]:
            frame["hidden"] = said
        frames.append(frame)
    width, height = truth.size
    return {
        "version": 1,
        "source": {
            "duration_ms": truth.duration_ms,
            "start_ms": float(truth.times_ms[0]),
            "width": width,
            "height": height,
            "sample_every_n_frames": every,
        },
        "target": {"width": width, "height": height, "fit": "contain"},
        "loop": {"closed": truth.closed},
        "quality": {"gaps": [], "coverage": 1.0, "warnings": []},
        "frames": frames,
    }
