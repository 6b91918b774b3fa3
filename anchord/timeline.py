"""
The file format of ``anchors_timeline.json``: a Timeline to bytes and back, and its JSON Schema.

No other room knows its keys. Version 1 is the first version's format; what anchord adds stands
beside it. Numbers are rounded here, where they are written, and nowhere earlier.
"""

from __future__ import annotations

import math
import os
from typing import Annotated, Any, BinaryIO, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from anchord.errors import FileError
from anchord.parsing import check_bounds

#: Raise it when the same video and settings would give other anchors: every timeline is then stale.
METHOD = 5
#: The warning of a face that its pixels hardly hold: static anchors would make another timeline of it.
FLAT = "flat"

Number = int | float
#: Far beyond any target; what is more is no place.
_FAR = Meta(ge=-1_000_000, le=1_000_000)
Pixels = Annotated[int, _FAR] | Annotated[float, _FAR]
_SHARE, _MUCH = Meta(ge=0, le=1), Meta(ge=0)
Share = Annotated[int, _SHARE] | Annotated[float, _SHARE]
Ratio = Annotated[int, _MUCH] | Annotated[float, _MUCH]
#: A name out of the file or of ours, such as a codec's or a warning's.
Code = Annotated[str, Meta(pattern="^[A-Za-z0-9_.+-]{1,40}$")]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
S = TypeVar("S", bound=Struct)
Status = Literal["tracked", "interpolated", "held"]
Part = Literal["mouth", "eyes"]
Followed = Literal["landmarks", "pixels"]
Extra = Literal["pose", "signals", "left_eye", "right_eye", "light"]


class Anchor(Struct, frozen=True, kw_only=True):
    """Where an overlay is pinned, in target pixels: the upright box, turned by roll about its centre."""

    x: Annotated[Pixels, Meta(description="left edge of the upright box, px: cx - w/2")]
    y: Annotated[Pixels, Meta(description="top edge of the upright box, px: cy - h/2")]
    w: Annotated[Pixels, Meta(description="width, px, padding included")]
    h: Annotated[Pixels, Meta(description="height, px, padding included")]
    cx: Annotated[Pixels, Meta(description="the point the overlay is pinned to, px from the left")]
    cy: Annotated[Pixels, Meta(description="the point the overlay is pinned to, px from the top")]
    roll: Annotated[Pixels, Meta(description="turn about cx, cy, degrees clockwise")]


class Pose(Struct, frozen=True, kw_only=True):
    """How the head is turned, degrees."""

    yaw: Annotated[Number, Meta(description="positive towards the person's own left")]
    pitch: Annotated[Number, Meta(description="positive upwards")]
    roll: Annotated[Number, Meta(description="positive clockwise on the screen")]


class Signals(Struct, frozen=True, kw_only=True):
    """How far the face's openings are open: 0 is shut, 1 wide open. Left and right are the person's own."""

    mouth_open: Annotated[Share, Meta(description="how far the jaw is down, 0–1")]
    eye_open_left: Annotated[Share, Meta(description="0 is shut")]
    eye_open_right: Annotated[Share, Meta(description="0 is shut")]


class Light(Struct, frozen=True, kw_only=True):
    """Mean colour of the cheeks over the clip's mean: 1 is as usual."""

    r: Annotated[Ratio, Meta(description="red over its mean")]
    g: Annotated[Ratio, Meta(description="green over its mean")]
    b: Annotated[Ratio, Meta(description="blue over its mean")]


class Sample(Struct, frozen=True, kw_only=True):
    """The anchors of one sampled frame."""

    frame: Annotated[int, Meta(ge=0, description="index of the decoded frame, counted from 0")]
    time_ms: Annotated[Number, Meta(description="presentation time as a browser reports it, ms")]
    status: Annotated[
        Status,
        Meta(
            description="tracked: a face was seen; interpolated: in a short gap; held: at an end without one"
        ),
    ]
    mouth: Anchor
    eyes: Anchor
    hidden: Annotated[
        list[Part] | UnsetType, Meta(description="parts with something in front of them, such as a hand")
    ] = UNSET
    left_eye: Annotated[Anchor | UnsetType, Meta(description="the person's own left; by include")] = UNSET
    right_eye: Annotated[Anchor | UnsetType, Meta(description="the person's own right; by include")] = UNSET
    pose: Annotated[Pose | UnsetType, Meta(description="by include; only where a face was seen")] = UNSET
    signals: Annotated[Signals | UnsetType, Meta(description="by include; only where a face was seen")] = (
        UNSET
    )
    light: Annotated[Light | UnsetType, Meta(description="by include; only where a face was seen")] = UNSET


class Source(Struct, frozen=True, kw_only=True):
    """The video, as decoded."""

    video: Annotated[str, Meta(description="file name inside the pack")]
    fps: Annotated[Number, Meta(description="mean frame rate, Hz")]
    frame_count: Annotated[int, Meta(ge=0, description="number of frames really decoded")]
    width: Annotated[int, Meta(ge=1, description="px as shown: rotation and pixel aspect applied")]
    height: Annotated[int, Meta(ge=1, description="px as shown: rotation and pixel aspect applied")]
    sample_every_n_frames: Annotated[int, Meta(ge=1, description="every n-th frame is a sample")]
    duration_ms: Annotated[Number, Meta(description="first frame's start to last frame's end, ms")]
    start_ms: Annotated[Number, Meta(description="presentation time of the first frame, ms")]
    variable_frame_rate: Annotated[bool, Meta(description="whether frame times are uneven")]
    rotation: Annotated[int, Meta(description="turn that a player applies, degrees counter-clockwise")]
    mirrored: Annotated[
        bool, Meta(description="whether a player swaps left and right after the turn; false where missing")
    ] = False
    alpha: Annotated[bool, Meta(description="whether the picture has transparency")]
    codec: Annotated[Code, Meta(description="such as vp9, av1, h264")]
    size: Annotated[int, Meta(ge=0, description="bytes of the file")]
    mtime_us: Annotated[int, Meta(description="modification time of the file, µs since 1970")]
    sha256: Annotated[Digest, Meta(description="SHA-256 of the file's content, hexadecimal")]


class Target(Struct, frozen=True, kw_only=True):
    """The coordinate system of the anchors."""

    width: Annotated[int, Meta(ge=1, description="px")]
    height: Annotated[int, Meta(ge=1, description="px")]
    fit: Annotated[
        Literal["contain", "cover", "fill"],
        Meta(description="how the video lies in the target, as CSS object-fit"),
    ]


class Config(Struct, frozen=True, kw_only=True):
    """The settings that shaped this timeline and stand nowhere else in it."""

    mouth_padding: Annotated[float, Meta(description="mouth box over the tight box of the lips")]
    eyes_padding: Annotated[float, Meta(description="eyes box over the tight box of the openings")]
    precision: Annotated[int, Meta(description="decimals of pixel values")]
    max_gap_ms: Annotated[float, Meta(description="longest gap that is bridged, ms")]
    follow: Annotated[
        Literal["auto"] | Followed, Meta(description="auto: pixels alone only where no face is found")
    ]
    smoothing: Annotated[
        Literal["auto", "off"] | float,
        Meta(description="auto, off, or standard deviation of the average, ms"),
    ]
    follow_every_frame: Annotated[
        bool, Meta(description="whether pixels are followed on every decoded frame, not on samples alone")
    ] = False


class Generator(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What made this file; with the source's digest it says whether the file is stale."""

    name: str
    version: Annotated[str, Meta(description="version of anchord")]
    method: Annotated[int, Meta(description="version of the method; a new one makes files stale")]
    model_sha256: Annotated[str, Meta(description="SHA-256 of the face model")]
    settings_sha256: Annotated[str, Meta(description="SHA-256 of the effective settings")]
    statics_sha256: Annotated[str, Meta(description="of the static anchors that were used, if any")] = ""
    base_sha256: Annotated[str, Meta(description="of the base face's picture, if there is one")] = ""


class Loop(Struct, frozen=True, kw_only=True):
    """Whether the last frame leads back to the first."""

    closed: Annotated[bool, Meta(description="true: interpolate across the end")]
    seam_px: Annotated[
        Number | None,
        Meta(description="from where the last frames lead to the first, target px; null: unknown"),
    ]


class VideoWarning(Struct, frozen=True, kw_only=True):
    """Something about the video that a person can mend."""

    code: Annotated[Code, Meta(description="stable name")]
    message: Annotated[str, Meta(max_length=1000, description="a sentence with the number and what to do")]


class Quality(Struct, frozen=True, kw_only=True):
    """How far the timeline can be trusted."""

    coverage: Annotated[Share, Meta(description="share of samples with a face")]
    samples: Annotated[int, Meta(ge=0, description="frames that were looked at")]
    faces: Annotated[int, Meta(ge=0, description="samples with a face")]
    gaps: Annotated[list[tuple[Number, Number]], Meta(description="[first, last] without a face, ms")]
    longest_gap_ms: Annotated[Number, Meta(description="longest stretch without a face, ms")]
    jitter_px: Annotated[Number | None, Meta(description="noise in the anchors, target px; null: unknown")]
    face_height: Annotated[Number | None, Meta(description="face over frame, median height; null: no face")]
    warnings: Annotated[list[VideoWarning], Meta(max_length=100)]
    source: Annotated[Followed, Meta(description="what was followed")] = "landmarks"

    def asks_statics(self, follow: str) -> bool:
        """Whether other static anchors could have given another timeline, with this *follow*."""
        is_poor = 2 * self.faces < self.samples or any(warning.code == FLAT for warning in self.warnings)
        return self.source == "pixels" or (follow == "auto" and is_poor)


class Reference(Struct, frozen=True, kw_only=True):
    """When the clip lies most like the base face, and anchors in that picture where the clip's own differ."""

    time_ms: Annotated[Number, Meta(description="presentation time of the sample nearest to it, ms")]
    mouth: Anchor | UnsetType = UNSET
    eyes: Anchor | UnsetType = UNSET


class Timeline(Struct, frozen=True, kw_only=True):
    """The samples of one video in order, and what made them."""

    version: Literal[1] = 1
    source: Source
    target: Target
    config: Config
    generator: Generator
    loop: Loop
    quality: Quality
    reference: Reference | UnsetType = UNSET
    frames: list[Sample]


class Head(Struct, frozen=True):
    """A written timeline up to its frames, as far as anything but a page asks for it."""

    class _Source(Struct, frozen=True):
        video: str
        size: int | UnsetType = UNSET
        mtime_us: int | UnsetType = UNSET
        sha256: str | UnsetType = UNSET

    class _Generator(Struct, frozen=True):
        method: int | UnsetType = UNSET
        statics_sha256: str = ""
        base_sha256: str = ""
        model_sha256: str | UnsetType = UNSET
        settings_sha256: str | UnsetType = UNSET

    source: _Source
    generator: _Generator = _Generator()
    quality: Quality | UnsetType = UNSET


Places = TypeVar("Places", Sample, Reference, Reference | UnsetType)


class _Envelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A timeline whose frames are not decoded yet."""

    version: Literal[1] = 1
    source: Source
    target: Target
    config: Config
    generator: Generator
    loop: Loop
    quality: Quality
    reference: Reference | UnsetType = UNSET
    frames: list[msgspec.Raw]


#: Everything before the frames is shorter; only a video that flickers for minutes has many gaps.
HEAD_BYTES = 64 << 10
_FRAMES, _END = b',"frames":', (b"}]}\n", b"[]}\n")

_head_decoder = msgspec.json.Decoder(Head)
_decoder = msgspec.json.Decoder(Timeline)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_sample_decoder = msgspec.json.Decoder(Sample)


def encode(timeline: Timeline) -> bytes:
    """The bytes of the file: compact JSON, numbers rounded to the timeline's own precision."""
    rounded = msgspec.structs.replace(
        timeline,
        source=_rounded(timeline.source, 3),
        loop=_rounded(timeline.loop, 3),
        quality=msgspec.structs.replace(
            _rounded(timeline.quality, 4),
            gaps=[(_round(first, 3), _round(last, 3)) for first, last in timeline.quality.gaps],
        ),
        reference=_rounded_sample(timeline.reference, timeline.config.precision),
        frames=[_rounded_sample(sample, timeline.config.precision) for sample in timeline.frames],
    )
    return msgspec.json.encode(rounded) + b"\n"


def decode(content: bytes) -> Timeline:
    """
    The Timeline in a file's bytes.

    Raises:
        ValueError: the bytes are not a timeline that anchord wrote.
    """
    return _decoder.decode(content)


def head(stream: BinaryIO) -> Head | None:
    """
    What stands in a timeline's file before its frames; None where it is none that anchord wrote whole.

    However large the file is, only its first and last bytes are read.

    Args:
        stream: the file, seekable.
    """
    begin = stream.read(HEAD_BYTES)
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - 4))
    if stream.read(4) not in _END or (cut := begin.find(_FRAMES)) < 0:
        return None
    try:
        check_bounds(begin[:cut], "timeline")
        return _head_decoder.decode(begin[:cut] + b"}")
    except (FileError, ValueError):
        return None


def recoded(content: bytes) -> tuple[Timeline, int, bytes]:
    """
    The timeline in bytes that somebody else encoded, and what is written for it: only what is known here,
    in this room's own encoding.

    One sample after another, so that memory does not grow by more than the bytes themselves.

    Returns:
        the timeline without its frames, how many of them there are, and the file's bytes.

    Raises:
        ValueError: it is not a timeline as :func:`encode` writes one: something unknown is in it, a number
            is out of range, samples are not in order.
    """
    try:
        envelope = _envelope_decoder.decode(content)
    except RecursionError as error:
        raise ValueError("it nests without end") from error
    made = Timeline(
        **{name: getattr(envelope, name) for name in envelope.__struct_fields__ if name != "frames"},
        frames=[],
    )
    written = bytearray(msgspec.json.encode(made))
    del written[-2:]
    frame, time_ms = -1, -math.inf
    for raw in envelope.frames:
        sample = _sample_decoder.decode(raw)
        if sample.frame <= frame or sample.time_ms <= time_ms:
            raise ValueError(f"sample of frame {sample.frame}: samples must be in order")
        frame, time_ms = sample.frame, sample.time_ms
        written += msgspec.json.encode(sample) + b","
    if envelope.frames:
        del written[-1:]
    written += b"]}\n"
    # Whoever encodes as this room does gives just these bytes: no key twice, none unknown, no other form.
    if written != content:
        raise ValueError("it is not encoded as anchord encodes it")
    return made, len(envelope.frames), bytes(written)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "anchors_timeline.json, version 1",
    } | msgspec.json.schema(Timeline)


def _rounded_sample(sample: Places, precision: int) -> Places:
    if isinstance(sample, UnsetType):
        return sample
    rounded: dict[str, Any] = {"time_ms": _round(sample.time_ms, 3)}
    for name in sample.__struct_fields__:
        value = getattr(sample, name)
        if isinstance(value, Anchor):
            rounded[name] = _rounded_anchor(value, precision)
        elif isinstance(value, Pose):
            rounded[name] = _rounded(value, 2)
        elif isinstance(value, Signals | Light):
            rounded[name] = _rounded(value, 3)
    return msgspec.structs.replace(sample, **rounded)


def _rounded_anchor(anchor: Anchor, precision: int) -> Anchor:
    # A reader of the first version ignores roll, so it keeps its decimals where pixels lose theirs.
    return msgspec.structs.replace(_rounded(anchor, precision), roll=_round(anchor.roll, max(precision, 2)))


def _rounded(record: S, digits: int) -> S:
    numbers = {
        name: _round(value, digits)
        for name in record.__struct_fields__
        if isinstance(value := getattr(record, name), float)
    }
    return msgspec.structs.replace(record, **numbers)


def _round(value: Number, digits: int) -> Number:
    """Rounded; whole numbers as integers, so that 4000.0 is written as 4000 and -0.0 never is."""
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded
