"""
Where the skin of a real face is, frame by frame, so that a timeline can be held to it.

No truth is known of real footage, so one is measured, once a clip and whatever timeline is judged by it:

1. Landmarks say roughly where the face is; each part is cut out upright and at one size by them.
2. In these patches features of skin that can't move by itself (the bridge of the nose, below the eyes;
   between nose and lips, the cheeks beside) are matched with those of the 14 keyframes that look most alike
   and of the two frames before; both ways, and only where the pixels agree.
3. Each match is a small similarity with its own uncertainty. All of them are joined by robust least squares
   to one similarity for each frame.

That a bad timeline is judged by the same matches as a good one is the point: a score whose matches start from
the anchors that it judges goes blind where they are bad. What can't be judged is said: frames without enough
skin, and heads turned by more than 8 degrees from where the clip mostly looks, where skin changes its shape.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from testing import shown
from testing.making import store
from testing.truth import PARTS, Floats, Mask, Truth

#: Beyond this turn from the clip's median pose a head is not judged, degrees.
MOST_TURNED_DEG = 8.0
#: Longer clips are judged by their first frames only.
MOST_FRAMES = 400

# From one outer eye corner to the other in a patch, px.
_EYES_PX = 110.0
_SIZE = {"eyes": (212, 140), "mouth": (212, 172)}
_KEYFRAMES = 14
# Matches a frame, besides those with the two frames before.
_ALIKE = 4
_FEATURES = 90
_WINDOW = (17, 17)
# A match must come back to where it began, px of the patch, and show the same picture there.
_COMES_BACK_PX = 0.4
_AGREES = 0.75
_LEAST_FEATURES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Skin:
    """
    The n frames of a clip.

    Args:
        truth: where each part is, as if it were known; boxes are those of the landmarks in the first frame.
        judged: per part (n,) whether that can be believed.
        turned_deg: (n,) how far the head is turned from the clip's median pose; NaN without a face.
    """

    truth: Truth
    judged: dict[str, Mask]
    turned_deg: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a finder of faces says of one frame: (478, 2) landmarks in px, yaw and pitch in degrees."""

    landmarks: Floats
    yaw_deg: float
    pitch_deg: float


#: A picture to its face, or None.
Find = Callable[[NDArray[np.uint8]], "Seen | None"]


def skin_of(file: Path, find: Find) -> Skin:
    """The skin of a clip, from the store where it has been measured before."""
    content = hashlib.sha256(file.read_bytes())
    for room in (__file__, shown.__file__):
        content.update(Path(str(room)).read_bytes())
    kept = store() / f"skin-{file.stem}-{content.hexdigest()[:12]}.npz"
    if not kept.exists():
        _save(kept, measured(file, find))
    return _load(kept)


def measured(file: Path, find: Find) -> Skin:
    """Measure it."""
    times, greys, faces = [], [], []
    for time_ms, pixels in shown.frames(file, most=MOST_FRAMES):
        times.append(time_ms)
        faces.append(find(pixels))
        greys.append(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    has_face = np.array([face is not None for face in faces])
    pose = np.array([(face.yaw_deg, face.pitch_deg) if face else (np.nan, np.nan) for face in faces])
    turned = (
        np.hypot(*(pose - np.nanmedian(pose, axis=0)).T) if has_face.any() else np.full(len(faces), np.nan)
    )
    places, judged, boxes = {}, {}, {}
    for part in PARTS:
        rough = _rough(faces, part)
        off, known = _joined(part, _patches(greys, rough, part), has_face)
        places[part] = _composed(rough, off, part)
        judged[part] = known & (np.nan_to_num(turned, nan=np.inf) <= MOST_TURNED_DEG)
        boxes[part] = _box(faces, part)
    truth = Truth(
        size=(greys[0].shape[1], greys[0].shape[0]),
        times_ms=np.array(times),
        closed=False,
        has_face=has_face,
        places=places,
        covered={part: np.zeros(len(times)) for part in PARTS},
        boxes=boxes,
    )
    return Skin(truth=truth, judged=judged, turned_deg=turned)


# Landmarks that lie on bone: eye corners, bridge and root of the nose, temples.
_FIRM = (33, 133, 362, 263, 168, 6, 197, 195, 8, 9, 127, 356, 234, 454)
_MIDDLE = {"eyes": (33, 263), "mouth": (61, 291)}
_TIGHT = {"eyes": (33, 133, 362, 263, 159, 145, 386, 374), "mouth": (61, 291, 0, 17)}


def _rough(faces: list[Seen | None], part: str) -> Floats:
    """(n, 2, 3) patch to frame by the landmarks alone; NaN where no face is."""
    known = [face.landmarks for face in faces if face is not None]
    rough = np.full((len(faces), 2, 3), np.nan)
    if not known:
        return rough
    first = known[0]
    scale = _EYES_PX / float(np.hypot(*(first[263] - first[33])))
    across = first[263] - first[33]
    angle = float(np.arctan2(across[1], across[0]))
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array(_SIZE[part]) / 2
    plate = (first - first[list(_MIDDLE[part])].mean(axis=0)) @ turn.T + middle
    # The first face is as good as any to be the plate; its own errors are the same in all frames.
    for i, face in enumerate(faces):
        if face is not None:
            rough[i] = _similarity(plate[list(_FIRM)], face.landmarks[list(_FIRM)])
    return rough


def _similarity(a: Floats, b: Floats) -> Floats:
    """(2, 3) the similarity that puts points *a* on points *b*."""
    za, zb = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    ma, mb = za.mean(), zb.mean()
    q = complex(np.vdot(za - ma, zb - mb) / np.vdot(za - ma, za - ma).real)
    return _matrix(q, complex(mb - q * ma))


def _matrix(q: complex, shift: complex) -> Floats:
    return np.array([[q.real, -q.imag, shift.real], [q.imag, q.real, shift.imag]])


def _patches(greys: list[NDArray[np.uint8]], rough: Floats, part: str) -> list[NDArray[np.uint8] | None]:
    """Each frame's patch, with the same contrast everywhere."""
    made: list[NDArray[np.uint8] | None] = []
    for grey, matrix in zip(greys, rough, strict=True):
        if np.isnan(matrix).any():
            made.append(None)
            continue
        scale = float(np.hypot(*matrix[:, 0]))
        # A patch is coarser than a large frame: without this it would twinkle.
        source = cv2.GaussianBlur(grey, (0, 0), 0.45 * scale) if scale > 1.3 else grey
        half = matrix.copy()
        half[:, 2] += half[:, :2] @ (0.5, 0.5) - 0.5
        cut = cv2.warpAffine(
            source,
            half,
            _SIZE[part],
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32)
        detail = cut - cv2.blur(cut, (25, 25))
        contrast = np.sqrt(np.maximum(cv2.blur(detail * detail, (45, 45)), 0)) + 4
        made.append(np.clip(detail / contrast * 45 + 128, 0, 255).astype(np.uint8))
    return made


def _mask(part: str) -> NDArray[np.uint8]:
    """255 where skin can't move by itself, in a patch."""
    width, height = _SIZE[part]
    mask = np.zeros((height, width), np.uint8)
    x, y = width // 2, height // 2
    e = _EYES_PX
    if part == "eyes":
        cv2.ellipse(mask, (x, y), (round(0.69 * e), round(0.36 * e)), 0, 0, 360, 255, -1)
        mask[: y - round(0.21 * e)] = 0
        for side in (-1, 1):
            lids = (round(0.23 * e), round(0.125 * e))
            cv2.ellipse(mask, (x + side * round(0.335 * e), y), lids, 0, 0, 360, 0, -1)
        return mask
    cv2.ellipse(mask, (x, y), (round(0.69 * e), round(0.62 * e)), 0, 0, 360, 255, -1)
    mask[y + round(0.12 * e) :] = 0
    cv2.ellipse(mask, (x, y), (round(0.42 * e), round(0.19 * e)), 0, 0, 360, 0, -1)
    # The tip of the nose stands out: it moves otherwise in a turn.
    cv2.rectangle(mask, (x - round(0.12 * e), 0), (x + round(0.12 * e), y - round(0.32 * e)), 0, -1)
    return mask


@dataclass(frozen=True, slots=True)
class _Match:
    """Frame *later* against *earlier*: (4,) shift at the patch's middle, log scale, turn; and its sigma."""

    later: int
    earlier: int
    change: Floats
    sigma: float


def _joined(part: str, patches: list[Any], has_face: Mask) -> tuple[Floats, Mask]:
    """(n, 4) how far the skin is from where the landmarks put it, and (n,) whether that is known."""
    n = len(patches)
    off: Floats = np.zeros((n, 4))
    frames = np.flatnonzero(has_face)
    if len(frames) < 8:
        return off, np.zeros(n, bool)
    matches = _matches(part, patches, frames)
    if len(matches) < len(frames):
        return off, np.zeros(n, bool)
    later, earlier = (np.array([getattr(m, name) for m in matches]) for name in ("later", "earlier"))
    change = np.array([match.change for match in matches])
    sigma = np.array([match.sigma for match in matches])
    trust = np.ones(len(matches))
    # Turn and scale act on what is half an eyes' distance away: so much they weigh in px.
    arm = np.array([1.0, 1.0, 0.5 * _EYES_PX, 0.5 * _EYES_PX])
    for _ in range(8):
        weight = trust / sigma**2
        normal: Floats = np.zeros((n, n))
        right: Floats = np.zeros((n, 4))
        np.add.at(normal, (later, later), weight)
        np.add.at(normal, (earlier, earlier), weight)
        np.add.at(normal, (later, earlier), -weight)
        np.add.at(normal, (earlier, later), -weight)
        np.add.at(right, later, weight[:, None] * change)
        np.add.at(right, earlier, -weight[:, None] * change)
        off = np.linalg.solve(normal + 1e-4 * np.eye(n), right)
        left = np.linalg.norm((change - off[later] + off[earlier]) * arm, axis=1)
        trust = 1 / (1 + (left / (3 * sigma)) ** 2)
    good = trust > 0.3
    return off, _connected(n, later[good], earlier[good]) & has_face


def _connected(n: int, a: NDArray[np.intp], b: NDArray[np.intp]) -> Mask:
    """(n,) which frames hang together with most of the others."""
    group = np.arange(n)
    for _ in range(n):
        low = np.minimum(group[a], group[b])
        before = group.copy()
        np.minimum.at(group, a, low)
        np.minimum.at(group, b, low)
        if (group == before).all():
            break
    touched = np.zeros(n, bool)
    touched[a] = touched[b] = True
    most = int(np.bincount(group[touched], minlength=n).argmax()) if touched.any() else -1
    return np.asarray(touched & (group == most))


def _matches(part: str, patches: list[Any], frames: NDArray[np.intp]) -> list[_Match]:
    mask = _mask(part)
    chosen = np.unique(frames[np.linspace(0, len(frames) - 1, _KEYFRAMES).astype(int)]).tolist()
    small = {i: _thumbnail(patches[i], mask) for i in frames.tolist()}
    features: dict[int, Any] = {}
    found: list[_Match] = []

    def matched(later: int, earlier: int) -> None:
        if earlier not in features:
            features[earlier] = cv2.goodFeaturesToTrack(
                patches[earlier], _FEATURES, 0.01, 4, mask=mask, blockSize=5
            )
        match = _match(patches[earlier], patches[later], features[earlier], part)
        if match is not None:
            found.append(_Match(later, earlier, *match))

    for at, i in enumerate(frames.tolist()):
        alike = sorted((key for key in chosen if key != i), key=lambda key: -float(small[key] @ small[i]))
        for key in alike[:_ALIKE]:
            matched(i, key)
        for before in (1, 2):
            if at >= before and i - frames[at - before] == before:
                matched(i, int(frames[at - before]))
    return found


def _thumbnail(patch: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Floats:
    tiny = cv2.resize(patch, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(float)
    inside = tiny[cv2.resize(mask, (tiny.shape[1], tiny.shape[0])) > 0]
    centred = inside - inside.mean()
    return np.asarray(centred / (np.linalg.norm(centred) + 1e-6))


def _match(a: Any, b: Any, features: Any, part: str) -> tuple[Floats, float] | None:
    """How the skin of patch *b* lies against that of *a*, and how sure that is; None: not the same skin."""
    if features is None or len(features) < _LEAST_FEATURES:
        return None
    there, ok_there, _ = cv2.calcOpticalFlowPyrLK(a, b, features, None, winSize=_WINDOW, maxLevel=3)
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(b, a, there, None, winSize=_WINDOW, maxLevel=3)
    good = (ok_there.ravel() > 0) & (ok_back.ravel() > 0)
    good &= np.linalg.norm((back - features).reshape(-1, 2), axis=1) < _COMES_BACK_PX
    start, end = features.reshape(-1, 2)[good], there.reshape(-1, 2)[good]
    if len(start) < _LEAST_FEATURES:
        return None
    alike = np.array([_agree(a, b, p, q) for p, q in zip(start, end, strict=True)]) > _AGREES
    start, end = start[alike].astype(float), end[alike].astype(float)
    if len(start) < max(_LEAST_FEATURES, 0.25 * len(features)):
        return None
    middle = np.array(_SIZE[part]) / 2
    z, w = (points @ (1, 1j) - complex(*middle) for points in (start, end))
    weight = np.ones(len(z))
    for _ in range(6):
        total = weight.sum()
        mz, mw = (weight * z).sum() / total, (weight * w).sum() / total
        q = (weight * np.conj(z - mz) * (w - mw)).sum() / (weight * np.abs(z - mz) ** 2).sum()
        left = np.abs(w - mw - q * (z - mz))
        spread = max(float(np.median(left)) * 1.2, 0.05)
        weight = 1 / (1 + (left / (2 * spread)) ** 2)
    if spread > 2.0:
        return None
    # At the patch's middle, in px of the patch; features' errors are not independent, hence the 1.5.
    shift = mw - q * mz
    change = np.array([shift.real, shift.imag, np.log(np.abs(q)), np.angle(q)])
    return change, 1.5 * spread / float(np.sqrt(weight.sum())) + 0.01


def _agree(a: NDArray[np.uint8], b: NDArray[np.uint8], p: Floats, q: Floats) -> float:
    one, two = (
        cv2.getRectSubPix(picture, (13, 13), (float(at[0]), float(at[1]))).astype(float).ravel()
        for picture, at in ((a, p), (b, q))
    )
    one, two = one - one.mean(), two - two.mean()
    return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two) + 1e-6))


def _composed(rough: Floats, off: Floats, part: str) -> Floats:
    """(n, 2, 3) patch to frame, the skin's own: the landmarks' motion corrected by what was measured."""
    middle = complex(*(np.array(_SIZE[part]) / 2))
    made = rough.copy()
    for i, (matrix, (x, y, grown, turned)) in enumerate(zip(rough, off, strict=True)):
        q = complex(np.exp(grown + 1j * turned))
        own = _matrix(q, complex(x, y) + middle - q * middle)
        made[i, :, :2] = matrix[:, :2] @ own[:, :2]
        made[i, :, 2] = matrix[:, :2] @ own[:, 2] + matrix[:, 2]
    # Without a face there is nowhere to be; frames that are not judged need finite numbers all the same.
    made[np.isnan(made).any(axis=(1, 2))] = [[1, 0, 0], [0, 1, 0]]
    return np.asarray(made)


def _box(faces: list[Seen | None], part: str) -> tuple[float, float, float, float]:
    face = next((face for face in faces if face is not None), None)
    if face is None:
        return (0.0, 0.0, 0.0, 0.0)
    tight = face.landmarks[list(_TIGHT[part])]
    return (*tight.min(axis=0).tolist(), *tight.max(axis=0).tolist())


def _save(file: Path, skin: Skin) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    truth = skin.truth
    part = file.with_suffix(f".{os.getpid()}.npz")
    arrays: dict[str, Any] = {
        "size": truth.size,
        "times_ms": truth.times_ms,
        "has_face": truth.has_face,
        "turned_deg": skin.turned_deg,
    }
    for name in PARTS:
        arrays[f"places_{name}"] = truth.places[name]
        arrays[f"judged_{name}"] = skin.judged[name]
        arrays[f"box_{name}"] = np.array(truth.boxes[name])
    np.savez_compressed(part, **arrays)
    part.rename(file)


def _load(file: Path) -> Skin:
    with np.load(file) as kept:
        times = kept["times_ms"]
        truth = Truth(
            size=(int(kept["size"][0]), int(kept["size"][1])),
            times_ms=times,
            closed=False,
            has_face=kept["has_face"],
            places={name: kept[f"places_{name}"] for name in PARTS},
            covered={name: np.zeros(len(times)) for name in PARTS},
            boxes={name: tuple(kept[f"box_{name}"].tolist()) for name in PARTS},
        )
        judged = {name: kept[f"judged_{name}"] for name in PARTS}
        return Skin(truth=truth, judged=judged, turned_deg=kept["turned_deg"])
