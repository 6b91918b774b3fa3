"""A node's work: from a job's message to an answer, whatever is in the message or goes wrong."""

from __future__ import annotations

import hashlib
import io
import sys
import threading
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from anchord.cluster.places import Places
from anchord.cluster.sources import SharedRoot, filling
from anchord.cluster.wire import Made, NodeAnswer, NodeJob, Refused, Source, Transfer, Which, encode, kind
from anchord.cluster.work import Work
from anchord.errors import AnchordError, MachineError, VideoError
from anchord.files import FileKey
from anchord.settings import ExtractSettings, Limits, WorkerSettings
from tests.service.running import wait_until
from tests.worker import lying

CONTENT = b"a video"
LIMIT_S = 60.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "avatars/ada").mkdir(parents=True)
    (tmp_path / "avatars/ada/idle.webm").write_bytes(CONTENT)
    return tmp_path / "avatars"


def a_job(root: Path, *, transfer: Transfer = "auto", server: str = "tls://192.0.2.1:5") -> NodeJob:
    with (root / "ada/idle.webm").open("rb") as stream:
        key = FileKey.of_opened(stream)
    return NodeJob(
        kind=kind(),
        pack=b"ada",
        video=Source(
            name=b"idle.webm",
            size=key.size,
            mtime_ns=key.mtime_ns,
            sha256=hashlib.sha256(CONTENT).hexdigest(),
        ),
        base=None,
        settings=ExtractSettings(),
        limits=Limits(),
        statics=None,
        owner=0,
        transfer=transfer,
        server=server,
        token="token",
    )


def silent(folder: Path) -> tuple[str, ...]:
    """A worker that answers nothing; those after it are honest."""
    return (sys.executable, lying.__file__, "silence", str(folder / "told"))


def unreachable(job: NodeJob, which: Which, source: Source) -> BufferedReader:
    raise MachineError(f"{job.server}: does not answer")


def from_memory(job: NodeJob, which: Which, source: Source) -> BufferedReader:
    with filling(source) as file:
        file.add(CONTENT)
        return file.finished()


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[..., Work]]:
    """Makes a node's work, with a worker that speaks the protocol and loads no library."""
    (tmp_path / "marker").touch()
    made: list[Places] = []

    def make(
        root: Path | None,
        fetch: Callable[[NodeJob, Which, Source], BufferedReader] = unreachable,
        command: tuple[str, ...] = (sys.executable, lying.__file__, "", str(tmp_path / "marker")),
    ) -> Work:
        made.append(Places(WorkerSettings(), 1, command=command))
        shared = SharedRoot(root) if root else None
        return Work(name="one", root=shared, places=made[-1], fetch=fetch)

    yield make
    for places in made:
        places.close()


def do(work: Work, job: NodeJob | bytes, *, is_wanted: bool = True) -> Made | Refused:
    content = job if isinstance(job, bytes) else encode(job)
    answer: NodeAnswer = msgspec.msgpack.decode(
        work.do(content, is_wanted=lambda: is_wanted), type=Made | Refused
    )
    return answer


@pytest.mark.parametrize("transfer", ["auto", "path"])
def test_a_video_on_shared_storage_is_worked_on_there(
    work: Callable[..., Work], root: Path, transfer: Literal["auto", "path"]
) -> None:
    assert do(work(root), a_job(root, transfer=transfer)) == Made(content=lying.HONEST)


@pytest.mark.parametrize("transfer", ["auto", "bytes"])
def test_a_video_that_is_not_here_is_fetched(
    work: Callable[..., Work], root: Path, transfer: Literal["auto", "bytes"]
) -> None:
    assert do(work(None, from_memory), a_job(root, transfer=transfer)) == Made(content=lying.HONEST)


def test_a_video_that_differs_here_is_fetched(work: Callable[..., Work], root: Path) -> None:
    """Shared storage may lag behind the coordinator's."""
    job = a_job(root)
    (root / "ada/idle.webm").write_bytes(b"an older video")
    assert do(work(root, from_memory), job) == Made(content=lying.HONEST)


def test_with_paths_alone_a_node_without_the_root_says_what_to_do(
    work: Callable[..., Work], root: Path
) -> None:
    answer = do(work(None, from_memory), a_job(root, transfer="path"))
    assert isinstance(answer, Refused)
    assert answer.error == "MachineError"
    assert answer.message.startswith("node one: does not see idle.webm as the coordinator does")
    assert "--root" in answer.message


def test_a_coordinator_that_serves_no_bytes_is_named(work: Callable[..., Work], root: Path) -> None:
    answer = do(work(None), a_job(root, server=""))
    assert isinstance(answer, Refused)
    assert "cluster.listen" in answer.message


def test_a_job_of_another_version_is_refused_and_no_video_is_at_fault(
    work: Callable[..., Work], root: Path
) -> None:
    answer = do(work(root), msgspec.structs.replace(a_job(root), kind="anchord-0.0.9"))
    assert isinstance(answer, Refused)
    assert answer.error == "WorkerStartError"
    assert "anchord-0.0.9" in answer.message


@pytest.mark.parametrize("message", [b"", b"\xc0", b"\x91" * 100_000, b"{}"])
def test_what_is_no_job_is_refused(work: Callable[..., Work], root: Path, message: bytes) -> None:
    answer = do(work(root), message)
    assert isinstance(answer, Refused)
    assert answer.error == "WorkerStartError"


def test_a_worker_that_cannot_start_is_the_nodes_fault(work: Callable[..., Work], root: Path) -> None:
    answer = do(work(root, command=("/nowhere/python",)), a_job(root))
    assert isinstance(answer, Refused)
    assert answer.error == "WorkerStartError"
    assert answer.message.startswith("node one: ")


def test_a_defect_costs_one_job(work: Callable[..., Work], root: Path) -> None:
    def broken(job: NodeJob, which: Which, source: Source) -> BufferedReader:
        raise io.UnsupportedOperation("a mistake")

    answer = do(work(None, broken), a_job(root))
    assert isinstance(answer, Refused)
    error: AnchordError = answer.as_error()
    assert not isinstance(error, VideoError)
    assert do(work(root), a_job(root)) == Made(content=lying.HONEST)


def test_a_job_that_nobody_wants_is_ended_and_its_place_is_free(
    work: Callable[..., Work], root: Path, tmp_path: Path
) -> None:
    """The first worker is silent for ever; the one after it is honest."""
    it = work(root, command=silent(tmp_path))
    answer = do(it, a_job(root), is_wanted=False)
    assert isinstance(answer, Refused)
    assert answer.error == "WorkerKilledError"
    assert do(it, a_job(root)) == Made(content=lying.HONEST)


def test_a_node_that_ends_ends_its_jobs(work: Callable[..., Work], root: Path, tmp_path: Path) -> None:
    it = work(root, command=silent(tmp_path))
    answers: list[Made | Refused] = []
    waiting = threading.Thread(target=lambda: answers.append(do(it, a_job(root))))
    waiting.start()
    wait_until(lambda: it.places._workers.health().state == "working")
    it.places.close()
    waiting.join(LIMIT_S)
    assert isinstance(answers[0], Refused)
    assert answers[0].error == "WorkerKilledError"
