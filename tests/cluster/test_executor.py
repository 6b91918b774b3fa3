"""Tasks to nodes and back: what is told of each, whatever becomes of nodes and scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

import msgspec
import pytest

from anchord.cluster.executor import AWAY_S, ClusterExecutor, Report
from anchord.cluster.members import Connection, Hears, Members
from anchord.cluster.wire import Made, NodeAnswer, NodeJob, Refused, Which, decode_job, encode
from anchord.errors import AnchordError, NodeError, VideoError, WorkerError, WorkerKilledError
from anchord.settings import Limits, PackSettings, WorkerSettings
from anchord.worker.executor import Draft, Executor, Finished, Health, PlacesChanged, Said, Task

TWO_NODES = Members(places={"one": 1, "two": 2})


def a_task(pack: str = "ada") -> Task:
    return Task(
        pack=pack,
        settings=PackSettings(),
        limits=Limits(),
        feed=(None, None, None, None),
        sha256="0" * 64,
        reason="timeline missing",
        owner=0,
    )


@dataclass(slots=True)
class Wire:
    """A connection that only notes what it is told."""

    hears: Hears
    server_address: str = "tls://192.0.2.1:5"
    submitted: dict[int, NodeJob] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    is_stopped: bool = False

    def submit(self, number: int, message: bytes) -> None:
        self.submitted[number] = decode_job(message)

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def stop(self) -> None:
        self.is_stopped = True

    def answer(self, number: int, answer: NodeAnswer | AnchordError) -> None:
        self.hears.answered(number, answer if isinstance(answer, AnchordError) else encode(answer))


@dataclass(slots=True)
class Offered:
    """What nodes may have now."""

    offers: dict[str, dict[Which, BufferedReader]] = field(default_factory=dict)
    count: int = 0

    def add(self, files: dict[Which, BufferedReader]) -> str:
        self.count += 1
        token = f"token {self.count}"
        self.offers[token] = files
        return token

    def remove(self, token: str) -> None:
        del self.offers[token]


@dataclass(slots=True)
class Here:
    """A local executor with one place, which does nothing by itself."""

    report: Report
    restarts: int = 0
    tasks: list[tuple[Task, bytes]] = field(default_factory=list)
    settings: WorkerSettings | None = None
    is_killed: bool = False

    def places(self) -> int:
        return 1 - len(self.tasks)

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        with video:
            self.tasks.append((task, video.read()))

    def finish(self) -> None:
        task, content = self.tasks.pop()
        self.report(Finished(task=task, outcome=Draft(content)))

    def reload(self, settings: WorkerSettings) -> None:
        self.settings = settings

    def close(self) -> None:
        pass

    def kill(self) -> None:
        self.is_killed = True

    def health(self) -> Health:
        return Health(state="idle", healthy=True)


class Rig:
    """An executor between a wire and whoever hears what it says."""

    def __init__(self, folder: Path, *, local: bool = False) -> None:
        self.now_s = 100.0
        self.said: list[Said] = []
        self.offered = Offered()
        self.file = folder / "idle.webm"
        self.file.write_bytes(b"a video")
        self.streams: list[BufferedReader] = []

        def connect(hears: Hears) -> Connection:
            self.wire = Wire(hears)
            return self.wire

        def here(report: Report) -> Executor:
            self.here = Here(report)
            return self.here

        self.executor = ClusterExecutor(
            self.said.append,
            connect=connect,
            offering=self.offered,
            transfer="auto",
            make_local=here if local else None,
            clock=lambda: self.now_s,
        )

    def meet(self, members: Members, *, later_s: float = 0.0) -> None:
        self.now_s += later_s
        self.wire.hears.members(members)

    def submit(self, pack: str = "ada") -> None:
        stream = self.file.open("rb")
        self.streams.append(stream)
        self.executor.submit(a_task(pack), stream)

    def outcomes(self) -> dict[str, Draft | AnchordError]:
        return {said.task.pack: said.outcome for said in self.said if isinstance(said, Finished)}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def make(*, local: bool = False) -> Rig:
        made.append(Rig(tmp_path, local=local))
        return made[-1]

    yield make
    for each in made:
        each.executor.kill()
        assert all(stream.closed for stream in each.streams)
        assert not each.offered.offers


def test_a_cluster_executor_is_an_executor(rig: Callable[..., Rig]) -> None:
    """mypy holds it to the seam."""
    executor: Executor = rig().executor
    assert (executor.places(), executor.restarts) == (0, 0)


def test_nodes_places_add_up_and_are_told_of(rig: Callable[..., Rig]) -> None:
    """Whoever waits for a place hears of it, though no task is over."""
    it = rig()
    it.meet(TWO_NODES)
    assert it.executor.places() == 5  # a job more for each node, so that it need not wait for it
    assert it.said == [PlacesChanged()]
    it.submit()
    assert it.executor.places() == 4
    it.meet(TWO_NODES)
    assert it.said == [PlacesChanged()]


def test_an_answer_ends_its_task_and_lets_go_of_the_video(rig: Callable[..., Rig]) -> None:
    it = rig()
    it.meet(TWO_NODES)
    it.submit("ada")
    it.submit("bob")
    it.wire.answer(1, Made(content=b"a timeline"))
    it.wire.answer(2, Refused(error="VideoError", message="is damaged"))
    assert it.outcomes()["ada"] == Draft(b"a timeline")
    assert isinstance(it.outcomes()["bob"], VideoError)
    assert it.executor.places() == 5


@pytest.mark.parametrize("content", [b"", b"\xc0", b"\x81\xa4type\xa4Made", bytes(1 << 25)])
def test_an_answer_that_makes_no_sense_costs_its_task(rig: Callable[..., Rig], content: bytes) -> None:
    """Also one that is longer than any timeline of this video could be."""
    it = rig()
    it.meet(TWO_NODES)
    it.submit()
    it.wire.hears.answered(1, content)
    assert type(it.outcomes()["ada"]) is WorkerError


def test_a_second_answer_is_not_told(rig: Callable[..., Rig]) -> None:
    """Each task ends once, whatever a scheduler says."""
    it = rig()
    it.meet(TWO_NODES)
    it.submit()
    for _ in range(2):
        it.wire.answer(1, Made(content=b"a timeline"))
    assert sum(isinstance(said, Finished) for said in it.said) == 1


def test_videos_that_nodes_were_lost_over_go_one_at_a_time(rig: Callable[..., Rig]) -> None:
    """Of those that were on the lost nodes together one may be at fault, and is not to take others along."""
    it = rig()
    it.meet(TWO_NODES)
    for pack in ("poison", "neighbour"):
        it.submit(pack)
    for number in (1, 2):
        it.wire.answer(number, NodeError("3 nodes were lost"))
    it.said.clear()
    for pack in ("poison", "neighbour", "new"):
        it.submit(pack)
    assert set(it.wire.submitted) == {1, 2, 3, 5}
    it.wire.answer(3, NodeError("3 nodes were lost"))
    assert set(it.wire.submitted) == {1, 2, 3, 4, 5}
    it.wire.answer(4, Made(content=b"a timeline"))
    assert isinstance(it.outcomes()["poison"], NodeError)
    assert it.outcomes()["neighbour"] == Draft(b"a timeline")
    it.submit("poison")
    it.submit("neighbour")
    assert set(it.wire.submitted) == {1, 2, 3, 4, 5, 6, 7}


def test_what_is_under_way_ends_with_the_daemon(rig: Callable[..., Rig]) -> None:
    it = rig()
    it.meet(TWO_NODES)
    it.submit()
    it.executor.kill()
    assert isinstance(it.outcomes()["ada"], WorkerKilledError)
    assert it.wire.is_stopped
    assert it.executor.places() == 0


def test_without_nodes_it_waits_and_says_so_after_a_while(rig: Callable[..., Rig]) -> None:
    """A scheduler that is started anew is no reason to be alarmed."""
    it = rig()
    it.meet(TWO_NODES)
    it.meet(Members(trouble="tls://192.0.2.1:8786: it does not answer"), later_s=100)
    assert it.executor.health().healthy
    assert it.executor.places() == 0
    it.meet(Members(), later_s=AWAY_S)
    assert it.executor.health() == Health(
        state="lost",
        healthy=False,
        detail="no node is there; start anchord node on the machines that are to work",
        places=0,
        working=0,
    )
    it.meet(Members(strangers={"old": "anchord-0.0.9-method-4-model-x"}))
    assert "old is anchord-0.0.9-method-4-model-x" in it.executor.health().detail
    it.meet(TWO_NODES)
    assert it.executor.health() == Health(state="idle", healthy=True, places=3)


def test_nodes_that_went_are_counted_and_a_lost_scheduler_is_no_lost_node(rig: Callable[..., Rig]) -> None:
    it = rig()
    it.meet(TWO_NODES)
    it.meet(Members(trouble="gone"))
    it.meet(TWO_NODES)
    assert it.executor.restarts == 0
    it.meet(Members(places={"two": 2}))
    assert it.executor.restarts == 1


def test_with_a_fallback_this_machine_works_while_no_node_is_there(rig: Callable[..., Rig]) -> None:
    """What is under way comes home, and nodes get the next ones once they are back."""
    it = rig(local=True)
    it.meet(TWO_NODES)
    assert it.executor.places() == 5
    for pack in ("ada", "bob"):
        it.submit(pack)
    it.meet(Members(trouble="gone"))
    assert it.executor.places() == 0
    it.meet(Members(trouble="gone"), later_s=AWAY_S)
    assert it.wire.cancelled == [1, 2]
    assert [task.pack for task, _ in it.here.tasks] == ["ada"]
    it.here.finish()
    assert [task.pack for task, _ in it.here.tasks] == ["bob"]
    it.here.finish()
    assert it.outcomes() == {"ada": Draft(b"a video"), "bob": Draft(b"a video")}
    assert it.executor.health().healthy
    assert "works here meanwhile" in it.executor.health().detail

    assert it.executor.places() == 1
    it.submit("cyd")
    assert it.executor.places() == 0
    it.meet(TWO_NODES)
    assert it.executor.places() == 5
    it.here.finish()
    it.submit("dan")
    assert it.wire.submitted[3].pack == b"dan"


def test_what_came_home_and_found_no_place_ends_with_the_daemon(rig: Callable[..., Rig]) -> None:
    it = rig(local=True)
    it.meet(TWO_NODES)
    for pack in ("ada", "bob"):
        it.submit(pack)
    it.meet(Members(), later_s=1)
    it.meet(Members(), later_s=AWAY_S)
    it.executor.kill()
    assert isinstance(it.outcomes()["bob"], WorkerKilledError)
    assert it.here.is_killed


def test_a_job_says_where_its_bytes_are(rig: Callable[..., Rig]) -> None:
    it = rig()
    it.meet(TWO_NODES)
    it.submit()
    job = it.wire.submitted[1]
    assert (job.server, job.token) == ("tls://192.0.2.1:5", "token 1")
    assert job.video.size == len(b"a video")
    assert job.video.mtime_ns == it.file.stat().st_mtime_ns
    assert msgspec.structs.replace(job.video, mtime_ns=0, size=0).name == b"idle.webm"
