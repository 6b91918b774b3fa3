"""
The pictures that let a pack speak: their names, what is told of them, and their limits.

What a worker makes is input, so each field has its limits here; ``checked`` compares the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from anchord import png

Viseme = Literal["REST", "AA", "EE", "OH", "OO", "FF", "TH"]
#: In the order of a sheet; the first is shown where another one is missing.
VISEMES: tuple[Viseme, ...] = get_args(Viseme)
Lid = Literal["open", "half", "closed"]
LIDS: tuple[Lid, ...] = get_args(Lid)

PictureName = Literal[
    "base_face.png",
    "mouth_sprites.png",
    "mouth_mask.png",
    "eyes_open.png",
    "eyes_half.png",
    "eyes_closed.png",
    "eyes_mask.png",
]
PICTURES: tuple[PictureName, ...] = get_args(PictureName)

#: A cell of the mouth's sheet or of the eyes; a face that fills a frame of 2160 lines has smaller ones.
MAX_SIDE = 1536
Side = Annotated[int, Meta(ge=8, le=MAX_SIDE)]
#: Target pixels: the target's own sides are at most 16,384, and an anchor may lie beside it.
Pixel = Annotated[float, Meta(ge=-65_536, le=65_536)]
Share = Annotated[float, Meta(ge=0, le=100)]
#: A base face has at most so many pixels for one of the target.
MAX_BASE_SCALE = 2
#: A contact sheet for a person's eyes.
MAX_PREVIEW_BYTES = 32 << 20


class Box(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a part lies while the face is as in the base face: target pixels, degrees clockwise."""

    x: Pixel
    y: Pixel
    w: Annotated[float, Meta(gt=0, le=65_536)]
    h: Annotated[float, Meta(gt=0, le=65_536)]
    roll: Annotated[float, Meta(ge=-360, le=360)]


class SpritePlace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part's place, and the size of its pictures."""

    anchor: Box
    width: Side
    height: Side


class Measure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    How good one sprite is.

    Args:
        frames: of real pictures that it is made of; 0 for one that is drawn.
        step: of colour where its mask ends, grey levels.
        texture: what the skin itself has there from pixel to pixel, grey levels.
    """

    frames: Annotated[int, Meta(ge=0, le=10_000)]
    step: Annotated[float, Meta(ge=0, le=1000)]
    texture: Annotated[float, Meta(ge=0, le=1000)]


class SpriteSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    All of a pack's pictures.

    Args:
        time_ms: of the reference frame.
        mouth: place of the mouth and the size of a cell.
        eyes: likewise.
        light: the skin's red, green and blue in them over the idle clip's mean.
        visemes: what is to be said of each, in the order of the sheet.
        lids: likewise of each state of the eyes.
        noise: what a camera adds from pixel to pixel, grey levels, before and after averaging.
        sharpness: fine detail after averaging over that of the reference frame.
        faults: what a person should know, in sentences.
        pictures: the files.
        preview: a contact sheet; empty where none was asked for.
    """

    time_ms: Annotated[float, Meta(ge=-1e12, le=1e12)]
    mouth: SpritePlace
    eyes: SpritePlace
    light: tuple[Share, Share, Share]
    visemes: dict[Viseme, Measure]
    lids: dict[Lid, Measure]
    noise: tuple[Share, Share]
    sharpness: Share
    faults: Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(max_length=32)]
    pictures: dict[PictureName, bytes]
    preview: Annotated[bytes, Meta(max_length=MAX_PREVIEW_BYTES)] = b""


def longest(target: tuple[int, int], visemes: Sequence[Viseme]) -> int:
    """So many bytes a set has at most: what its pictures have unpacked, and a preview."""
    base = 4 * target[0] * target[1] * MAX_BASE_SCALE**2
    cells = 3 * MAX_SIDE**2 * (len(visemes) + len(LIDS)) + 2 * MAX_SIDE**2
    return (1 << 20) + base + cells + MAX_PREVIEW_BYTES


def checked(made: SpriteSet, target: tuple[int, int], visemes: Sequence[Viseme]) -> dict[str, bytes]:
    """
    The files of a set, each in anchord's own encoding, once they are what was asked for.

    Raises:
        ValueError: they are not.
    """
    if list(made.visemes) != list(visemes):
        raise ValueError(f"its visemes are {list(made.visemes)}, and {list(visemes)} were asked for")
    if tuple(made.lids) != LIDS or sorted(made.pictures) != sorted(PICTURES):
        raise ValueError("it does not have just the pictures of a pack")
    files: dict[str, bytes] = {}
    for name in PICTURES:
        try:
            found = png.decode(made.pictures[name])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if (problem := _problem(name, found, made, target)) is not None:
            raise ValueError(f"{name}: {problem}")
        files[name] = found.encoded()
    return files


def _problem(name: PictureName, found: png.Png, made: SpriteSet, target: tuple[int, int]) -> str | None:
    size = (found.width, found.height)
    if name == "base_face.png":
        scale = found.width / target[0]
        is_right = 1 <= scale <= MAX_BASE_SCALE and abs(found.height - scale * target[1]) <= 1
        return None if is_right and found.channels >= 3 else f"is {size[0]}x{size[1]}"
    part = made.mouth if name.startswith("mouth") else made.eyes
    cells = len(made.visemes) if name == "mouth_sprites.png" else 1
    channels = 1 if name.endswith("_mask.png") else 3
    if size != (part.width * cells, part.height) or found.channels != channels:
        return f"is {size[0]}x{size[1]} and should be {part.width * cells}x{part.height}"
    return None


def own(files: Mapping[str, bytes]) -> set[str]:
    """Which of these files are pictures as anchord wrote them."""
    return {name for name, content in files.items() if png.is_own(content)}
