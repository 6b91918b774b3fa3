"""A clip as the sprites' maker sees it: faces, where they are, and their pixels when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from io import BufferedReader

import numpy as np

from anchord.errors import VideoError
from anchord.settings import ExtractSettings, Limits
from anchord.sprites.warp import Floats, Matrix, Points
from anchord.tracking import anchors
from anchord.tracking.anchors import Placement
from anchord.tracking.extract import tracked
from anchord.tracking.faces import Face, FaceFinder, light
from anchord.tracking.faces.mesh import EYE_CORNERS
from anchord.tracking.video import Video
from anchord.tracking.video.player import Pixels

# A face whose sharpness nobody could measure counts as sharp; real ones have at most half of this.
_SHARPEST = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An opened video file, what messages call it, and what finds the faces in it."""

    stream: BufferedReader
    name: str
    limits: Limits
    finder: FaceFinder


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Where an anchor is: its middle in target px, its scale, and its roll in radians clockwise."""

    centre: Floats
    scale: float
    roll: float

    def matrix(self) -> Matrix:
        """From the anchor's own upright px, counted from its middle, to target px."""
        a, b = self.scale * np.cos(self.roll), self.scale * np.sin(self.roll)
        return np.array([[a, -b, self.centre[0]], [b, a, self.centre[1]]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """
    A frame with the face in it.

    Args:
        index: of the frame.
        time_ms: its presentation time.
        face: landmarks in px of the video.
        pins: per part.
        detail: how sharp the face is; only beside the same clip's others it means something.
        light: the skin's red, green and blue over the clip's mean.
        hidden: whether something is in front of the mouth or the eyes.
    """

    index: int
    time_ms: float
    face: Face
    pins: dict[str, Pin]
    detail: float
    light: Floats
    hidden: bool

    @property
    def eyes_px(self) -> float:
        """Distance of the outer corners of the eyes, px of the video."""
        right, left = self.face.landmarks[list(EYE_CORNERS)]
        return float(np.linalg.norm(left - right))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """All shots of a video, and how it lies in the target."""

    name: str
    size: tuple[int, int]
    where: Placement
    shots: list[Shot]

    def to_video(self, matrix: Matrix) -> Matrix:
        """A matrix that leads to target px, leading to px of the video."""
        scale, offset = np.array(self.where.scale), np.array(self.where.offset)
        led = matrix.copy()
        led[:, 2] -= offset
        return np.asarray(led / scale[:, None])


def watched(source: Source, settings: ExtractSettings, on_progress: Callable[[int, int], None]) -> Clip:
    """
    Track a clip just as its timeline is made.

    Raises:
        VideoError: it can't be used, or there is no face in it.
    """
    source.stream.seek(0)
    samples, facts, made = tracked(
        source.stream, source.name, settings, source.limits, source.finder, on_progress=on_progress
    )
    if made is None:
        raise VideoError(
            f"{source.name}: shows no face, so there is none to make sprites of; "
            "use a clip in which a face fills 30–50 % of the height"
        )
    colours = iter(light.relative([sample.colour for sample in samples if sample.colour is not None]))
    shots = []
    for i, sample in enumerate(samples):
        if sample.face is None or sample.look is None:
            continue
        tracks = {part: made.tracks[part] for part in ("mouth", "eyes")}
        shots.append(
            Shot(
                index=sample.index,
                time_ms=sample.time_ms,
                face=sample.face,
                pins={
                    part: Pin(
                        centre=track.centre[i],
                        scale=float(track.size[i, 0] / track.size[0, 0]),
                        roll=float(np.radians(track.roll[i])),
                    )
                    for part, track in tracks.items()
                },
                detail=min(sample.look.sharpness, _SHARPEST),
                light=next(colours),
                hidden=bool(made.hidden["mouth"][i] or made.hidden["eyes"][i]),
            )
        )
    where = anchors.placement(
        (facts.width, facts.height), (settings.target_width, settings.target_height), settings.fit
    )
    return Clip(name=source.name, size=(facts.width, facts.height), where=where, shots=shots)


def pictures(source: Source, wanted: Collection[int]) -> dict[int, Pixels]:
    """The frames with these indices; the video is decoded once more, since nobody could keep all of it."""
    source.stream.seek(0)
    found = {}
    with Video(
        stream=source.stream, name=source.name, limits=source.limits, threads=source.finder.threads
    ) as video:
        last = max(wanted)
        for frame in video.frames():
            if frame.index in wanted:
                found[frame.index] = frame.rgb()
            if frame.index >= last:
                break
    return found


def through(matrix: Matrix, points: Points) -> Points:
    """*points* put through *matrix*."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def undone(matrix: Matrix) -> Matrix:
    """What leads back."""
    turned = np.linalg.inv(matrix[:, :2])
    return np.hstack([turned, (-turned @ matrix[:, 2])[:, None]])


def joined(then: Matrix, first: Matrix) -> Matrix:
    """The matrix that does *first*, *then* the other."""
    return np.hstack([then[:, :2] @ first[:, :2], (then[:, :2] @ first[:, 2] + then[:, 2])[:, None]])
