"""What coordinators and nodes say to each other survives the way, and nothing else does."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord import errors
from anchord.cluster.wire import (
    Made,
    NodeAnswer,
    Refused,
    decode_answer,
    decode_job,
    encode,
    job_of,
    kind,
    refused,
    task_of,
)
from anchord.errors import AnchordError, VideoError, WorkerError, WorkerStartError
from anchord.files import FileKey
from anchord.settings import ExtractSettings, Limits, PackSettings
from anchord.worker.executor import Task
from anchord.worker.protocol import MAX_TEXT

NAMES = st.binary(min_size=1, max_size=40).filter(lambda name: b"/" not in name and b"\0" not in name)


def a_key(size: int = 7) -> FileKey:
    return FileKey(device=1, inode=2, size=size, mtime_ns=1_700_000_000_123_456, ctime_ns=4, owner=5, mode=6)


def a_task(pack: str = "ada", video: str = "idle.webm", rate: int = 3) -> Task:
    return Task(
        pack=pack,
        settings=PackSettings(extract=ExtractSettings(sample_rate=rate), video=video, base="face.png"),
        limits=Limits(max_frames=100),
        feed=(None, None, None, None),
        sha256="a" * 64,
        reason="timeline missing",
        owner=1000,
        base_sha256="b" * 64,
    )


@given(NAMES, NAMES, st.integers(1, 1000))
def test_a_node_gets_the_task_as_it_was(pack: bytes, video: bytes, rate: int) -> None:
    """Also with names that are no text: they are a file system's bytes."""
    task = a_task(os.fsdecode(pack), os.fsdecode(video), rate)
    job = decode_job(encode(job_of(task, a_key(), a_key(8), transfer="auto")))
    assert (job.pack, job.video.name, job.base and job.base.size) == (pack, video, 8)
    got = task_of(job)
    assert (got.pack, got.settings.video, got.owner) == (task.pack, task.settings.video, task.owner)
    assert (got.settings.extract, got.limits) == (task.settings.extract, task.limits)
    assert (got.sha256, got.base_sha256) == (task.sha256, task.base_sha256)


@pytest.mark.parametrize("message", [b"", b"\xc0", b"\x90", b"\x91" * 100_000, b"\x81\xa4kind\xa1x"])
def test_what_is_no_job_is_refused_and_no_video_is_at_fault(message: bytes) -> None:
    with pytest.raises(WorkerStartError, match="makes no sense"):
        decode_job(message)


@pytest.mark.parametrize("answer", [Made(content=b"{}"), Refused(error="VideoError", message="is damaged")])
def test_an_answer_survives_the_way(answer: NodeAnswer) -> None:
    job = job_of(a_task(), a_key(), None, transfer="path")
    assert decode_answer(encode(answer), job) == answer


@given(st.one_of(st.binary(max_size=200), st.none(), st.integers()))
def test_whatever_a_node_answers_is_an_answer_or_an_error_of_ours(content: object) -> None:
    job = job_of(a_task(), a_key(), None, transfer="path")
    try:
        answer = decode_answer(content, job)
    except WorkerError:
        return
    assert isinstance(answer, Made | Refused)


ERRORS = [getattr(errors, name) for name in vars(errors) if name.endswith("Error") and name != "AnchordError"]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_of_a_node_reaches_the_coordinator(error: type[AnchordError]) -> None:
    """As itself where it is about the video, and as one that is nobody's video's fault where it is not."""
    came = msgspec.msgpack.decode(encode(refused(error("x" * 3000))), type=Refused).as_error()
    assert type(came) in (error, WorkerStartError)
    assert len(str(came)) == MAX_TEXT


def test_an_error_about_the_video_stays_one() -> None:
    assert type(refused(VideoError("is damaged")).as_error()) is VideoError


def test_a_kind_names_version_method_and_model() -> None:
    assert kind().startswith("anchord-0.")
    assert "-method-" in kind()
    assert "-model-" in kind()
