"""
What a coordinator and a node say to each other: one message there, one back, both msgpack.

Dask carries them as plain bytes, so that nothing of a task or of a result is a pickle.
"""

from __future__ import annotations

import os
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from anchord import __version__, errors, timeline
from anchord.errors import AnchordError, WorkerError, WorkerStartError
from anchord.files import FileKey
from anchord.manifest import Statics
from anchord.model import MODEL_SHA256
from anchord.printable import printable
from anchord.settings import ExtractSettings, Limits, PackSettings
from anchord.worker.executor import Task
from anchord.worker.protocol import MAX_TEXT, Count, Text, longest_timeline

Transfer: TypeAlias = Literal["auto", "path", "bytes"]
Which: TypeAlias = Literal["video", "base"]

_PREFIX = "anchord-"
# What an answer has beside a timeline: its tag, keys and lengths.
_FRAME_BYTES = 1 << 10


def kind() -> str:
    """
    What a node must be to give the same timelines as this process: version, method and model.

    It is the name of a Dask resource that every node has and every task asks for, so that the scheduler
    itself gives no task to a node of another kind.
    """
    return f"{_PREFIX}{__version__}-method-{timeline.METHOD}-model-{MODEL_SHA256[:12]}"


def is_kind(name: str) -> bool:
    """Whether a resource of this name is some version's ``kind``."""
    return name.startswith(_PREFIX)


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of the pack as the coordinator saw it; *name* is its file name's bytes."""

    name: Annotated[bytes, Meta(min_length=1, max_length=255)]
    size: Count
    mtime_ns: int
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class NodeJob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a node needs to know of a task."""

    kind: str
    #: The pack's folder below the avatars root, as the file system has it.
    pack: bytes
    video: Source
    base: Source | None
    settings: ExtractSettings
    limits: Limits
    statics: Statics | None
    #: User id that the video belongs to, on the coordinator.
    owner: int
    transfer: Transfer
    #: Where the files' bytes can be had, ``tls://host:port``, and what for; empty: nowhere.
    server: str
    token: str


class Made(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The bytes of a timeline, or of what the node says is one."""

    content: bytes


class Refused(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """An error over this one job; a node may raise no other."""

    error: Literal[
        "VideoError",
        "IncompleteVideoError",
        "ChangedVideoError",
        "MachineError",
        "WorkerError",
        "WorkerStartError",
        "WorkerKilledError",
    ]
    message: Text

    def as_error(self) -> AnchordError:
        """The error that was raised on the node."""
        made: type[AnchordError] = getattr(errors, self.error)
        return made(printable(self.message))


NodeAnswer: TypeAlias = Made | Refused

_encoder = msgspec.msgpack.Encoder()
_job_decoder: msgspec.msgpack.Decoder[NodeJob] = msgspec.msgpack.Decoder(NodeJob)
_answer_decoder: msgspec.msgpack.Decoder[NodeAnswer] = msgspec.msgpack.Decoder(NodeAnswer)


def job_of(task: Task, video: FileKey, base: FileKey | None, *, transfer: Transfer) -> NodeJob:
    """
    A task for a node, which may fetch its files nowhere yet.

    Args:
        task: what is to be done.
        video: the key of the opened video.
        base: the key of the opened picture of the base face, if there is one.
        transfer: how a node is to get them.
    """
    return NodeJob(
        kind=kind(),
        pack=os.fsencode(task.pack),
        video=_source(task.settings.video, video, task.sha256),
        base=None if base is None else _source(task.settings.base, base, task.base_sha256),
        settings=task.settings.extract,
        limits=task.limits,
        statics=task.settings.statics,
        owner=task.owner,
        transfer=transfer,
        server="",
        token="",
    )


def task_of(job: NodeJob) -> Task:
    """The task as a node's own supervisor takes it; what the pack looks like is the coordinator's to know."""
    return Task(
        pack=os.fsdecode(job.pack),
        settings=PackSettings(extract=job.settings, video=os.fsdecode(job.video.name), statics=job.statics),
        limits=job.limits,
        feed=(None, None, None, None),
        sha256=job.video.sha256,
        reason="asked for by the coordinator",
        owner=job.owner,
        base_sha256=job.base.sha256 if job.base else "",
    )


def refused(error: AnchordError) -> Refused:
    """An error as a node says it; one that is not in its vocabulary is the node's own."""
    name = type(error).__name__
    known = name in Refused.__annotations__["error"]
    return msgspec.convert(
        {
            "type": "Refused",
            "error": name if known else "WorkerStartError",
            "message": printable(str(error))[:MAX_TEXT],
        },
        Refused,
    )


def encode(message: NodeJob | NodeAnswer) -> bytes:
    """A message's bytes."""
    return _encoder.encode(message)


def decode_job(content: bytes) -> NodeJob:
    """
    A job.

    Raises:
        WorkerStartError: it is none that this version knows.
    """
    try:
        return _job_decoder.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WorkerStartError(f"the coordinator's job makes no sense here: {error}") from error


def decode_answer(content: object, job: NodeJob) -> NodeAnswer:
    """
    The answer to a job.

    Raises:
        WorkerError: it is none, or longer than a timeline can be.
    """
    longest = longest_timeline(job.settings, job.limits) + _FRAME_BYTES
    if not isinstance(content, bytes) or len(content) > longest:
        raise WorkerError(f"the node's answer is no message of at most {longest} bytes")
    try:
        return _answer_decoder.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WorkerError(f"the node's answer makes no sense: {printable(str(error))[:200]}") from error


def _source(name: str, key: FileKey, sha256: str) -> Source:
    return Source(name=os.fsencode(name), size=key.size, mtime_ns=key.mtime_ns, sha256=sha256)
