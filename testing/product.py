"""What is judged: the only room here that calls anchord's tracking."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anchord import timeline
from anchord.errors import VideoError
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.manifest import statics_in
from anchord.model import checked_model
from anchord.settings import DEFAULT_BASE, ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces.mediapipe import Face, FaceFinder
from testing.skin import Find, Seen


def extracted(video: Path, finder: FaceFinder, **settings: Any) -> dict[str, Any] | None:
    """
    The timeline of a video, as any reader of JSON sees it; None where there is none.

    Args:
        video: the file, in its pack.
        finder: kept by the caller.
        settings: of ``ExtractSettings``.
    """
    manifest, picture = video.parent / MANIFEST_NAME, video.parent / DEFAULT_BASE
    statics = statics_in(json.loads(manifest.read_text())) if manifest.exists() else None
    base = picture.read_bytes() if picture.exists() else None
    with video.open("rb") as stream:
        try:
            made = extract(
                stream, video.name, ExtractSettings(**settings), Limits(), finder, statics=statics, base=base
            )
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


class RememberingFinder(FaceFinder):
    """What is found in a picture does not change with what is made of it: each is looked at once."""

    def __init__(self, model: bytes) -> None:
        super().__init__(model)
        self._found: dict[tuple[tuple[int, ...], int], list[Face]] = {}

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """The faces in a picture."""
        key = (pixels.shape, zlib.crc32(pixels.tobytes()))
        if key not in self._found:
            self._found[key] = super().find(pixels)
        return self._found[key]


class ShakenFinder(FaceFinder):
    """A finder each of whose landmarks is off by noise of *shaken_px*: verdicts ought not to hang on that."""

    shaken_px = 0.0

    def find(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """The faces in a picture; the same picture is always off by the same."""
        found = super().find(pixels)
        if not self.shaken_px:
            return found
        random = np.random.default_rng(zlib.crc32(pixels.tobytes()))
        return [
            replace(face, landmarks=face.landmarks + random.normal(0, self.shaken_px, face.landmarks.shape))
            for face in found
        ]


@contextlib.contextmanager
def face_finder(shaken_px: float = 0.0) -> Iterator[FaceFinder]:
    """A finder without the model's chatter, which comes on descriptor 2 and from nowhere else."""
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123  a descriptor, not a file
            os.dup2(nothing.fileno(), 2)
        finder = ShakenFinder(checked_model())
        finder.submit(lambda: finder.find(np.zeros((64, 64, 3), np.uint8))).result()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
    finder.shaken_px = shaken_px
    try:
        yield finder
    finally:
        finder.close()
