"""What a person should know about a clip, in sentences that say what to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anchord.timeline import VideoWarning
from anchord.tracking.smooth import stretches

# The detector's own floor; the user's document asks for 30 to 50 %.
_SMALL_SHARE = 0.20
_RIGHT_HEIGHT = "30–50 % of the frame's height is right"
# Mean of the picture, 0-255, under which faces are lost.
_DARK_LEVEL = 40.0
# A face this near to an edge, as a share of its own height, was on its way out.
_EDGE_SHARE = 0.05
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
    """

    time_ms: float
    brightness: float
    faces: int
    height: float | None = None
    margin: float | None = None


def face_height(looks: Sequence[Look]) -> float | None:
    """Median height of the face as a share of the frame's; None where no face was seen."""
    heights = [look.height for look in looks if look.height is not None]
    return float(np.median(heights)) if heights else None


def warnings(looks: Sequence[Look]) -> list[VideoWarning]:
    """Everything about the clip that a person may want to mend, each with a number and advice."""
    found = []
    has_face = np.array([look.height is not None for look in looks])
    height = face_height(looks)
    if not has_face.all():
        found.append(_missing(looks, has_face, height))
    if height is not None and height < _SMALL_SHARE:
        found.append(
            VideoWarning(
                code="face_small",
                message=f"the face is {height:.0%} of the frame's height; {_RIGHT_HEIGHT}: "
                "move the camera closer or crop the video",
            )
        )
    several = sum(look.faces > 1 for look in looks)
    if several:
        found.append(
            VideoWarning(
                code="several_faces",
                message=f"more than one face in {several} of {len(looks)} samples; the largest and most "
                "central is followed: keep other people out of the picture",
            )
        )
    return found


def _missing(looks: Sequence[Look], has_face: NDArray[np.bool_], height: float | None) -> VideoWarning:
    runs = stretches(~has_face)
    named = ", ".join(
        f"{looks[first].time_ms / 1000:.2f}–{looks[last].time_ms / 1000:.2f} s"
        for first, last in runs[:_NAMED]
    )
    more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
    count = f"{int((~has_face).sum())} of {len(looks)} samples"
    return VideoWarning(
        code="face_missing" if has_face.any() else "no_face",
        message=f"no face in {count} ({named}{more}): {_cause(looks, has_face, height)}",
    )


def _cause(looks: Sequence[Look], has_face: NDArray[np.bool_], height: float | None) -> str:
    """The likeliest cause of faces not being found, and what helps against it."""
    dark = float(np.median([look.brightness for look, seen in zip(looks, has_face, strict=True) if not seen]))
    beside = [
        look.margin
        for i, look in enumerate(looks)
        if look.margin is not None and not has_face[max(i - 1, 0) : i + 2].all()
    ]
    if dark < _DARK_LEVEL:
        return f"the picture is dark there (mean {dark:.0f} of 255): use even, frontal light"
    if height is None:
        return (
            f"show one face to the camera, large enough ({_RIGHT_HEIGHT}), in even light, "
            "looking ahead, with nothing in front of it"
        )
    if height < _SMALL_SHARE:
        return f"the face is {height:.0%} of the frame's height; {_RIGHT_HEIGHT}: move closer or crop"
    if beside and min(beside) < _EDGE_SHARE:
        return "the face leaves the frame there: keep it whole and centred"
    return (
        "the face is turned away, covered or out of the frame there: keep it centred, looking at the camera, "
        "without hands or hair in front of it"
    )
