"""
What the parent and a worker process say to each other, and how it is put on the wire.

The worker decodes hostile files, so whoever sends an answer may have been taken over: each field has
its limits here, and what is over one of them is no answer at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

from anchord import errors, sprite_set
from anchord.errors import AnchordError, WorkerError
from anchord.manifest import Statics
from anchord.printable import printable
from anchord.settings import ExtractSettings, Limits
from anchord.sprite_set import SpriteSet, Viseme

#: A message is preceded by its length in so many bytes, most significant first.
LENGTH_BYTES = 4
#: Messages other than a timeline are never longer: an error's text has at most 2,000 characters.
SHORT_MESSAGE_BYTES = 16 << 10
MAX_TEXT = 2_000

#: A frame's number, and how many there are: far above any video, far below what an integer holds.
Count = Annotated[int, Meta(ge=0, le=1 << 40)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Layer = Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\Z")]


#: What a person is shown, and the files that it is made of.
PreviewKind = Literal["sheet", "strip", "webm", "mp4"]
PreviewFile = Literal[
    "video",
    "timeline",
    "manifest",
    "mouth",
    "mouth_mask",
    "eyes_open",
    "eyes_half",
    "eyes_closed",
    "eyes_mask",
]
#: A message comes with so many open files at most.
MAX_FILES = len(get_args(PreviewFile))
#: The most bytes that each may have.
MAX_PREVIEW_BYTES: dict[PreviewKind, int] = {
    "sheet": 32 << 20,
    "strip": 1 << 20,
    "webm": 256 << 20,
    "mp4": 256 << 20,
}

# What a file of its kind has in its first twelve bytes.
_MAGIC: dict[PreviewKind, bytes] = {
    "sheet": b"\x89PNG\r\n\x1a\n",
    "strip": b"\xff\xd8\xff",
    "webm": b"\x1a\x45\xdf\xa3",
    "mp4": b"ftyp",
}


class Job(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """
    Extract one video; its open file descriptor travels with the message.

    So does that of the base face's picture where *has_base* says so.
    """

    number: Count
    video: str
    settings: ExtractSettings
    limits: Limits
    statics: Statics | None = None
    has_base: bool = False


class SpriteJob(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """
    Make a pack's pictures from its idle clip, and from a clip in which the same person speaks.

    The open files travel with the message: the idle clip's, and the other's where *speech* names one.
    """

    number: Count
    video: str
    speech: str | None
    settings: ExtractSettings
    limits: Limits
    visemes: tuple[Viseme, ...]
    preview: bool


class PreviewJob(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """
    Show a clip with its timeline to a person.

    The open files travel with the message, in the order of *files*; *video* is what pictures and errors call
    the clip.
    """

    number: Count
    video: str
    files: tuple[PreviewFile, ...]
    wanted: tuple[PreviewKind, ...]
    limits: Limits


class Ready(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The worker has its libraries and model, and what holds it in is in place. Once, at first."""

    sandbox: Annotated[dict[Layer, Annotated[str, Meta(max_length=300)]], Meta(max_length=16)]


class Unfit(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Something on this machine keeps the worker from ever being ready. Instead of ``Ready``."""

    error: Literal["ModelError", "SettingsError"]
    message: Text


class Progress(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """So many frames are decoded of so many expected (0: unknown)."""

    number: Count
    done: Count
    expected: Count


class Extracted(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The bytes of a timeline, or of what the worker says is one."""

    number: Count
    content: bytes


class Drawn(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The pictures of a pack, or what the worker says are some."""

    number: Count
    made: SpriteSet


class Previewed(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Pictures and films for a person's eyes, or what the worker says are some."""

    number: Count
    made: dict[PreviewKind, bytes]


class Failed(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """An error over this one video; a worker may raise no other."""

    number: Count
    error: Literal["VideoError", "IncompleteVideoError", "WorkerError"]
    message: Text

    def as_error(self) -> AnchordError:
        """The error that was raised in the worker."""
        kind: type[AnchordError] = getattr(errors, self.error)
        return kind(printable(self.message))


AnyJob: TypeAlias = Job | SpriteJob | PreviewJob
Answer: TypeAlias = Ready | Unfit | Progress | Extracted | Drawn | Previewed | Failed
#: What ends a job.
Outcome: TypeAlias = Extracted | Drawn | Previewed | Failed

_encoder = msgspec.msgpack.Encoder()
_job_decoder: msgspec.msgpack.Decoder[AnyJob] = msgspec.msgpack.Decoder(AnyJob)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode(message: AnyJob | Answer) -> bytes:
    """A message with its length in front."""
    content = _encoder.encode(message)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def decode_job(content: bytes) -> AnyJob:
    """A job, without its length."""
    return _job_decoder.decode(content)


def decode_answer(content: bytes) -> Answer:
    """
    An answer, without its length.

    Raises:
        WorkerError: it is none; whoever sent it is not to be trusted any further.
    """
    try:
        return _answer_decoder.decode(content)
    # ValueError: bad UTF-8 or a number beyond all bounds; RecursionError: nested without end.
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WorkerError(f"its answer makes no sense: {printable(str(error))[:200]}") from error


class Assembler:
    """
    Puts pieces of a stream together to messages; holds no more memory than pieces came.

    Attributes:
        max_bytes: no message may be longer; changes with what is expected next.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._held = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether every byte that came belonged to a whole message."""
        return not self._held

    def feed(self, piece: bytes) -> None:
        """Take in what came."""
        self._held += piece

    def pop(self) -> bytes | None:
        """
        The next whole message without its length; None until it is there.

        Raises:
            WorkerError: the next message says it is longer than allowed.
        """
        if len(self._held) < LENGTH_BYTES:
            return None
        length = int.from_bytes(self._held[:LENGTH_BYTES], "big")
        if length > self.max_bytes:
            raise WorkerError(f"its answer has {length} bytes, and {self.max_bytes} are the most allowed")
        end = LENGTH_BYTES + length
        if len(self._held) < end:
            return None
        message = bytes(memoryview(self._held)[LENGTH_BYTES:end])
        del self._held[:end]
        return message


def longest_answer(job: AnyJob) -> int:
    """So many bytes the answer to a job has at most."""
    if isinstance(job, PreviewJob):
        return (1 << 16) + sum(MAX_PREVIEW_BYTES[kind] for kind in job.wanted)
    settings = job.settings
    if isinstance(job, SpriteJob):
        return sprite_set.longest((settings.target_width, settings.target_height), job.visemes)
    return longest_timeline(settings, job.limits)


def is_asked_for(job: PreviewJob, made: Mapping[PreviewKind, bytes]) -> bool:
    """Whether just what a job wanted was made, each of its kind by its first bytes, and within its limit."""
    return set(made) == set(job.wanted) and all(
        len(content) <= MAX_PREVIEW_BYTES[kind] and _MAGIC[kind] in content[:12]
        for kind, content in made.items()
    )


def longest_timeline(settings: ExtractSettings, limits: Limits) -> int:
    """
    So many bytes a timeline has at most, with the longest numbers that can stand in it.

    A sample is its frame, time, status and what is hidden (110 bytes), its boxes, and half a gap; a box
    is seven numbers, each with a key, a sign, seven digits and its decimals.
    """
    number = 15 + max(settings.precision, 2)
    boxes = 2 + len({"left_eye", "right_eye"} & set(settings.include))
    extras = 60 * len({"pose", "signals", "light"} & set(settings.include))
    sample = 110 + boxes * (14 + 7 * number) + extras + 30
    # The last frame is looked at too, whatever the rate.
    samples = limits.max_frames // settings.sample_rate + 2
    return (64 << 10) + samples * sample
