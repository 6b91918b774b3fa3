"""
Whether something such as a hand is in front of a part of the face. Pure.

What is looked at is the face's own texture: brightness and redness where the landmarks are, which go
with lips, lids and brows. So a word, a smile, a blink or a turn moves the points and leaves the texture
as it was, while a hand, wherever the landmarks are drawn on it, shows another one. Each point is
compared, with its neighbours, with samples of the same clip. Nothing is decided before the clip is
over, so nothing latches, and a part that looks new but looks like a mouth or like eyes stays in sight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.curves.gaps import stretches
from anchord.tracking.faces.mesh import AREAS, DRAWN, EYE_CORNERS, Landmarks, eyes_across
from anchord.tracking.motion.similarity import Complex, Floats, Shapes, fitted
from anchord.tracking.tuning import TUNING

Mask = NDArray[np.bool_]
#: (points, 2) float32: brightness (a logarithm) and redness of the skin where the points of all areas
#: are, in the order of ``POINTS``; nan outside the picture.
Texture = NDArray[np.float32]
#: The same of many samples; worked out in double precision, some rows at a time.
Seen = NDArray[np.float32] | NDArray[np.float64]

#: The landmarks whose texture is kept, of all parts.
POINTS = tuple(sorted({point for area in AREAS.values() for point in area}))

# Where a landmark's surroundings are read: 3 x 3 taps, and their weights, a bell.
_REACH = np.arange(-1, 2)
_TAPS = np.stack(np.meshgrid(_REACH, _REACH), axis=-1).reshape(-1, 2)
_BELL = np.exp(-0.5 * (_TAPS**2).sum(axis=1) / 0.85**2)
_BELL /= _BELL.sum()
# Rows of samples that are compared at once: bounds the memory on a clip of half an hour.
_ROWS = 128
# Of 255: below it brightness is noise, and its logarithm would be all noise.
_DARK = 16.0


def texture(pixels: NDArray[np.uint8], landmarks: Landmarks) -> Texture:
    """
    What the skin looks like at the landmarks.

    Args:
        pixels: (height, width, 3) uint8, red first.
        landmarks: (478, 2) in its pixels.
    """
    right, left = landmarks[list(EYE_CORNERS)]
    step = TUNING.texture_step * float(np.linalg.norm(left - right))
    at = landmarks[list(POINTS), None] + step * _TAPS
    colour = np.einsum("ptc,t->pc", _between(pixels, at), _BELL)
    red, green, blue = colour.T
    brightness = np.log(0.299 * red + 0.587 * green + 0.114 * blue + _DARK)
    redness = (red - green) / (red + green + blue + _DARK)
    seen = np.stack([brightness, redness], axis=1).astype(np.float32)
    height, width = pixels.shape[:2]
    middle = landmarks[list(POINTS)]
    seen[((middle < 0) | (middle > (width - 1, height - 1))).any(axis=1)] = np.nan
    return seen


def _between(pixels: NDArray[np.uint8], at: Floats) -> Floats:
    """(p, t, 3) colours at (p, t, 2) places, linear between pixels."""
    height, width = pixels.shape[:2]
    at = np.clip(at, 0, (width - 1.001, height - 1.001))
    corner = at.astype(int)
    x, y = corner[..., 0], corner[..., 1]
    right, down = (at - corner)[..., :1], (at - corner)[..., 1:]
    flat = pixels.reshape(-1, 3)
    here = y * width + x
    upper = flat[here] * (1 - right) + flat[here + 1] * right
    lower = flat[here + width] * (1 - right) + flat[here + width + 1] * right
    colours: Floats = upper * (1 - down) + lower * down
    return colours


def covered(textures: NDArray[np.float32], clip: Shapes, part: str) -> Floats:
    """
    (k,) share of a part that something is in front of, 0–1; 0 where nothing can be told.

    Args:
        textures: (k, points, 2) of the samples with a face.
        clip: (k, 478) their landmarks, px.
        part: its name in ``AREAS``.
    """
    area = np.searchsorted(POINTS, AREAS[part])
    shape = _median_shape(clip)[list(AREAS[part])]
    beside = np.argsort(np.abs(shape[:, None] - shape), axis=1, kind="stable")[:, : TUNING.texture_neighbours]
    seen = textures[:, area]
    can_tell = np.isfinite(seen[..., 0]) & ~_foreshortened(clip, list(AREAS[part]), beside)
    np.nan_to_num(seen, copy=False)
    itself = _itself(seen, part, beside, can_tell)
    if not len(itself):
        return np.zeros(len(seen))
    # What hardly looks different from those is the part itself too, and shows more of what it can do.
    share = _against(seen, itself, beside, can_tell)
    known = share < TUNING.same_share
    share = _against(seen, np.flatnonzero(known), beside, can_tell)
    # A mouth wide open looks new and more like a mouth than ever; half a hand leaves less of it to see.
    likeness = _likenesses(seen, part)
    is_itself = likeness >= np.median(likeness[known])
    return np.where(is_itself & (share < TUNING.plain_share), 0.0, share)


def _itself(seen: Seen, part: str, beside: NDArray[np.intp], can_tell: Mask) -> NDArray[np.intp]:
    """
    Some samples that show the part itself; none where that can't be told from what may be in front.

    Samples that look alike make groups. Mostly the largest shows the part, and so does the one that the
    clip begins and ends with; where something stays in front of it for most of the clip, it is the one
    that looks more like lips, or lids and brows.
    """
    some = _spread(np.arange(len(seen)), TUNING.texture_compared)
    unlike = np.stack(
        [
            (_foreign(seen[some, :, 0], seen[[i], :, 0], beside) & can_tell[some] & can_tell[i]).mean(axis=1)
            for i in some
        ]
    )
    unlike = (unlike + unlike.T) / 2
    left = np.ones(len(some), bool)
    groups: list[tuple[float, int, NDArray[np.intp]]] = []
    while left.any():
        alike = (unlike < TUNING.alike_share) & left
        centre = int(np.where(left, alike.sum(axis=1), 0).argmax())
        members = np.flatnonzero(alike[centre])
        # A centre that shows something on its way in is like both what it was and what comes.
        close = np.median(unlike[np.ix_(members, members)], axis=1) < TUNING.alike_share
        members = members[close] if close.any() else members[members == centre]
        ends = int(0 in members) + int(len(some) - 1 in members)
        score = len(members) / len(some) + TUNING.at_an_end * ends
        score += TUNING.part_likeness * float(
            _likenesses(np.median(seen[some[members]].astype(np.float64), axis=0)[None], part)[0]
        )
        groups.append((score, centre, some[members]))
        left[members] = left[centre] = False
    best, centre, itself = max(groups, key=lambda group: group[0])
    others = [score for score, other, _ in groups if unlike[centre, other] >= TUNING.covered_share]
    is_sure = best - max(others, default=-np.inf) >= TUNING.sure
    return itself if is_sure else itself[:0]


def hidden(times_ms: Floats, has_face: Mask, share: Floats) -> Mask:
    """
    (n,) where a part is hidden: covered enough, for long enough, and a little longer at both ends.

    Args:
        times_ms: (n,) of the samples, rising.
        has_face: (n,).
        share: (k,) how much of the part is covered, of the samples with a face.
    """
    shares = np.zeros(len(times_ms))
    shares[has_face] = share
    mask = shares >= TUNING.touched_share
    step_ms = float(np.median(np.diff(times_ms))) if len(times_ms) > 1 else 0.0
    for first, last in stretches(mask):
        until_ms = times_ms[last + 1] if last + 1 < len(mask) else times_ms[last] + step_ms
        is_long = until_ms - times_ms[first] >= TUNING.hidden_ms
        # On the whole: noise moves single samples over any threshold.
        mask[first : last + 1] = is_long and np.median(shares[first : last + 1]) >= TUNING.covered_share
    for first, last in stretches(mask):
        since_ms = times_ms[first] - TUNING.hidden_fringe_ms
        until_ms = times_ms[last] + TUNING.hidden_fringe_ms
        mask |= (times_ms >= since_ms) & (times_ms <= until_ms)
    return np.asarray(mask & has_face)


def _against(seen: Seen, known: NDArray[np.intp], beside: NDArray[np.intp], can_tell: Mask) -> Floats:
    """(k,) share of points that look like in none of some samples spread over the *known* ones."""
    references = seen[_spread(known, TUNING.texture_references), :, 0]
    share: Floats = (_foreign(seen[..., 0], references, beside) & can_tell).mean(axis=1)
    return share


def _spread(which: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """At most *count* of them, evenly over time."""
    places = np.linspace(0, len(which) - 1, min(count, len(which))).round().astype(int)
    return np.asarray(which[places], np.intp)


def _foreign(seen: Seen, references: Seen, beside: NDArray[np.intp]) -> Mask:
    """
    (k, q) where the texture around a point is that of no reference, or of one of many only.

    Source: the structure of Wang et al. 2004 (SSIM): it is 1 for equal textures, about 0 where one
    has structure that the other has not, and says nothing against two that are both flat.

    Args:
        seen: (k, q) brightness.
        references: (r, q).
        beside: (q, b) which points are around a point, itself included.
    """
    references = references.astype(np.float64)
    flat = TUNING.texture_flat * float(references.std(axis=1).mean()) ** 2
    there = references[:, beside]
    there = there - there.mean(axis=-1, keepdims=True)
    spread_there = (there**2).mean(axis=-1)
    foreign = np.empty(seen.shape, bool)
    for rows in _rows(len(seen)):
        here = seen[rows].astype(np.float64)[:, beside]
        here = here - here.mean(axis=-1, keepdims=True)
        spread = (here**2).mean(axis=-1)
        best = second = np.full(spread.shape, -1.0)
        for other, spread_other in zip(there, spread_there, strict=True):
            both = (here * other).mean(axis=-1)
            like = (2 * both + flat) / (spread + spread_other + flat)
            second = np.maximum(second, np.minimum(best, like))
            best = np.maximum(best, like)
        # Two must say so where there are many: one of them may show what is in front.
        foreign[rows] = (second if len(references) > 3 else best) < TUNING.foreign
    return foreign


def likeness(seen: Texture, part: str) -> float:
    """How much one sample's mouth or eyes look like drawn ones, -1 to 1."""
    known = np.nan_to_num(seen.astype(np.float64))[None]
    return float(_likenesses(known[:, np.searchsorted(POINTS, AREAS[part])], part)[0])


def _likenesses(seen: Seen, part: str) -> Floats:
    """(k,) how far lids and brows are darker than the skin around them, and lips also redder: -1 to 1."""
    drawn = np.isin(AREAS[part], DRAWN).astype(float)
    found = []
    for rows in _rows(len(seen)):
        here = seen[rows].astype(np.float64)
        darker = -_correlations(here[..., 0], drawn)
        found.append(darker if part != "mouth" else (darker + _correlations(here[..., 1], drawn)) / 2)
    return np.concatenate(found)


def _correlations(seen: Floats, drawn: Floats) -> Floats:
    seen, drawn = seen - seen.mean(axis=1, keepdims=True), drawn - drawn.mean()
    # Something quite flat is like nothing.
    return np.asarray(seen @ drawn / np.maximum(np.linalg.norm(seen, axis=1) * np.linalg.norm(drawn), 1e-9))


def _foreshortened(clip: Shapes, points: list[int], beside: NDArray[np.intp]) -> Mask:
    """(k, q) where a turned face shows a point's surroundings much narrower than usual."""
    reach = np.empty((len(clip), len(points)))
    for rows in _rows(len(clip)):
        around = clip[rows][:, points].astype(np.complex128)[:, beside]
        of_rows = np.abs(around - around.mean(axis=-1, keepdims=True)).mean(axis=-1)
        reach[rows] = of_rows / np.median(of_rows, axis=1, keepdims=True)
    usual = np.array([np.median(column) for column in reach.T])
    return np.asarray(reach < TUNING.foreshortened * usual)


def _median_shape(clip: Shapes) -> Complex:
    some = clip[np.linspace(0, len(clip) - 1, min(len(clip), 64)).astype(int)].astype(np.complex128)
    upright = fitted(some[0], some).inverse()
    faces = upright.a[:, None] * some + upright.b[:, None]
    shape = np.median(faces.real, axis=0) + 1j * np.median(faces.imag, axis=0)
    return np.asarray(shape / abs(eyes_across(shape)))


def _rows(count: int) -> Iterator[slice]:
    for begin in range(0, count, _ROWS):
        yield slice(begin, min(begin + _ROWS, count))
