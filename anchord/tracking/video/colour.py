"""Which numbers stand for which colours, where a file says so and where players guess."""

from __future__ import annotations

from dataclasses import dataclass

# Matrix coefficients as ITU-T H.273 numbers them -> as libswscale does. The others are of no camera.
_NAMED = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_BT601, _BT709 = 5, 1
# From this height on, a film whose file says nothing is taken for HD. Source: Chromium's ffmpeg_common.cc.
_HD_HEIGHT = 720
# Of these, Chromium asks the stream alone, and takes none for BT.601 at any height.
_SELF_DESCRIBING = ("vp9", "av1")
# VP8 has a bit for its colours that is always 0: what FFmpeg makes of it says nothing.
_SILENT = ("vp8",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """
    How to turn a picture's numbers into red, green and blue.

    Args:
        matrix: which formula, as libswscale numbers it.
        is_full_range: whether black is 0, not 16.
    """

    matrix: int
    is_full_range: bool


def colours(*, codec: str, height: int, matrix: int, is_full_range: bool) -> Colours:
    """
    The colours of a picture as browsers show them.

    Args:
        codec: its name.
        height: as shown, before it is turned, px.
        matrix: what the file names, as ITU-T H.273 numbers it; 2 for nothing.
        is_full_range: whether black is 0 and white the largest number.
    """
    named = None if codec in _SILENT else _NAMED.get(matrix)
    if named is None:
        is_hd = height >= _HD_HEIGHT and codec not in _SELF_DESCRIBING
        named = _BT709 if is_hd else _BT601
    return Colours(matrix=named, is_full_range=is_full_range)
