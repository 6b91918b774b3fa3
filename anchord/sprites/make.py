"""The order of the steps from a clip to a pack's pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from anchord.settings import ExtractSettings
from anchord.sprite_set import LIDS, Lid, Measure, PictureName, SpritePlace, SpriteSet, Viseme
from anchord.sprites import blend, lids, reference
from anchord.sprites.clip import Clip, Shot, pictures, through, undone, watched
from anchord.sprites.clip import Source as Source
from anchord.sprites.inside import inside_of
from anchord.sprites.lips import Mouth, relaxed, shaped, speaking
from anchord.sprites.real import Graft, Take, grafted, takes
from anchord.sprites.reference import Cut
from anchord.sprites.sheet import sheet
from anchord.sprites.speech import blinks, followed, onto, spoken
from anchord.sprites.visemes import SHAPES
from anchord.sprites.warp import Floats, Points, cut_out, packed
from anchord.tracking.faces.mesh import LIPS_RIM
from anchord.tracking.video.player import Pixels

# Frames that sprites are laid on, to see whether their edges show.
_LAID_ON = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One part of the reference: its cut, the same with less noise, its mask, and frames to lay it on."""

    cut: Cut
    calm: Floats
    mask: Floats
    frames: list[Floats]


def make(
    idle: Source,
    speech: Source | None,
    settings: ExtractSettings,
    *,
    visemes: Sequence[Viseme],
    with_preview: bool,
    on_progress: Callable[[int, int], None] = lambda done, expected: None,
) -> SpriteSet:
    """
    A pack's pictures.

    Args:
        idle: the pack's own clip.
        speech: one in which the same person speaks.
        settings: as its timeline is made with.
        visemes: which, in the order of the sheet.
        with_preview: whether a contact sheet is wanted too.
        on_progress: called with frames decoded and frames expected (0: unknown).

    Raises:
        VideoError: a clip can't be used, or no sprites can be made of it.
    """
    clip = watched(idle, settings, on_progress)
    best = reference.chosen(clip)
    near = {part: reference.alike(clip, best, part) for part in ("mouth", "eyes")}
    laid_on = _spread([shot for shot in clip.shots if not shot.hidden] or clip.shots)
    shut_shots = blinks(clip.shots, best)
    groups = (*near.values(), laid_on, *shut_shots.values())
    shown = pictures(idle, {best.index} | {shot.index for shots in groups for shot in shots})
    cuts = {part: reference.cut(clip, best, part, shown[best.index]) for part in near}
    calm = {
        part: reference.averaged(
            here, [_brought(clip, best, shot, here, shown) for shot in near[part] if shot is not best]
        )
        for part, here in cuts.items()
    }
    eyes = {
        lid: takes(
            shots,
            {shot.index: reference.brought(clip, best, shot, "eyes", cuts["eyes"].matrix) for shot in shots},
            shown,
            cuts["eyes"],
        )
        for lid, shots in shut_shots.items()
    }
    mouths: dict[str, list[Take]] = {}
    if speech is not None:
        spoke = _heard(speech, settings, on_progress, clip, (best, shown[best.index]), cuts)
        mouths = {viseme: frames for viseme, frames in spoke["mouth"].items() if viseme in visemes}
        eyes = {**spoke["eyes"], **eyes}
    mouth, parts = _parts(
        clip,
        best,
        laid_on,
        shown,
        cuts,
        calm,
        [take.points[list(LIPS_RIM)] for frames in mouths.values() for take in frames],
    )
    grafts = {viseme: _grafted(frames, parts["mouth"]) for viseme, frames in mouths.items()}
    mouths = {viseme: frames for viseme, frames in mouths.items() if grafts[viseme].fits}
    drawn = {
        viseme: grafts[viseme].pixels if viseme in mouths else speaking(mouth, SHAPES[viseme])
        for viseme in visemes
    }
    shut = {
        lid: _grafted(eyes[lid], parts["eyes"]).pixels
        if lid in eyes
        else lids.lidded(calm["eyes"], cuts["eyes"].points, lids.CLOSED[lid])
        for lid in LIDS
    }
    files = _files(parts, [drawn[viseme] for viseme in visemes], shut, _base(clip, shown[best.index]))
    told = {
        viseme: _measured(cell, parts["mouth"], len(mouths.get(viseme, ()))) for viseme, cell in drawn.items()
    }
    told_lids = {lid: _measured(cell, parts["eyes"], len(eyes.get(lid, ()))) for lid, cell in shut.items()}
    before, after = cuts["mouth"].pixels, calm["mouth"]
    return SpriteSet(
        time_ms=best.time_ms,
        mouth=_place(cuts["mouth"]),
        eyes=_place(cuts["eyes"]),
        light=(float(best.light[0]), float(best.light[1]), float(best.light[2])),
        visemes=told,
        lids=told_lids,
        noise=(reference.noise_of(before), reference.noise_of(after)),
        sharpness=reference.sharpness_of(after) / max(reference.sharpness_of(before), 1e-6),
        faults=_faults(told, told_lids),
        pictures=files,
        preview=packed(_preview(parts, drawn, shut)) if with_preview else b"",
    )


def _heard(
    speech: Source,
    settings: ExtractSettings,
    on_progress: Callable[[int, int], None],
    clip: Clip,
    best: tuple[Shot, Pixels],
    cuts: dict[str, Cut],
) -> dict[str, dict[str, list[Take]]]:
    """Part -> viseme or lid -> frames of a clip in which the same person speaks."""
    # Words are short: every second frame is looked at, and none between.
    other = watched(
        speech, msgspec.structs.replace(settings, sample_rate=2, follow_every_frame=False), on_progress
    )
    asked: dict[str, dict[str, list[Shot]]] = {
        "mouth": {str(viseme): shots for viseme, shots in spoken(other.shots, best[0]).items()},
        "eyes": blinks(other.shots, best[0]),
    }
    wanted = {shot.index for groups in asked.values() for shots in groups.values() for shot in shots}
    if not wanted:
        return {"mouth": {}, "eyes": {}}
    shown = pictures(speech, wanted)
    reference_face = (best[1], best[0].face.landmarks)
    heard: dict[str, dict[str, list[Take]]] = {}
    for part, groups in asked.items():
        heard[part] = {}
        for name, shots in groups.items():
            ways = {
                shot.index: onto(
                    clip,
                    cuts[part].matrix,
                    followed(part, reference_face, (shown[shot.index], shot.face.landmarks)),
                )
                for shot in shots
            }
            heard[part][name] = takes(shots, ways, shown, cuts[part])
    return heard


def _grafted(frames: list[Take], part: _Part) -> Graft:
    return grafted(frames, part.cut, part.calm, part.mask)


def _parts(
    clip: Clip,
    best: Shot,
    laid_on: Sequence[Shot],
    shown: dict[int, Pixels],
    cuts: dict[str, Cut],
    calm: dict[str, Floats],
    real: Sequence[Points],
) -> tuple[Mouth, dict[str, _Part]]:
    here, eyes = cuts["mouth"], cuts["eyes"]
    ovals = reference.inside_face(clip, best, here, 12)
    frames = {part: [_brought(clip, best, shot, cuts[part], shown) for shot in laid_on] for part in cuts}
    marks = [
        through(undone(reference.brought(clip, best, shot, "mouth", here.matrix)), shot.face.landmarks)
        for shot in laid_on
    ]
    inside = inside_of(
        calm["mouth"],
        here.points,
        calm["eyes"],
        eyes.points,
        relaxed(here.points),
        [(here.pixels, here.points), *zip(frames["mouth"], marks, strict=True)],
    )
    loose = Mouth(pixels=calm["mouth"], points=here.points, still=np.zeros((0, 2)), inside=inside)
    rims = [np.vstack(shaped(loose, shape).all()) for shape in SHAPES.values()]
    rims += [
        through(
            undone(reference.brought(clip, best, shot, "mouth", here.matrix)),
            shot.face.landmarks[list(LIPS_RIM)],
        )
        for shot in clip.shots
        if not shot.hidden
    ]
    rims += real
    mask = blend.mouth_mask(here.points, ovals, rims, here.size)
    mouth = Mouth(
        pixels=calm["mouth"], points=here.points, still=blend.edge_of(mask, np.vstack(rims)), inside=inside
    )
    masks = {"mouth": mask, "eyes": blend.eyes_mask(eyes.points, eyes.size)}
    return mouth, {
        part: _Part(
            cut=cuts[part],
            calm=calm[part],
            mask=masks[part],
            frames=frames[part],
        )
        for part in cuts
    }


def _brought(clip: Clip, best: Shot, shot: Shot, here: Cut, shown: dict[int, Pixels]) -> Floats:
    return cut_out(shown[shot.index], reference.brought(clip, best, shot, here.part, here.matrix), here.size)


def _spread(shots: Sequence[Shot]) -> list[Shot]:
    """A few shots from all of the clip."""
    step = np.linspace(0, len(shots) - 1, _LAID_ON + 2).round().astype(int)[1:-1]
    return [shots[i] for i in step]


def _place(here: Cut) -> SpritePlace:
    return SpritePlace(anchor=here.box(), width=here.size[0], height=here.size[1])


def _base(clip: Clip, pixels: Pixels) -> Floats:
    """The reference frame as the page draws it; nothing where the page draws nothing."""
    scale = float(np.clip(round(1 / max(clip.where.scale)), 1, 2))
    width, height = (
        round(2 * offset + scale_ * side)
        for offset, scale_, side in zip(clip.where.offset, clip.where.scale, clip.size, strict=True)
    )
    matrix = clip.to_video(np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]]))
    size = (round(width * scale), round(height * scale))
    base = cut_out(pixels, matrix, size)
    x, y = clip.where.offset
    if x <= 0.5 and y <= 0.5:
        return base
    opaque = np.zeros((size[1], size[0], 1), np.float32)
    top, left = round(max(y, 0) * scale), round(max(x, 0) * scale)
    opaque[top : size[1] - top, left : size[0] - left] = 255
    return np.concatenate([base, opaque], axis=2)


def _files(
    parts: dict[str, _Part], cells: list[Floats], shut: dict[Lid, Floats], base: Floats
) -> dict[PictureName, bytes]:
    return {
        "base_face.png": packed(base),
        "mouth_sprites.png": packed(np.concatenate(cells, axis=1)),
        "mouth_mask.png": packed(255 * parts["mouth"].mask),
        "eyes_open.png": packed(shut["open"]),
        "eyes_half.png": packed(shut["half"]),
        "eyes_closed.png": packed(shut["closed"]),
        "eyes_mask.png": packed(255 * parts["eyes"].mask),
    }


def _measured(sprite: Floats, part: _Part, frames: int = 0) -> Measure:
    step, texture = blend.seam(sprite, part.mask, part.frames, 0.05 * part.cut.eyes_px)
    return Measure(frames=frames, step=step, texture=texture)


def _faults(visemes: dict[Viseme, Measure], shut: dict[Lid, Measure]) -> list[str]:
    seen = {
        name: told
        for name, told in [*visemes.items(), *shut.items()]
        if blend.is_seen(told.step, told.texture)
    }
    if not seen:
        return []
    worst = max(seen.values(), key=lambda told: told.step)
    return [
        f"{', '.join(seen)}: the edge may show in part of the clip: a step of up to {worst.step:.0f} grey "
        f"levels, where the skin itself has {worst.texture:.0f}; a clip with the mouth at rest and even "
        "light has none"
    ]


def _preview(parts: dict[str, _Part], drawn: dict[Viseme, Floats], shut: dict[Lid, Floats]) -> Floats:
    tiles: dict[str, list[Floats]] = {"as it is": [parts["mouth"].calm, *parts["mouth"].frames]}
    masks = {"as it is": np.zeros_like(parts["mouth"].mask)}
    for viseme, cell in drawn.items():
        tiles[viseme], masks[viseme] = [cell, *parts["mouth"].frames], parts["mouth"].mask
    for lid, cell in shut.items():
        tiles[lid], masks[lid] = [cell, *parts["eyes"].frames], parts["eyes"].mask
    return sheet(tiles, masks)
