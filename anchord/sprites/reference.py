"""The frame that all sprites are made for, and the clip's other frames brought onto it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anchord.errors import VideoError
from anchord.sprite_set import MAX_SIDE, Box
from anchord.sprites.clip import Clip, Shot, joined, through, undone
from anchord.sprites.warp import Floats, Matrix, Points, blurred, cut_out, grey
from anchord.tracking.faces.mesh import LEFT_EYE, LIPS_INSIDE, LIPS_RIM, OVAL, RIGHT_EYE
from anchord.tracking.video.player import Pixels

# A face turned further shows half a mouth: what is drawn for it no longer looks like one.
_MOST_TURNED_DEG = 25.0
# Lips that are so much thinner or wider than usual, in distances of the eyes' corners, are merely lips.
_PULLED = 0.02
# Distance of the eyes' outer corners under which a mouth has too few pixels to be moved, px of the video.
_FEWEST_PX = 32.0
# Sprite pixels in a target pixel, at least and at most: a sharp screen, and a sheet that is soon loaded.
_LEAST_SCALE, _MOST_SCALE = 1.5, 2.0
# Frames that are averaged: noise falls with their root, so more are hardly better.
_MOST_AVERAGED = 12
# Beyond this, grey levels, a difference is no light.
_OTHER_THING = 8.0
# Heads turned by less than this from the reference have its outline, degrees.
_SAME_OUTLINE_DEG = 6.0
# They show the same shape if landmarks are that near, in distances of the eyes' corners.
_SAME_SHAPE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """
    One part of the face in the reference frame, upright.

    Args:
        part: "mouth" or "eyes".
        pixels: (height, width, 3), 0–255.
        points: (478, 2) landmarks in it.
        matrix: from its px to target px.
        scale: its px in a target px.
    """

    part: str
    pixels: Floats
    points: Points
    matrix: Matrix
    scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def eyes_px(self) -> float:
        """Distance of the outer corners of the eyes in it."""
        return float(np.linalg.norm(self.points[33] - self.points[263]))

    def box(self) -> Box:
        """Where it lies, for a manifest."""
        width, height = self.size[0] / self.scale, self.size[1] / self.scale
        x, y = through(self.matrix, np.array([[self.size[0] / 2, self.size[1] / 2]]))[0].tolist()
        roll = float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))
        return Box(
            x=round(x - width / 2, 2),
            y=round(y - height / 2, 2),
            w=round(width, 2),
            h=round(height, 2),
            roll=round(roll, 3),
        )


def chosen(clip: Clip) -> Shot:
    """
    The frame in which the face is most at rest: lips shut, eyes open, turned as mostly, sharp.

    Raises:
        VideoError: there is none that sprites could be made of.
    """
    seen = [shot for shot in clip.shots if not shot.hidden] or clip.shots
    pose = np.array([shot.face.pose for shot in seen])
    away = np.abs(pose - np.median(pose, axis=0)).max(axis=1)
    detail = np.array([shot.detail for shot in seen])
    blur = 1 - detail / max(float(np.median(detail)), 1e-6)
    lips = np.array([opening(shot.face.landmarks) for shot in seen])
    lids = np.array([_lids_open(shot.face.landmarks) for shot in seen])
    usual = float(np.median(lids))
    # Lips that are pressed together or pulled are shut too, and no mouth could be made of them.
    shape = np.array([_lips(shot.face.landmarks) for shot in seen])
    pulled = np.abs(shape - np.quantile(shape, (0.6, 0.4), axis=0).diagonal()).max(axis=1)
    cost = (
        6 * lips
        + 8 * np.maximum(0, pulled - _PULLED)
        + 3 * np.abs(1 - lids / max(usual, 1e-6))
        + away / 10
        + 0.5 * np.maximum(blur, 0)
    )
    cost = cost + 10 * (np.abs(pose[:, :2]).max(axis=1) > _MOST_TURNED_DEG)
    best = seen[int(np.argmin(cost))]
    yaw, pitch, _ = best.face.pose
    if max(abs(yaw), abs(pitch)) > _MOST_TURNED_DEG:
        raise VideoError(
            f"{clip.name}: the face is turned by {max(abs(yaw), abs(pitch)):.0f}° at its best, and sprites "
            f"need at most {_MOST_TURNED_DEG:.0f}°; use a clip in which it looks at the camera"
        )
    if best.eyes_px < _FEWEST_PX:
        raise VideoError(
            f"{clip.name}: the face is too small for sprites: its eyes' outer corners are "
            f"{best.eyes_px:.0f} px apart, and {_FEWEST_PX:.0f} are the least; come nearer to the camera"
        )
    return best


def opening(landmarks: Points) -> float:
    """How far the lips are apart, in distances of the eyes' corners."""
    across = float(np.linalg.norm(landmarks[33] - landmarks[263]))
    return float(np.linalg.norm(landmarks[13] - landmarks[14])) / across


def _lips(landmarks: Points) -> tuple[float, float]:
    """Height of both lips less their opening, and their width, in distances of the eyes' corners."""
    across = float(np.linalg.norm(landmarks[33] - landmarks[263]))
    height = np.linalg.norm(landmarks[0] - landmarks[13]) + np.linalg.norm(landmarks[14] - landmarks[17])
    return float(height) / across, float(np.linalg.norm(landmarks[61] - landmarks[291])) / across


def _lids_open(landmarks: Points) -> float:
    across = float(np.linalg.norm(landmarks[33] - landmarks[263]))
    gap = landmarks[[159, 386]] - landmarks[[145, 374]]
    return float(np.linalg.norm(gap, axis=1).mean()) / across


def laid_out(clip: Clip, shot: Shot, part: str) -> tuple[Matrix, tuple[int, int], float]:
    """
    How a part's sprites lie on the reference: the matrix to target px, their size, px in a target px.

    They are centred on the tracked anchor, which is where a page puts them.
    """
    pin = shot.pins[part].matrix()
    upright = pin.copy()
    upright[:, :2] /= np.sqrt(np.linalg.det(pin[:, :2]))
    target = undone(clip.to_video(np.array([[1.0, 0, 0], [0, 1, 0]])))
    points = through(undone(upright), through(target, shot.face.landmarks))
    across = float(np.linalg.norm(points[33] - points[263]))
    if part == "mouth":
        below = float(points[152, 1])
        half_width = max(0.62 * across, 1.05 * float(np.abs(points[list(LIPS_RIM), 0]).max()))
        half = np.array([half_width, 1.06 * below])
    else:
        rims = points[list(RIGHT_EYE + LEFT_EYE)]
        half = np.array([float(np.abs(rims[:, 0]).max()) + 0.16 * across, 0.30 * across])
    native = 1 / float(np.mean(clip.where.scale))
    scale = min(float(np.clip(native, _LEAST_SCALE, _MOST_SCALE)), 0.5 * MAX_SIDE / float(half.max()))
    size = np.ceil(2 * half * scale).astype(int)
    width, height = int(size[0]), int(size[1])
    inner = np.array([[1 / scale, 0, -width / 2 / scale], [0, 1 / scale, -height / 2 / scale]])
    return joined(upright, inner), (width, height), scale


def brought(clip: Clip, reference: Shot, shot: Shot, part: str, matrix: Matrix) -> Matrix:
    """From px of a cut to px of the video in another frame: where its anchor has gone."""
    gone = joined(shot.pins[part].matrix(), undone(reference.pins[part].matrix()))
    return clip.to_video(joined(gone, matrix))


def cut(clip: Clip, shot: Shot, part: str, pixels: Pixels) -> Cut:
    """A part of the reference frame."""
    matrix, size, scale = laid_out(clip, shot, part)
    to_video = clip.to_video(matrix)
    return Cut(
        part=part,
        pixels=cut_out(pixels, to_video, size),
        points=through(undone(to_video), shot.face.landmarks),
        matrix=matrix,
        scale=scale,
    )


def alike(clip: Clip, reference: Shot, part: str) -> list[Shot]:
    """The frames in which a part has the shape that it has in the reference, the likest first."""
    rim = list(LIPS_RIM + LIPS_INSIDE if part == "mouth" else RIGHT_EYE + LEFT_EYE)
    here = _own_frame(reference, rim)
    away = [float(np.sqrt(((_own_frame(shot, rim) - here) ** 2).sum(axis=1).mean())) for shot in clip.shots]
    order = np.argsort(away, kind="stable")[:_MOST_AVERAGED]
    return [clip.shots[i] for i in order if away[i] < _SAME_SHAPE and not clip.shots[i].hidden]


def _own_frame(shot: Shot, rim: Sequence[int]) -> Points:
    """Landmarks counted from their mean, in distances of the eyes' corners and turned upright."""
    across = shot.face.landmarks[263] - shot.face.landmarks[33]
    a = complex(*across)
    z = (shot.face.landmarks[rim] @ np.array([1, 1j])) / a
    z = z - z.mean()
    return np.stack([z.real, z.imag], axis=1)


def averaged(here: Cut, others: Sequence[Floats]) -> Floats:
    """
    The reference's cut with less noise: the mean of all frames where they show the same, itself elsewhere.

    Light that comes and goes is taken out of the others first; where a glance or a fold differs, its
    frame does not count.

    Args:
        here: the reference's cut.
        others: (height, width, 3) other frames brought onto it.
    """
    total, weights = here.pixels.copy(), np.ones((*here.pixels.shape[:2], 1), np.float32)
    wide = 0.06 * here.eyes_px
    low = blurred(here.pixels, wide)
    noise = noise_of(here.pixels)
    for other in others:
        evened = other + low - blurred(other, wide)
        away = blurred(np.abs(evened - here.pixels).max(axis=2), 1.5)
        # What is another thing is so on the whole too; light changes all of the face by about the same.
        shade = low - blurred(other, wide)
        shade = np.abs(shade - np.median(shade, axis=(0, 1))).max(axis=2)
        off = np.maximum(away / (2.5 * noise + 1.0), shade / _OTHER_THING)
        weight = (1 / (1 + off**6))[..., None].astype(np.float32)
        total += weight * evened
        weights += weight
    return np.asarray(total / weights)


def noise_of(pixels: Floats) -> float:
    """
    Standard deviation of what a camera adds from pixel to pixel, grey levels.

    Source: Immerkær 1996; the median in place of the mean, which texture would raise.
    """
    shade = grey(pixels)
    inner = (
        shade[:-2, :-2] - 2 * shade[:-2, 1:-1] + shade[:-2, 2:]
        - 2 * (shade[1:-1, :-2] - 2 * shade[1:-1, 1:-1] + shade[1:-1, 2:])
        + shade[2:, :-2] - 2 * shade[2:, 1:-1] + shade[2:, 2:]
    )  # fmt: skip
    return float(np.median(np.abs(inner)) / 0.6745 / 6)


def sharpness_of(pixels: Floats) -> float:
    """What is left of a picture's strongest edges, grey levels: noise hardly counts there."""
    shade = grey(blurred(pixels, 0.7))
    steps = np.hypot(np.diff(shade, axis=0)[:, 1:], np.diff(shade, axis=1)[1:])
    return float(np.quantile(steps, 0.98))


def inside_face(clip: Clip, reference: Shot, here: Cut, most: int) -> list[Points]:
    """
    (36, 2) the face's outline in px of a cut, for shots spread over the clip.

    A head that is turned away has its outline where the reference has a mouth; it is left out.
    """
    near = [
        shot
        for shot in clip.shots
        if np.abs(np.subtract(shot.face.pose[:2], reference.face.pose[:2])).max() < _SAME_OUTLINE_DEG
    ]
    return [
        through(
            undone(brought(clip, reference, shot, here.part, here.matrix)), shot.face.landmarks[list(OVAL)]
        )
        for shot in near[:: max(1, len(near) // most)]
    ]
