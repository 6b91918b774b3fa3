"""Several places behind one face: who is given what, how many there are, and what they hold together."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
import structlog

from anchord.errors import AnchordError, WorkerKilledError, WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker.capacity import PLACE_MB
from anchord.worker.executor import Draft, Executor, Finished, Health, Progressed
from anchord.worker.local import LocalExecutor
from tests.processes import is_running
from tests.worker.conftest import LIMIT_S, a_task

# A worker that does as a file says: waits for its end while there is a "hold" beside it, takes so many MiB
# before it answers, and does not start at all while there is a "refuse".
WORKER = """
import os, socket, sys, time
from pathlib import Path
import msgspec
here = Path(sys.argv[1])
if (here / "refuse").exists():
    sys.exit("refuses to start")
channel = socket.socket(fileno=0)
def say(**message):
    content = msgspec.msgpack.encode(message)
    channel.sendall(len(content).to_bytes(4, "big") + content)
say(type="Ready", sandbox={"limits": "on"})
while head := socket.recv_fds(channel, 4, 2)[0]:
    job = msgspec.msgpack.decode(channel.recv(int.from_bytes(head, "big")))
    mine = here / str(os.getpid())
    mine.touch()
    size = here / "size"
    held = os.urandom(1) * (int(size.read_text()) << 20) if size.exists() else b""
    while (here / "hold").exists():
        time.sleep(0.01)
    mine.unlink()
    say(type="Extracted", number=job["number"], content=str(os.getpid()).encode())
"""


class Pool:
    """An executor of such workers, and what it said."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.folder = folder
        self.said: SimpleQueue[Finished | Progressed] = SimpleQueue()
        self.now_s = 0.0
        self.executor = LocalExecutor(
            WorkerSettings(**{"processes": 2, **settings}),  # type: ignore[arg-type]
            self.said.put,
            command=(sys.executable, "-c", WORKER, str(folder)),
            clock=lambda: self.now_s,
        )

    def reload(self, **settings: int) -> None:
        self.executor.reload(WorkerSettings(**settings))  # type: ignore[arg-type]

    def submit(self, owner: int = 0) -> None:
        self.executor.submit(a_task(owner), Path(os.devnull).open("rb"))  # noqa: SIM115  taken over

    def end(self) -> Draft | AnchordError:
        message = self.said.get(timeout=LIMIT_S)
        assert isinstance(message, Finished)
        return message.outcome

    def pid(self) -> int:
        """Of the worker that did the next task to end."""
        outcome = self.end()
        assert isinstance(outcome, Draft), outcome
        return int(outcome.content)

    def hold(self) -> None:
        (self.folder / "hold").touch()

    def let_go(self) -> None:
        (self.folder / "hold").unlink()

    def held(self) -> set[int]:
        """The workers that have a task."""
        return {int(file.name) for file in self.folder.iterdir() if file.name.isdecimal()}

    def health(self) -> Health:
        return self.executor.health()


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[Callable[..., Pool]]:
    made: list[Pool] = []

    def make(**settings: int) -> Pool:
        made.append(Pool(tmp_path, **settings))
        return made[-1]

    yield make
    for pool in made:
        pool.executor.kill()


def wait(is_true: Callable[[], bool]) -> None:
    ends_at_s = time.monotonic() + LIMIT_S
    while not is_true():
        assert time.monotonic() < ends_at_s, "waited in vain"
        time.sleep(0.01)


def test_a_local_executor_is_an_executor() -> None:
    """mypy holds it to the seam."""
    executor: Executor = LocalExecutor(WorkerSettings(processes=1), lambda message: None)
    assert (executor.places(), executor.restarts) == (1, 0)
    assert executor.health() == Health(state="down", healthy=True)
    executor.kill()
    assert executor.places() == 0


def test_as_many_tasks_are_worked_on_at_once_as_there_are_places(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=3)
    pool.hold()
    for left in (2, 1, 0):
        pool.submit()
        assert pool.executor.places() == left
    wait(lambda: len(pool.held()) == 3)
    assert pool.health() == Health(state="working", healthy=True, places=3, working=3)
    pool.submit()  # one too many is an answer, and no wait
    assert isinstance(pool.end(), WorkerStartError)
    pool.let_go()
    assert len({pool.pid() for _ in range(3)}) == 3
    assert pool.executor.places() == 3
    assert pool.health() == Health(state="idle", healthy=True, places=3)


def test_a_lone_task_goes_to_the_worker_that_is_warm_for_it(pools: Callable[..., Pool]) -> None:
    """So it is done as fast as with one place, and each owner's worker stays warm."""
    pool = pools(processes=3)
    first = {}
    for owner in (1, 2):
        pool.submit(owner)
        first[owner] = pool.pid()
    assert first[1] != first[2]
    for owner in (1, 2, 2, 1):
        pool.submit(owner)
        assert pool.pid() == first[owner]


def test_a_pool_grows_and_shrinks_and_a_place_that_goes_finishes_its_task(
    pools: Callable[..., Pool],
) -> None:
    pool = pools(processes=1)
    pool.hold()
    pool.submit()
    pool.reload(processes=3)
    assert pool.executor.places() == 2
    pool.submit()
    pool.submit()
    wait(lambda: len(pool.held()) == 3)
    working = pool.held()
    pool.reload(processes=1)
    assert (pool.executor.places(), pool.health().places, pool.health().working) == (0, 1, 3)
    pool.let_go()
    assert {pool.pid() for _ in range(3)} == working
    # Those of the places that went are gone; the one that stays is warm.
    wait(lambda: sum(map(is_running, working)) == 1)
    assert pool.executor.places() == 1
    pool.submit()
    assert pool.pid() in working


def test_a_smaller_pool_lets_its_idle_places_go_first(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=2)
    pool.submit(owner=1)
    idle = pool.pid()
    pool.hold()
    pool.submit(owner=2)
    wait(lambda: len(pool.held()) == 1)
    (busy,) = pool.held()
    pool.reload(processes=1)
    wait(lambda: not is_running(idle))
    pool.let_go()
    assert pool.pid() == busy
    pool.submit(owner=2)
    assert pool.pid() == busy


def test_to_grow_replaces_no_warm_worker(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=1)
    pool.submit()
    pid = pool.pid()
    pool.reload(processes=2, memory_total_mb=4096)
    pool.submit()
    assert pool.pid() == pid


def test_what_was_lost_is_still_counted_when_its_place_has_gone(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=2)
    (pool.folder / "refuse").touch()
    for _ in range(2):
        pool.submit()
        assert isinstance(pool.end(), WorkerStartError)
    lost = pool.executor.restarts
    assert lost == 2
    for count in (1, 1, 2):
        pool.reload(processes=count)
        wait(lambda: pool.executor.restarts == lost)


def test_a_place_that_cannot_start_a_worker_takes_no_task_from_one_that_can(
    pools: Callable[..., Pool],
) -> None:
    """Else it would fail one task after the other, as fast as they come; later it is tried again."""
    pool = pools(processes=2)
    pool.hold()
    pool.submit()
    wait(lambda: len(pool.held()) == 1)
    (pool.folder / "refuse").touch()
    pool.submit()
    assert isinstance(pool.end(), WorkerStartError)
    assert pool.executor.places() == 0
    assert pool.health().healthy
    assert "refuses to start" in pool.health().detail
    pool.now_s += 60
    assert pool.executor.places() == 1
    (pool.folder / "refuse").unlink()
    pool.submit()
    wait(lambda: len(pool.held()) == 2)
    assert pool.health().detail == ""


def test_where_no_place_can_start_a_worker_nothing_is_well(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=2)
    (pool.folder / "refuse").touch()
    for _ in range(3):
        pool.submit()
        assert isinstance(pool.end(), WorkerStartError)
    assert not pool.health().healthy
    assert pool.executor.places() == 2  # whoever comes next hears why


def test_memory_says_how_many_are_begun_but_one_always_is(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=4, memory_total_mb=2 * PLACE_MB)
    pool.hold()
    assert pool.executor.places() == 2
    pool.submit()
    assert pool.executor.places() == 1
    pool.submit()
    assert pool.executor.places() == 0
    pool.reload(processes=4, memory_total_mb=PLACE_MB // 2)
    assert pool.executor.places() == 0
    pool.let_go()
    pool.end(), pool.end()
    assert pool.executor.places() == 1


def test_of_workers_that_are_too_large_together_the_largest_goes_and_its_task_is_tried_again(
    pools: Callable[..., Pool],
) -> None:
    """The rest of them finish, and so does it when it is alone."""
    pool = pools(processes=2, memory_total_mb=3 * PLACE_MB)
    pool.hold()
    pool.submit()
    wait(lambda: len(pool.held()) == 1)
    (small,) = pool.held()
    (pool.folder / "size").write_text("300")
    pool.submit()
    wait(lambda: max(each.memory_mb for each in pool.executor._all()) > 300)
    with structlog.testing.capture_logs() as logged:
        pool.reload(processes=2, memory_total_mb=250)
        outcome = pool.end()
    assert isinstance(outcome, WorkerKilledError)
    assert "worker.memory_total_mb = 250" in str(outcome)
    assert [event["pack"] for event in logged if event["event"] == "worker_lost"] == ["ada"]
    pool.let_go()
    assert pool.pid() == small
    pool.reload(processes=1, memory_total_mb=250)
    pool.submit()
    assert isinstance(pool.end(), Draft)


def test_workers_that_rest_make_room_before_one_is_ended(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=2, memory_total_mb=3 * PLACE_MB)
    pool.submit(owner=1)
    resting = pool.pid()
    (pool.folder / "size").write_text("300")
    pool.hold()
    pool.submit(owner=2)
    wait(lambda: max(each.memory_mb for each in pool.executor._all()) > 300)
    pool.reload(processes=2, memory_total_mb=250)
    wait(lambda: not is_running(resting))
    pool.let_go()
    assert isinstance(pool.end(), Draft)


def test_all_end_when_they_are_told_to(pools: Callable[..., Pool]) -> None:
    pool = pools(processes=3)
    pool.hold()
    for _ in range(3):
        pool.submit()
    wait(lambda: len(pool.held()) == 3)
    working = pool.held()
    killer = threading.Thread(target=pool.executor.kill)
    killer.start()
    killer.join(LIMIT_S)
    assert not any(map(is_running, working))
    assert all(isinstance(pool.end(), WorkerKilledError) for _ in range(3))


def test_one_task_is_stopped_and_its_neighbour_is_not(pools: Callable[..., Pool]) -> None:
    """Of two that are equal too; and a place whose task is over is left alone."""
    pool = pools(processes=2)
    pool.hold()
    tasks = [a_task(), a_task()]
    for task in tasks:
        pool.executor.submit(task, Path(os.devnull).open("rb"))  # noqa: SIM115  taken over
    wait(lambda: len(pool.held()) == 2)
    pool.executor.stop(tasks[0], "nobody wants it")
    stopped = pool.said.get(timeout=LIMIT_S)
    assert isinstance(stopped, Finished)
    assert stopped.task is tasks[0]
    assert isinstance(stopped.outcome, WorkerKilledError)
    pool.let_go()
    pid = pool.pid()
    pool.executor.stop(tasks[1], "it is over")
    pool.submit()
    assert pool.pid() == pid
