"""What a person should know about a clip, in sentences that say what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anchord.timeline import FLAT, VideoWarning
from anchord.tracking.curves.gaps import stretches
from anchord.tracking.faces.upright import Stands, is_down
from anchord.tracking.motion.eyewear import Eyes, behind
from anchord.tracking.tuning import TUNING

Mask = NDArray[np.bool_]

_RIGHT_HEIGHT = "30–50 % of the frame's height is right"
_PUT_ANCHORS = (
    "put static anchors into the pack's manifest (mouth.anchor and eyes.anchor, for instance with "
    "anchord anchors PACK): then the pixels around them are followed"
)
# So many stretches are named one by one.
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    What quality needs to know about one sample.

    Args:
        time_ms: presentation time.
        brightness: mean of the picture, 0–255.
        faces: how many were found.
        height: the chosen face's height over the frame's; None without a face.
        margin: its distance from the nearest edge of the frame over its height; None without a face.
        face_brightness: mean of its cheeks, 0–255.
        noise: of its cheeks, grey levels.
        sharpness: of its eyes.
        turn: yaw and pitch, degrees.
        roll: of the head, degrees clockwise.
        mouth_open: 0–1.
        eyes: how they look.
        stands: the sample as it is and upside down; None where it was not turned.
    """

    time_ms: float
    brightness: float
    faces: int
    height: float | None = None
    margin: float | None = None
    face_brightness: float = 128.0
    noise: float = 0.0
    sharpness: float = np.inf
    turn: tuple[float, float] = (0.0, 0.0)
    roll: float = 0.0
    mouth_open: float = 0.0
    eyes: Eyes | None = None
    stands: Stands | None = None


def face_height(looks: Sequence[Look]) -> float | None:
    """Median height of the face as a share of the frame's; None where no face was seen."""
    heights = [look.height for look in looks if look.height is not None]
    return float(np.median(heights)) if heights else None


def warnings(
    looks: Sequence[Look],
    *,
    hidden: Mapping[str, Mask] | None = None,
    almost_seam_px: float | None = None,
    by_pixels: bool = False,
    has_statics: bool = False,
    is_flat: bool = False,
) -> list[VideoWarning]:
    """
    Everything about the clip that a person may want to mend, each with a number and advice.

    Args:
        looks: the samples.
        hidden: per part (n,) whether something is in front of it.
        almost_seam_px: the jump of a loop that nearly closes, target px.
        by_pixels: whether the pixels around the static anchors were followed, not a face.
        has_statics: whether the pack has static anchors.
        is_flat: whether the face's skin has hardly a feature.
    """
    has_face = np.array([look.height is not None for look in looks])
    height = face_height(looks)
    faces = [look for look in looks if look.height is not None]
    missing = _lost if by_pixels else partial(_missing, height=height, has_statics=has_statics)
    found = [
        None if has_face.all() else missing(looks, has_face),
        _small(height),
        _several(looks),
        _upside_down(looks),
    ]
    if faces and not by_pixels:
        found += [
            _covered(looks, hidden or {}),
            _eyes_covered(faces),
            _mouth_moves(faces),
            _turns(faces),
            _tilted(faces),
            _cut(looks),
            _dark(faces),
            _noisy(faces),
            _blurred(faces),
            _flat() if is_flat else None,
        ]
    if almost_seam_px is not None:
        found.append(_almost_loop(almost_seam_px))
    return [warning for warning in found if warning is not None]


def other_base() -> VideoWarning:
    """No frame shows the head as the base face does."""
    return VideoWarning(
        code="other_base",
        message="no frame looks like the base face, so the static anchors are taken for the first frame's: "
        "make the base face a frame of the video",
    )


def _flat() -> VideoWarning:
    return VideoWarning(
        code=FLAT,
        message="the face has hardly a feature to be followed by, as if it were drawn, so anchors may slide "
        f"by a pixel or two: {_PUT_ANCHORS}",
    )


def _lost(looks: Sequence[Look], has_face: Mask) -> VideoWarning:
    return VideoWarning(
        code="face_missing" if has_face.any() else "no_face",
        message=f"nothing like the static anchors' surroundings in {int((~has_face).sum())} of {len(looks)} "
        f"samples ({_when(looks, ~has_face)}): keep the head in sight, and the anchors on it",
    )


def _small(height: float | None) -> VideoWarning | None:
    if height is None or height >= TUNING.small_share:
        return None
    return VideoWarning(
        code="face_small",
        message=f"the face is {height:.0%} of the frame's height; {_RIGHT_HEIGHT}: "
        "move the camera closer or crop the video",
    )


def _several(looks: Sequence[Look]) -> VideoWarning | None:
    several = sum(look.faces > 1 for look in looks)
    if several < 2 or several < TUNING.several_share * len(looks):
        return None
    return VideoWarning(
        code="several_faces",
        message=f"more than one face in {several} of {len(looks)} samples; the largest and most "
        "central is followed: keep other people out of the picture",
    )


def _covered(looks: Sequence[Look], hidden: Mapping[str, Mask]) -> VideoWarning | None:
    said = [f"the {part} ({_when(looks, mask)})" for part, mask in hidden.items() if mask.any()]
    if not said:
        return None
    return VideoWarning(
        code="face_covered",
        message=f"something such as a hand is in front of {' and '.join(said)}: "
        "keep hands and hair away from the face",
    )


def _eyes_covered(faces: Sequence[Look]) -> VideoWarning | None:
    what = behind([look.eyes for look in faces if look.eyes])
    if what is None:
        return None
    return VideoWarning(
        code="eyes_covered",
        message=f"the eyes are behind {what} for most of the clip, and overlays would be drawn over it: "
        "take it off, or leave the eyes' overlay out",
    )


def _mouth_moves(faces: Sequence[Look]) -> VideoWarning | None:
    low, high = np.percentile([look.mouth_open for look in faces], [5, 95])
    if high - low < TUNING.mouth_moves:
        return None
    return VideoWarning(
        code="mouth_moves",
        message=f"the mouth opens by {high - low:.0%} in the clip, and would be seen beside the overlay's: "
        "record the idle clip with the mouth shut",
    )


def _turns(faces: Sequence[Look]) -> VideoWarning | None:
    turns = np.array([look.turn for look in faces])
    largest = float(np.abs(turns - np.median(turns, axis=0)).max())
    if largest < TUNING.large_turn_deg:
        return None
    return VideoWarning(
        code="large_turns",
        message=f"the head turns by {largest:.0f}° from how it is mostly held, and flat overlays can't: "
        f"keep it within {TUNING.large_turn_deg:.0f}°",
    )


def _roll(faces: Sequence[Look]) -> float:
    """The mean of directions: 179 and -179 degrees are neighbours."""
    return float(np.degrees(np.angle(np.exp(1j * np.radians([look.roll for look in faces])).mean())))


def _tilted(faces: Sequence[Look]) -> VideoWarning | None:
    roll = _roll(faces)
    if abs(roll) < TUNING.tilted_deg:
        return None
    return VideoWarning(
        code="tilted",
        message=f"the head is turned by {roll:.0f}° from upright: turn the video, or hold the head upright",
    )


def _cut(looks: Sequence[Look]) -> VideoWarning | None:
    cut = np.array([look.margin is not None and look.margin < 0 for look in looks])
    if not cut.any():
        return None
    return VideoWarning(
        code="face_cut",
        message=f"the edge of the frame cuts the face in {int(cut.sum())} of {len(looks)} samples "
        f"({_when(looks, cut)}): keep it whole and centred",
    )


def _dark(faces: Sequence[Look]) -> VideoWarning | None:
    level = float(np.median([look.face_brightness for look in faces]))
    if level >= TUNING.dark_face:
        return None
    return VideoWarning(
        code="dark",
        message=f"the face is dark (mean {level:.0f} of 255): use even, frontal light",
    )


def _blurred(faces: Sequence[Look]) -> VideoWarning | None:
    sharpness = float(np.median([look.sharpness for look in faces]))
    if sharpness >= TUNING.blurred:
        return None
    return VideoWarning(
        code="blurred",
        message=f"the face is blurred (sharpness {sharpness:.2f}, 0.9 is good): focus on it, hold the camera "
        "still, use more light or a higher bit rate",
    )


def _noisy(faces: Sequence[Look]) -> VideoWarning | None:
    noise = float(np.median([look.noise for look in faces]))
    if noise < TUNING.noisy:
        return None
    return VideoWarning(
        code="noisy",
        message=f"the picture is noisy (the skin changes by {noise:.0f} of 255 from pixel to pixel, "
        f"{TUNING.noisy / 4:.0f} is good): use more light and a lower ISO",
    )


def _upside_down(looks: Sequence[Look]) -> VideoWarning | None:
    faces = [look for look in looks if look.height is not None]
    # A face that lies on its side is no better the other way round.
    if faces and abs(_roll(faces)) >= TUNING.tilted_deg:
        return None
    if not is_down([look.stands for look in looks if look.stands]):
        return None
    return VideoWarning(
        code="upside_down",
        message="the video seems to stand on its head: turn it by 180° (its overlays are in the wrong places "
        "until then)",
    )


def _almost_loop(seam_px: float) -> VideoWarning | None:
    if seam_px < TUNING.seen_jump_px:
        return None
    return VideoWarning(
        code="almost_loop",
        message=f"the clip nearly closes, but jumps by {seam_px:.1f} px where it starts again: "
        "cut it where the pose is the same, or cross-fade its end into its beginning",
    )


def _when(looks: Sequence[Look], mask: Mask) -> str:
    """The stretches of a mask in seconds, the first few by name."""
    runs = stretches(mask)
    named = ", ".join(
        f"{looks[first].time_ms / 1000:.2f}–{looks[last].time_ms / 1000:.2f} s"
        for first, last in runs[:_NAMED]
    )
    return named + (f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else "")


def _missing(
    looks: Sequence[Look], has_face: NDArray[np.bool_], *, height: float | None, has_statics: bool
) -> VideoWarning:
    count = f"{int((~has_face).sum())} of {len(looks)} samples"
    message = f"no face in {count} ({_when(looks, ~has_face)}): {_cause(looks, has_face, height)}"
    if 2 * has_face.sum() < len(looks) and not has_statics:
        message += f"; if it is a drawn face or an animal's, {_PUT_ANCHORS}"
    return VideoWarning(code="face_missing" if has_face.any() else "no_face", message=message)


def _cause(looks: Sequence[Look], has_face: NDArray[np.bool_], height: float | None) -> str:
    """The likeliest cause of faces not being found, and what helps against it."""
    dark = float(np.median([look.brightness for look, seen in zip(looks, has_face, strict=True) if not seen]))
    beside = [
        look.margin
        for i, look in enumerate(looks)
        if look.margin is not None and not has_face[max(i - 1, 0) : i + 2].all()
    ]
    if dark < TUNING.dark_level:
        return f"the picture is dark there (mean {dark:.0f} of 255): use even, frontal light"
    if height is None:
        return (
            f"show one face to the camera, large enough ({_RIGHT_HEIGHT}), in even light, "
            "looking ahead, with nothing in front of it"
        )
    if height < TUNING.small_share:
        return f"the face is {height:.0%} of the frame's height; {_RIGHT_HEIGHT}: move closer or crop"
    if beside and min(beside) < TUNING.edge_share:
        return "the face leaves the frame there: keep it whole and centred"
    return (
        "the face is turned away, covered or out of the frame there: keep it centred, looking at the camera, "
        "without hands or hair in front of it"
    )
