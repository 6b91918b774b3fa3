"""What the daemon and its worker process say to each other, and how it is put on the wire."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

from anchord import errors
from anchord.errors import AnchordError, WorkerError
from anchord.settings import ExtractSettings, Limits

#: A message is preceded by its length in so many bytes, most significant first.
LENGTH_BYTES = 4
#: What no message is longer than; the timeline of the longest allowed video is far below.
MAX_MESSAGE_BYTES = 128 << 20


class Job(Struct, frozen=True, kw_only=True, tag=True):
    """Extract one video; its open file descriptor travels with the message."""

    number: int
    video: str
    settings: ExtractSettings
    limits: Limits
    #: Where the video turns out to have this digest, nothing is to be done.
    unless_sha256: str | None = None


class Ready(Struct, frozen=True, kw_only=True, tag=True):
    """The worker has its libraries and model, and what holds it in is in place."""

    sandbox: dict[str, str]


class Progress(Struct, frozen=True, kw_only=True, tag=True):
    """So many frames are decoded of so many expected (0: unknown)."""

    number: int
    done: int
    expected: int


class Extracted(Struct, frozen=True, kw_only=True, tag=True):
    """The bytes of a timeline."""

    number: int
    content: bytes


class Unchanged(Struct, frozen=True, kw_only=True, tag=True):
    """The video has the digest that the job named."""

    number: int


class Failed(Struct, frozen=True, kw_only=True, tag=True):
    """An error of the tree, by name; number -1 where it stopped the worker from starting."""

    number: int
    error: str
    message: str

    def as_error(self) -> AnchordError:
        """The error that was raised in the worker."""
        kind = getattr(errors, self.error, WorkerError)
        if not (isinstance(kind, type) and issubclass(kind, AnchordError)):
            kind = WorkerError
        return kind(self.message)


Answer: TypeAlias = Ready | Progress | Extracted | Unchanged | Failed

_encoder = msgspec.msgpack.Encoder()
_job_decoder = msgspec.msgpack.Decoder(Job)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode(message: Job | Answer) -> bytes:
    """A message with its length in front."""
    content = _encoder.encode(message)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def decode_job(content: bytes) -> Job:
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
    except msgspec.DecodeError as error:
        raise WorkerError(f"the worker's answer makes no sense: {error}") from error
