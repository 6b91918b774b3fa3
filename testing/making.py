"""
Films from their descriptions: rendered frame by frame, encoded, and kept on disk with their truth.

A film is a pack: ``idle.webm``, ``truth.json``, and ``manifest.json`` with ``base_face.png`` and the static
anchors of its first frame, which is all that whoever knows no landmarks has to go by.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from anchord.demo.film import Pixels, encode
from testing import motions
from testing.bending import Grimace, Words, bent, eyes_shut_at, mouth_at
from testing.drawing import CHARACTERS, character
from testing.hands import Hand, covered
from testing.motions import MOTIONS, OPEN, Place
from testing.stills import Floats, still
from testing.truth import PARTS, Truth
from testing.turning import Turn, read_at

VIDEO = "idle.webm"
_PADDING = {"mouth": 1.5, "eyes": 1.3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """
    What a film shows.

    Args:
        name: what it is called in tables and budgets.
        asks: what it asks of a tracker, in half a sentence.
        who: a person of ``stills.PEOPLE`` or a character of ``drawing.CHARACTERS``.
        motion: of ``motions.MOTIONS``.
        seconds, fps: how long and how fine.
        uneven: whether frames last between half and three times as long as usual.
        size: (width, height), px.
        words, grimaces, blinks_s: what the face does by itself.
        hands: what comes in front of it.
        gap_s: from when to when nobody is there.
        swing: how far a drawn character's hair swings, px.
        grain: of the camera, of 255.
        light: none; dims by a third and comes back; comes from one side, then from the other.
        blur: of the focus, px.
        crf: of the encoder: 24 is good, 45 is bad.
        is_quick: whether it is among those that every test run looks at.
    """

    name: str
    asks: str
    who: str = "astronaut"
    motion: str = "breath"
    seconds: float = 4.0
    fps: float = 30.0
    uneven: bool = False
    size: tuple[int, int] = (512, 640)
    words: Words | None = None
    grimaces: tuple[Grimace, ...] = ()
    blinks_s: tuple[float, ...] = ()
    hands: tuple[Hand, ...] = ()
    gap_s: tuple[float, float] | None = None
    swing: float = 0.0
    grain: float = 2.0
    light: Literal["even", "dims", "wanders"] = "even"
    blur: float = 0.0
    crf: int = 24
    is_quick: bool = False

    @property
    def is_drawn(self) -> bool:
        """Whether it shows a drawn character, in which no model of faces need find one."""
        return self.who in CHARACTERS

    @property
    def is_closed(self) -> bool:
        """Whether its last frame leads back to its first."""
        return self.motion not in OPEN

    def times_ms(self) -> Floats:
        """(n,) presentation times."""
        if not self.uneven:
            return np.arange(round(self.fps * self.seconds)) * 1000 / self.fps
        random = np.random.default_rng(5)
        steps = random.choice([0.5, 1, 1, 1, 1.5, 3], round(2 * self.fps * self.seconds)) * 1000 / self.fps
        times = np.round(np.concatenate([[0.0], np.cumsum(steps)]))
        return times[times < 1000 * self.seconds - 15]

    def place(self, t_s: float) -> Place:
        """Where the head is at a time."""
        return MOTIONS[self.motion](t_s, self.seconds)


def rendered(film: Film) -> Iterator[tuple[Pixels, Mapping[str, Floats], Mapping[str, float]]]:
    """For each frame its picture, and per part where it is (2, 3) and how much of it is covered."""
    boxes = _boxes(film)
    noise = np.random.default_rng(11)
    width, height = film.size
    sheets = noise.normal(0, film.grain, (5, height, width, 1)).astype(np.float32)
    rest = film.place(0).matrix(film.size)
    for index, time_ms in enumerate(film.times_ms()):
        t_s = float(time_ms) / 1000
        place = film.place(t_s)
        matrix = place.matrix(film.size)
        turn = Turn(film.who, place.yaw_deg, place.pitch_deg) if place.yaw_deg or place.pitch_deg else None
        picture = _moved(_at_rest(film, t_s), matrix, film.size, turn).astype(np.float32)
        if film.gap_s and film.gap_s[0] <= t_s < film.gap_s[1]:
            # The wall behind: what is left of the picture without any detail.
            picture = cv2.GaussianBlur(cv2.resize(picture[:60], film.size), (0, 0), 40)
        cover = np.zeros((height, width), np.float32)
        if film.hands:
            picture, cover = covered(picture, film.hands, t_s, 1 / film.fps, matrix, rest)
        if film.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), film.blur)
        picture = picture * _light(film, t_s)
        sheet = sheets[index % 5][:: 1 - 2 * (index // 5 % 2), :: 1 - 2 * (index // 10 % 2)]
        places = {part: _around(boxes[part], matrix, turn) for part in PARTS}
        shares = {part: _share(cover, boxes[part], places[part]) for part in PARTS}
        yield np.clip(np.round(picture + sheet), 0, 255).astype(np.uint8), places, shares


def _boxes(film: Film) -> dict[str, tuple[float, float, float, float]]:
    if film.is_drawn:
        drawn = CHARACTERS[film.who]
        return {"mouth": drawn.mouth, "eyes": drawn.eyes}
    return {part: still(film.who).box(part) for part in PARTS}


def _at_rest(film: Film, t_s: float) -> Pixels:
    shut = eyes_shut_at(t_s, film.blinks_s)
    shape = mouth_at(t_s, film.words, film.grimaces)
    if film.is_drawn:
        swing = film.swing * math.sin(2 * math.pi * (2 * t_s / film.seconds) - 0.9)
        opened = min(1.0, max(0.0, shape.jaw / 0.19)) if shape else 0.0
        return character(film.who, round(shut, 1), round(2 * swing) / 2, round(opened, 1))
    return bent(still(film.who), shape, round(shut, 3))


def _moved(pixels: Pixels, matrix: Floats, size: tuple[int, int], turn: Turn | None) -> Pixels:
    """A still put into a film; truth counts from a pixel's corner, OpenCV from its middle."""
    half = matrix.copy()
    half[:, 2] += half[:, :2] @ (0.5, 0.5) - 0.5
    if turn is None:
        moved = cv2.warpAffine(pixels, half, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(moved, np.uint8)
    back = cv2.invertAffineTransform(half)
    # Every 4th pixel and one beyond, then straight lines between: as fine as the field itself.
    x, y = np.meshgrid(np.arange(0, size[0] + 4, 4.0), np.arange(0, size[1] + 4, 4.0))
    there = np.stack([x, y], axis=-1) @ back[:, :2].T + back[:, 2]
    there = there + read_at(turn.inverse(), there)
    fine = cv2.warpAffine(
        there.astype(np.float32),
        np.array([[4.0, 0, 0], [0, 4.0, 0]]),
        size,
        flags=cv2.INTER_LINEAR,
    )
    moved = cv2.remap(pixels, fine[..., 0], fine[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def _around(box: tuple[float, float, float, float], matrix: Floats, turn: Turn | None) -> Floats:
    """(2, 3) still to film, right around the middle of a box: the affine map nearest to a turn there."""
    if turn is None:
        return matrix
    left, top, right, bottom = box
    # All of the part says how it goes: an overlay lies on the whole of it.
    x, y = np.meshgrid(np.linspace(left, right, 9), np.linspace(top, bottom, 7))
    rest = np.stack([x, y], axis=-1).reshape(-1, 2)
    seen = turn.moved(rest) @ matrix[:, :2].T + matrix[:, 2]
    fitted, *_ = np.linalg.lstsq(np.column_stack([rest, np.ones(len(rest))]), seen, rcond=None)
    return np.asarray(fitted.T)


def _share(cover: Floats, box: tuple[float, float, float, float], place: Floats) -> float:
    if not cover.any():
        return 0.0
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    mask = np.zeros(cover.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners @ place[:, :2].T + place[:, 2]).astype(np.int32), 255)
    inside = mask > 0
    return float(cover[inside].mean()) if inside.any() else 0.0


def _light(film: Film, t_s: float) -> Floats:
    turn = 2 * math.pi * t_s / film.seconds
    if film.light == "dims":
        return np.float32(0.83 + 0.17 * math.cos(turn))  # type: ignore[return-value]
    if film.light == "wanders":
        across = np.linspace(-1, 1, film.size[0], dtype=np.float32)[None, :, None]
        return 0.85 + 0.22 * across * math.sin(turn) + 0.1 * math.cos(2 * turn)
    return np.float32(1.0)  # type: ignore[return-value]


def make(film: Film, folder: Path) -> Path:
    """The film and its truth as a pack in *folder*, which must not exist; returns it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Under another name until it is whole, so that what exists can be trusted.
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    times_ms = film.times_ms()
    places: dict[str, list[Floats]] = {name: [] for name in PARTS}
    shares: dict[str, list[float]] = {name: [] for name in PARTS}
    first: list[Pixels] = []

    def pictures() -> Iterator[tuple[float, Pixels]]:
        for time_ms, (picture, where, share) in zip(times_ms, rendered(film), strict=True):
            for name in PARTS:
                places[name].append(where[name])
                shares[name].append(share[name])
            if not first:
                first.append(picture)
            yield float(time_ms), picture

    options = {"crf": str(film.crf), "b": "0", "deadline": "realtime", "cpu-used": "7"}
    encode(part / VIDEO, pictures(), options=options, fps=round(film.fps))
    t_s = times_ms / 1000
    gap = film.gap_s or (math.inf, math.inf)
    boxes = {}
    for name, box in _boxes(film).items():
        matrix = places[name][0]
        corners = np.array(box).reshape(2, 2) @ matrix[:, :2].T + matrix[:, 2]
        boxes[name] = (*corners[0].tolist(), *corners[1].tolist())
    truth = Truth(
        size=film.size,
        times_ms=times_ms,
        closed=film.is_closed,
        has_face=~((t_s >= gap[0]) & (t_s < gap[1])),
        places={name: np.array(places[name]) for name in PARTS},
        covered={name: np.array(shares[name]) for name in PARTS},
        boxes=boxes,
    )
    truth.write(part)
    _write_manifest(part, film, truth, first[0])
    shutil.rmtree(folder, ignore_errors=True)
    part.chmod(0o755)
    part.rename(folder)
    return folder


def _write_manifest(folder: Path, film: Film, truth: Truth, first: Pixels) -> None:
    """As the avatar service serves it: static anchors in the pixels of the base face."""
    cv2.imwrite(str(folder / "base_face.png"), cv2.cvtColor(first, cv2.COLOR_RGB2BGR))
    width, height = film.size
    manifest: dict[str, object] = {
        "id": film.name,
        "version": "1",
        "base": {
            "type": "image",
            "src": "base_face.png",
            "width": width,
            "height": height,
            "idleVideo": VIDEO,
        },
    }
    for name in PARTS:
        left, top, right, bottom = truth.boxes[name]
        w, h = (right - left) * _PADDING[name], (bottom - top) * _PADDING[name]
        x, y = (left + right - w) / 2, (top + bottom - h) / 2
        manifest[name] = {"anchor": {"x": round(x, 2), "y": round(y, 2), "w": round(w, 2), "h": round(h, 2)}}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


def store() -> Path:
    """Where films are kept: ``ANCHORD_FILMS``, or ``.films`` beside this package."""
    return Path(os.environ.get("ANCHORD_FILMS") or Path(__file__).parents[1] / ".films")


def _digest(film: Film) -> str:
    """Of all that shapes a film: its description, the rooms that render it, the portraits."""
    from anchord.demo import film as film_room
    from anchord.demo import lips, sprites, warp
    from testing import bending, drawing, hands, stills, truth, turning

    rooms = (film_room, lips, sprites, warp, bending, drawing, hands, motions, stills, truth, turning)
    content = hashlib.sha256(repr(replace(film, asks="", is_quick=False)).encode())
    for path in (Path(__file__), *(Path(str(room.__file__)) for room in rooms), film_room.PORTRAIT_FILE):
        content.update(path.read_bytes())
    for path in sorted(stills.PORTRAITS.iterdir()):
        content.update(path.read_bytes())
    return content.hexdigest()[:12]


def kept(film: Film) -> Path:
    """The film's pack, made now where the store has none yet."""
    folder = store() / f"{film.name}-{_digest(film)}"
    return folder if folder.exists() else make(film, folder)


def all_kept(films: tuple[Film, ...], processes: int = 0) -> dict[str, Path]:
    """The packs of many films by name, made in as many processes as there are cores."""
    # OpenCV's own threads would fight with the processes.
    with ProcessPoolExecutor(
        processes or os.cpu_count(), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        return {film.name: folder for film, folder in zip(films, pool.map(kept, films), strict=True)}
