"""Every warning about a video: what its code means, and what mends it. The one table; pure."""

from __future__ import annotations

from typing import NamedTuple


class Advice(NamedTuple):
    """
    What to say of a warning wherever it has no number of its own.

    Args:
        meaning: what is in the video.
        remedy: what to do about it.
    """

    meaning: str
    remedy: str


#: Code -> its advice, the gravest first. Tests hold it to the code that warns, to the schema and to the page.
WARNINGS: dict[str, Advice] = {
    "no_face": Advice(
        "no face was found in any frame",
        "show one face to the camera, large enough and in even light; for a drawn face or an animal, give "
        "the pack static anchors with anchord anchors PACK",
    ),
    "face_missing": Advice(
        "no face was found in some frames, and overlays are hidden where that lasts",
        "keep the face in the picture and uncovered, looking at the camera; the message names the seconds",
    ),
    "upside_down": Advice(
        "the video seems to stand on its head, and so its overlays are in the wrong places", "turn it by 180°"
    ),
    "tilted": Advice(
        "the head is turned by 30° or more from upright: the video lies on its side",
        "turn the video, or hold the head upright",
    ),
    "face_covered": Advice(
        "something such as a hand is in front of mouth or eyes for a while",
        "keep hands, hair and microphones away from the face",
    ),
    "eyes_covered": Advice(
        "the eyes are behind something, such as sunglasses or hair, and overlays would be drawn over it",
        "take it off, or leave the eyes' overlay out",
    ),
    "face_cut": Advice(
        "the edge of the frame cuts the face", "keep it whole and centred, or crop the video less tightly"
    ),
    "several_faces": Advice(
        "more than one face is in the picture; the largest and most central one is followed",
        "keep other people, posters and mirrors out of the picture",
    ),
    "large_turns": Advice(
        "the head turns by more than 10° from how it is mostly held, which flat overlays can't follow",
        "keep the head within 10° of where it looks",
    ),
    "mouth_moves": Advice(
        "the mouth opens in the clip, and its own lips show beside the overlay's",
        "record the idle clip with the mouth shut",
    ),
    "almost_loop": Advice(
        "the clip nearly closes, but the face jumps where it starts again",
        "cut it where the pose is the same, or cross-fade its end into its beginning",
    ),
    "other_base": Advice(
        "no frame looks like the base face, so the static anchors are taken for the first frame's",
        "make the base face a frame of the video, as anchord sprites does",
    ),
    "flat": Advice(
        "the face has hardly a feature to be followed by, as if it were drawn, so anchors may slide by a "
        "pixel or two",
        "give the pack static anchors with anchord anchors PACK",
    ),
    "face_small": Advice(
        "the face is less than 20 % of the frame's height, so a pixel's error is a larger one of the overlay",
        "move the camera closer, or crop the video: 30 to 50 % is right",
    ),
    "blurred": Advice(
        "the face is out of focus, smeared by motion or by the encoder",
        "focus on it, hold the camera still, use more light or a higher bit rate",
    ),
    "dark": Advice("the face is dark, and noise drowns the skin", "use even, frontal light"),
    "noisy": Advice("the picture is noisy", "use more light and a lower ISO"),
    "not_for_browsers": Advice(
        "the anchors are right, but no page, or not every one, will play this codec",
        "encode it as VP9 or H.264",
    ),
    "size_changes": Advice(
        "the picture is scaled from some frame on, and a page's layout may jump", "encode it at one size"
    ),
    "trailing_bytes": Advice(
        "something lies behind the video's end; players pass over it", "look at what uploaded the file"
    ),
}
