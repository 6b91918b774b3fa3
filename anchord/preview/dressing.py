"""A pack's sprites on its clip, as the page lays them: which picture, how soft, how lit, and where."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import UNSET

from anchord.placing import Reference, placed, references
from anchord.preview.drawing import Pixels, decoded, feathered, laid_over
from anchord.reading import PARTS, Curves, Values
from anchord.sprites.warp import Floats
from anchord.timeline import Part, Timeline

#: What a manifest leaves out, as the page completes it.
_USUAL_STATICS: dict[Part, Values] = {"mouth": (256, 460, 160, 120, 0), "eyes": (256, 280, 232, 80, 0)}
_USUAL_FEATHER = {"mouth": 8, "eyes": 6}
_USUAL_CELL = (160, 120)
_USUAL_VISEMES = ("REST", "AA", "EE", "OH", "OO", "FF", "TH")
LIDS = ("open", "half", "closed")

# A sprite that nobody speaks with is shown in turn with the others, each so long, ms.
_VISEME_MS = 400.0
# Once in so long the eyes blink; into it so far they are half shut, shut, and half shut again, ms.
_BLINK_EVERY_MS, _BLINK = 2500.0, ((80.0, "half"), (180.0, "closed"), (260.0, "half"))
# No cell of a pack in use is wider; whoever says so would have all memory filled.
_MOST_PX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """
    One part's sprites.

    Args:
        cells: name -> (h, w, 3) 0–255.
        opacity: (h, w) 0–1.
        light: red, green and blue that they were made in, over the clip's mean.
        still: where the part lies on the base face.
        cover: the sprites' size over the tracked box, in packs that say it.
    """

    cells: Mapping[str, Floats]
    opacity: Floats
    light: Floats
    still: Values
    cover: tuple[float, float] | None


class Dressing:
    """
    The sprites of a pack.

    Args:
        manifest: as parsed; whatever it leaves out is as usual.
        pictures: mouth, mouth_mask, eyes_mask, eyes_open, eyes_half, eyes_closed: those that are there.
        timeline: with at least one sample.
        curves: of it.

    Attributes:
        parts: which have sprites.
    """

    def __init__(
        self, manifest: Any, pictures: Mapping[str, bytes], timeline: Timeline, curves: Curves
    ) -> None:
        self._curves = curves
        says = manifest if isinstance(manifest, dict) else {}
        self._layers: dict[Part, _Layer] = {}
        for part in PARTS:
            said = says.get(part)
            layer = _layer(part, said if isinstance(said, dict) else {}, pictures)
            if layer is not None:
                self._layers[part] = layer
        statics = {
            part: self._layers[part].still if part in self._layers else _USUAL_STATICS[part] for part in PARTS
        }
        self._references: dict[Part, Reference] = references(timeline, curves, statics)
        lit = [(s.time_ms, s.light) for s in timeline.frames if s.light is not UNSET]
        self._light_ms = [time for time, _ in lit]
        self._lights = [(light.r, light.g, light.b) for _, light in lit]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Which parts have sprites."""
        return tuple(self._layers)

    def draw(self, canvas: Pixels, time_ms: float, scale: float, *, since_ms: float) -> None:
        """
        Lay them over a frame of the clip, in place.

        Args:
            canvas: the target, *scale* px for each of its own.
            time_ms: presentation time.
            scale: canvas pixels in a target pixel.
            since_ms: how long the film runs: says what is shown.
        """
        for part in reversed(PARTS):  # the mouth above the eyes
            layer, at = self._layers.get(part), self._curves.at(part, time_ms)
            if layer is None or at is None:
                continue
            cell = layer.cells.get(_shown(part, layer, since_ms))
            if cell is None:
                continue
            place = placed(at, self._references[part], layer.still)
            if layer.cover:
                place = (*at[:2], at[2] * layer.cover[0], at[3] * layer.cover[1], at[4])
            cx, cy, w, h, roll = place
            lit = np.clip(cell * self._gain(time_ms, layer), 0, 255)
            laid_over(canvas, lit, layer.opacity, (cx * scale, cy * scale, w * scale, h * scale, roll))

    def _gain(self, time_ms: float, layer: _Layer) -> Floats:
        if not self._lights:
            return np.ones(3)
        now = [
            float(np.interp(time_ms, self._light_ms, channel)) for channel in zip(*self._lights, strict=True)
        ]
        return np.array(now) / np.maximum(layer.light, 1e-3)


def _shown(part: Part, layer: _Layer, since_ms: float) -> str:
    if part == "mouth":
        names = list(layer.cells)
        return names[int(since_ms / _VISEME_MS) % len(names)]
    into = since_ms % _BLINK_EVERY_MS
    past = bisect.bisect_right([end for end, _ in _BLINK], into)
    return _BLINK[past][1] if past < len(_BLINK) else "open"


def _layer(part: Part, said: Mapping[str, Any], pictures: Mapping[str, bytes]) -> _Layer | None:
    cells = _mouths(said, pictures) if part == "mouth" else _lids(pictures)
    if not cells:
        return None
    height, width = next(iter(cells.values())).shape[:2]
    mask = decoded(pictures[f"{part}_mask"]) if f"{part}_mask" in pictures else None
    opacity = np.ones((height, width), np.float32)
    if mask is not None:
        uses_alpha = bool((mask[..., 3] < 255).any())
        grey = mask[..., :3] @ np.array([0.299, 0.587, 0.114])
        found = (mask[..., 3] if uses_alpha else grey) / 255
        if found.shape == opacity.shape:
            opacity = np.asarray(found, np.float32)
    light = said.get("light")
    lit = [_number(light.get(name), 1.0) for name in "rgb"] if isinstance(light, dict) else [1.0, 1.0, 1.0]
    cover = said.get("cover")
    return _Layer(
        cells=cells,
        opacity=feathered(opacity, min(64.0, _number(said.get("featherPx"), _USUAL_FEATHER[part]))),
        light=np.array(lit),
        still=_still(said.get("anchor"), _USUAL_STATICS[part]),
        cover=(_number(cover.get("w"), 1.0), _number(cover.get("h"), 1.0))
        if isinstance(cover, dict)
        else None,
    )


def _mouths(said: Mapping[str, Any], pictures: Mapping[str, bytes]) -> dict[str, Floats]:
    sheet = decoded(pictures["mouth"]) if "mouth" in pictures else None
    if sheet is None:
        return {}
    width = int(_number(said.get("frameWidth"), _USUAL_CELL[0]))
    height = int(_number(said.get("frameHeight"), _USUAL_CELL[1]))
    names = said.get("visemes", _USUAL_VISEMES)
    if not isinstance(names, list | tuple) or not (0 < width <= _MOST_PX and 0 < height <= sheet.shape[0]):
        return {}
    whole = sheet.shape[1] // width
    return {
        str(name): sheet[:height, i * width : (i + 1) * width, :3].astype(np.float32)
        for i, name in enumerate(names[:whole])
    }


def _lids(pictures: Mapping[str, bytes]) -> dict[str, Floats]:
    found = {lid: decoded(pictures[f"eyes_{lid}"]) for lid in LIDS if f"eyes_{lid}" in pictures}
    sizes = {picture.shape[:2] for picture in found.values() if picture is not None}
    if len(sizes) != 1:
        return {}
    return {lid: picture[..., :3].astype(np.float32) for lid, picture in found.items() if picture is not None}


def _still(box: Any, usual: Values) -> Values:
    if not isinstance(box, dict):
        return usual
    x, y, w, h = (_number(box.get(name), float("nan")) for name in "xywh")
    if any(value != value for value in (x, y, w, h)):
        return usual
    return x + w / 2, y + h / 2, w, h, _number(box.get("roll"), 0.0)


def _number(value: Any, usual: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6
    return float(value) if is_number else usual
