"""A contact sheet: every sprite on three frames of the clip, as a page would draw it, for a person's eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from anchord.sprites.warp import Floats, labelled, resized

# A tile's width, px.
_TILE = 300


def sheet(tiles: Mapping[str, Sequence[Floats]], masks: Mapping[str, Floats]) -> Floats:
    """
    One row for each frame, one column for each sprite.

    Args:
        tiles: name -> the sprite, then the frames that it is laid on, (height, width, 3) each.
        masks: name -> (height, width) 0–1.
    """
    columns = []
    for name, (sprite, *frames) in tiles.items():
        share = masks[name][..., None]
        rows = [
            _tile(frame * (1 - share) + sprite * share, name if not i else "")
            for i, frame in enumerate(frames)
        ]
        columns.append(np.concatenate(rows, axis=0))
    tall = max(column.shape[0] for column in columns)
    padded = [np.pad(column, ((0, tall - column.shape[0]), (0, 4), (0, 0))) for column in columns]
    half = -(-len(padded) // 2) if len(padded) > 5 else len(padded)
    lines = [np.concatenate(padded[i : i + half], axis=1) for i in range(0, len(padded), half)]
    wide = max(line.shape[1] for line in lines)
    return np.concatenate(
        [np.pad(line, ((0, 0), (0, wide - line.shape[1]), (0, 0))) for line in lines], axis=0
    )


def _tile(pixels: Floats, name: str) -> Floats:
    height, width = pixels.shape[:2]
    tile = np.clip(resized(pixels, (_TILE, round(height * _TILE / width))), 0, 255).astype(np.uint8)
    if name:
        labelled(tile, name)
    return np.asarray(tile, np.float32)
