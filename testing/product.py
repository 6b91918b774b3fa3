"""What is judged: the only room here that calls anchord's tracking."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchord import timeline
from anchord.errors import VideoError
from anchord.model import checked_model
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder
from testing.skin import Find, Seen


def extracted(video: Path, finder: FaceFinder, **settings: Any) -> dict[str, Any] | None:
    """
    The timeline of a video, as any reader of JSON sees it; None where there is none.

    Args:
        video: the file, in its pack.
        finder: kept by the caller.
        settings: of ``ExtractSettings``.
    """
    with video.open("rb") as stream:
        try:
            made = extract(stream, video.name, ExtractSettings(**settings), Limits(), finder)
        except VideoError:
            return None
    document: dict[str, Any] = json.loads(timeline.encode(made))
    return document if document["frames"] else None


def find_with(faces: FaceFinder) -> Find:
    """A finder for ``skin.measured``: of several faces the largest."""

    def find(pixels: NDArray[np.uint8]) -> Seen | None:
        found = faces.submit(lambda: faces.find(pixels)).result()
        if not found:
            return None
        face = max(found, key=lambda face: float(np.ptp(face.landmarks[:, 1])))
        return Seen(landmarks=face.landmarks, yaw_deg=face.pose[0], pitch_deg=face.pose[1])

    return find


@contextlib.contextmanager
def face_finder() -> Iterator[FaceFinder]:
    """A finder without the model's chatter, which comes on descriptor 2 and from nowhere else."""
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123  a descriptor, not a file
            os.dup2(nothing.fileno(), 2)
        finder = FaceFinder(checked_model())
        finder.submit(lambda: finder.find(np.zeros((64, 64, 3), np.uint8))).result()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    try:
        yield finder
    finally:
        finder.close()
