"""
Tasks done by the nodes of a cluster; behind the same face as this machine's own worker processes.

::

    submit ──> flight ──> scheduler ──> node ──> answer ──> Finished
                 └── no node for long, and fallback = "local" ──> this machine's own workers
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from typing import Protocol, TypeAlias

import msgspec
import structlog

from anchord.cluster.members import Connection, Hears, Members
from anchord.cluster.wire import Made, NodeJob, Transfer, Which, decode_answer, encode, job_of
from anchord.errors import AnchordError, NodeError, WorkerError, WorkerKilledError, as_ours
from anchord.files import FileKey
from anchord.settings import WorkerSettings
from anchord.worker.executor import Draft, Executor, Finished, Health, PlacesChanged, Said, Task

# A scheduler that is started anew, and nodes that join it again, take some seconds; only who has been away
# for longer is told of, and done without.
AWAY_S = 10.0

Report: TypeAlias = Callable[[Said], None]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Offering(Protocol):
    """Lets nodes have the bytes of files; see :class:`.Offers`."""

    def add(self, files: dict[Which, BufferedReader]) -> str:
        """Offer *files*; the token that asks for them."""

    def remove(self, token: str) -> None:
        """They are not to be had any more, and may be closed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Flight:
    """A task that is with the nodes, or on its way."""

    number: int
    task: Task
    job: NodeJob
    files: dict[Which, BufferedReader]
    is_suspect: bool

    @property
    def video(self) -> tuple[str, str]:
        """Which video it is about."""
        return self.task.pack, self.task.sha256


class ClusterExecutor:
    """
    The nodes of a cluster; see :class:`.Executor`.

    Args:
        report: gets what is to be said of each task, from a thread that is not the caller's.
        connect: makes the way to the nodes, which tells what it hears.
        offering: lets nodes have the bytes of files.
        transfer: how nodes get a video.
        local: who works while there is no node; None: nobody does.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        report: Report,
        *,
        connect: Callable[[Hears], Connection],
        offering: Offering,
        transfer: Transfer,
        make_local: Callable[[Report], Executor] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._offering = offering
        self._transfer = transfer
        self._clock = clock
        self._numbers = itertools.count(1)
        # Held to change what every thread may see, and never while somebody is told.
        self._lock = threading.RLock()
        # Workers here are for one thread at a time; this one is taken after the other, if both are.
        self._local_lock = threading.RLock()
        self._flights: dict[int, _Flight] = {}
        # Suspects that wait for another one to land.
        self._held: deque[_Flight] = deque()
        self._suspects: set[tuple[str, str]] = set()
        # Flights that came back without a node, and wait for a place here.
        self._homing: deque[_Flight] = deque()
        self._members = Members()
        self._away_since_s: float | None = clock()
        self._is_lack_told = False
        self._told_strangers: set[tuple[str, str]] = set()
        self._lost = 0
        self._is_closed = False
        self._local = make_local(self._said_here) if make_local else None
        self._connection = connect(Hears(members=self._met, answered=self._answered))

    @property
    def restarts(self) -> int:
        """Nodes that were lost so far, and workers here."""
        return self._lost + (self._local.restarts if self._local else 0)

    def places(self) -> int:
        """How many more tasks it takes now."""
        with self._lock:
            if self._is_closed:
                return 0
            if self._members.places:
                return max(0, self._members.room - len(self._flights))
            is_here, homing = self._is_away(), len(self._homing)
        if self._local is None or not is_here:
            return 0
        with self._local_lock:
            return max(0, self._local.places() - homing)

    def submit(self, task: Task, video: BufferedReader, base: BufferedReader | None = None) -> None:
        """Do a task. The streams of its video and of the base face are taken over, and closed."""
        files: dict[Which, BufferedReader] = {"video": video}
        if base is not None:
            files["base"] = base
        with self._lock:
            is_here = self._local is not None and not self._members.places and self._is_away()
        if is_here:
            assert self._local is not None
            with self._local_lock:
                self._local.submit(task, video, base)
            return
        try:
            flight = self._flight(task, files)
        except (OSError, ValueError) as error:
            _close(files)
            self._report(Finished(task=task, outcome=as_ours(error)))
            return
        with self._lock:
            self._flights[flight.number] = flight
            if flight.is_suspect and self._is_suspect_flying(but=flight):
                self._held.append(flight)
                return
        self._connection.submit(flight.number, encode(flight.job))

    def reload(self, settings: WorkerSettings) -> None:
        """Other settings of the workers here; nodes have their own."""
        if self._local:
            with self._local_lock:
                self._local.reload(settings)

    def close(self) -> None:
        """Take nothing new: what runs goes on."""
        with self._lock:
            self._is_closed = True
        if self._local:
            with self._local_lock:
                self._local.close()

    def kill(self) -> None:
        """End everything now, from any thread; returns within seconds."""
        self.close()
        self._connection.stop()
        with self._lock, self._local_lock:
            flights = [*self._flights.values(), *self._homing]
            self._flights.clear()
            self._held.clear()
            self._homing.clear()
        for flight in flights:
            self._land(flight, WorkerKilledError("anchord is stopping"))
        if self._local:
            self._local.kill()

    def health(self) -> Health:
        """What the nodes do; what is wanting, where they have been away for long."""
        with self._lock:
            lack, places = self._members.lack(), self._members.total
            working = min(len(self._flights), places)
            is_lost = bool(lack) and self._is_away()
        with self._local_lock:
            here = self._local.health() if self._local else None
        if is_lost and here is not None:
            # Work goes on, so this is no reason to start anything again.
            detail = "; ".join(part for part in (f"works here meanwhile: {lack}", here.detail) if part)
            return dataclasses.replace(here, detail=detail)
        if is_lost:
            return Health(state="lost", healthy=False, detail=lack, places=0, working=working)
        return Health(
            state="working" if working else "idle", healthy=True, detail=lack, places=places, working=working
        )

    def _flight(self, task: Task, files: dict[Which, BufferedReader]) -> _Flight:
        keys = {which: FileKey.of_opened(stream) for which, stream in files.items()}
        job = job_of(task, keys["video"], keys.get("base"), transfer=self._transfer)
        if self._transfer != "path" and self._connection.server_address:
            token = self._offering.add(files)
            job = msgspec.structs.replace(job, server=self._connection.server_address, token=token)
        is_suspect = (task.pack, task.sha256) in self._suspects
        return _Flight(number=next(self._numbers), task=task, job=job, files=files, is_suspect=is_suspect)

    def _is_suspect_flying(self, *, but: _Flight) -> bool:
        """
        Whether another video that several nodes were lost over is under way.

        They go one at a time: of those that were on the lost nodes together, one may be at fault, and it
        must not make the others look so again.
        """
        return any(
            flight.is_suspect and flight is not but and flight not in self._held
            for flight in self._flights.values()
        )

    def _is_away(self) -> bool:
        return self._away_since_s is not None and self._clock() - self._away_since_s >= AWAY_S

    # -- What is heard, from the connection's thread ------------------------------------------------

    def _met(self, members: Members) -> None:
        """Take in who is there now."""
        with self._lock:
            before, self._members = self._members, members
            if members.places:
                self._away_since_s, self._is_lack_told = None, False
            elif self._away_since_s is None:
                self._away_since_s = self._clock()
            is_told = self._is_away() and not self._is_lack_told
            self._is_lack_told |= is_told
            home = self._called_home()
        if is_told:
            log.warning(
                "nodes_missing", reason=members.lack(), flights=len(home), works_here=bool(self._local)
            )
        if not members.trouble:
            self._tell_changes(before, members)
        self._work_here()
        if members.total != before.total or is_told:
            self._report(PlacesChanged())

    def _called_home(self) -> list[_Flight]:
        """What is under way, where there is no node any more and work goes on here."""
        if self._local is None or not self._is_away():
            return []
        flights = list(self._flights.values())
        self._flights.clear()
        self._held.clear()
        for flight in flights:
            self._connection.cancel(flight.number)
            self._homing.append(flight)
        return flights

    def _tell_changes(self, before: Members, now: Members) -> None:
        for name in sorted(now.places.keys() - before.places.keys()):
            log.info("node_found", node=name, places=now.places[name])
        for name in sorted(before.places.keys() - now.places.keys()):
            self._lost += 1
            log.warning("node_lost", node=name)
        for stranger in sorted(now.strangers.items()):
            if stranger not in self._told_strangers:
                self._told_strangers.add(stranger)
                log.error("node_refused", node=stranger[0], node_is=stranger[1])
        self._told_strangers &= set(now.strangers.items())

    def _answered(self, number: int, content: bytes | AnchordError) -> None:
        """A job is over."""
        with self._lock:
            flight = self._flights.pop(number, None)
        if flight is None:
            return
        outcome = _outcome(content, flight.job)
        with self._lock:
            if isinstance(outcome, NodeError):
                self._suspects.add(flight.video)
            elif not isinstance(outcome, WorkerError):
                self._suspects.discard(flight.video)
            following = self._held.popleft() if flight.is_suspect and self._held else None
        if following is not None:
            self._connection.submit(following.number, encode(following.job))
        self._land(flight, outcome)

    def _land(self, flight: _Flight, outcome: Draft | AnchordError) -> None:
        self._forget_offer(flight)
        _close(flight.files)
        self._report(Finished(task=flight.task, outcome=outcome))

    def _forget_offer(self, flight: _Flight) -> None:
        if flight.job.token:
            self._offering.remove(flight.job.token)

    # -- Meanwhile, on this machine -----------------------------------------------------------------

    def _said_here(self, said: Said) -> None:
        self._report(said)
        if isinstance(said, Finished):
            self._work_here()

    def _work_here(self) -> None:
        """Do what came home, as far as there are places."""
        if self._local is None:
            return
        with self._local_lock:
            while self._homing and self._local.places():
                flight = self._homing.popleft()
                self._forget_offer(flight)
                self._local.submit(flight.task, flight.files["video"], flight.files.get("base"))


def _outcome(content: bytes | AnchordError, job: NodeJob) -> Draft | AnchordError:
    if isinstance(content, AnchordError):
        return content
    try:
        answer = decode_answer(content, job)
    except WorkerError as error:
        return error
    return Draft(answer.content) if isinstance(answer, Made) else answer.as_error()


def _close(files: dict[Which, BufferedReader]) -> None:
    for stream in files.values():
        stream.close()
