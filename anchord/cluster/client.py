"""
The coordinator's side of Dask: a thread with a loop of its own, which stays connected and loses no order.

What goes wrong with nodes, the scheduler or the network ends here: Dask gives a lost node's task to another
one, and an order that was under way when the scheduler was lost is given to the next one. What comes out is
one answer an order, or that no node can do it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from distributed import Client, KilledWorker
from distributed.security import Security

from anchord.cluster import membership
from anchord.cluster.executor import ClusterExecutor, Report
from anchord.cluster.members import Hears, Members
from anchord.cluster.membership import Address
from anchord.cluster.serving import Offers, Server
from anchord.cluster.task import perform
from anchord.cluster.wire import is_kind, kind
from anchord.errors import AnchordError, MachineError, NodeError, WorkerStartError
from anchord.settings import ClusterSettings, WorkerSettings
from anchord.worker.local import LocalExecutor

# Between looks at who is there.
_LOOK_S = 1.0
# A scheduler that does not answer in so long is lost; it is asked again after pauses up to the second.
_ANSWER_S = 5.0
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
# Whatever is under way when this ends: the scheduler finds out by itself that nobody is there.
_END_S = 2.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(slots=True, kw_only=True, eq=False)
class DaskClient:
    """
    Keeps a connection to the scheduler, and orders going through it.

    Args:
        scheduler: its address.
        security: this member's.
        hears: told who is there and what was answered.
        offers: files that nodes may ask for.
        listen: where they are served; None: nowhere.
    """

    scheduler: Address
    security: Security
    hears: Hears
    offers: Offers
    listen: Address | None
    #: Where nodes get the files' bytes; empty until that is known.
    server_address: str = field(default="", init=False)
    _orders: dict[int, bytes] = field(default_factory=dict, init=False)
    _following: dict[int, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_stopping: bool = field(default=False, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _trouble: str | None = field(default=None, init=False)
    _unserved: OSError | None = field(default=None, init=False)

    def start(self) -> None:
        """
        Serve files, connect, and go on trying.

        Raises:
            MachineError: the address to serve at can't be had.
        """
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="cluster", daemon=True)
        self._thread.start()
        ready.wait()
        if self._unserved:
            raise MachineError(
                f"{self.listen}: cannot listen there: {self._unserved}; set cluster.listen to an address "
                "of this machine, with a free port"
            )

    def submit(self, number: int, message: bytes) -> None:
        """Have the job in *message* done; the answer is told with its *number*. From any thread."""
        self._soon(lambda: self._orders.__setitem__(number, message))

    def cancel(self, number: int) -> None:
        """Nobody wants the answer any more, and nothing is told of it. From any thread."""
        self._soon(lambda: self._drop(number))

    def stop(self) -> None:
        """End within seconds; no answer is told after this. From any thread."""
        self._is_stopping = True
        self._soon(lambda: None)
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(2 * _END_S)

    def _soon(self, call: Callable[[], None]) -> None:
        def turn() -> None:
            call()
            self._wake.set()

        # A loop that is closed has nobody to tell.
        with contextlib.suppress(RuntimeError):
            assert self._loop is not None
            self._loop.call_soon_threadsafe(turn)

    def _drop(self, number: int) -> None:
        self._orders.pop(number, None)
        if following := self._following.pop(number, None):
            following.cancel()

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._stay(ready))
        finally:
            ready.set()

    async def _stay(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = None if self.listen is None else Server(self.offers, self.listen, self.security)
        if server is not None:
            try:
                self.server_address = await server.start()
            except OSError as error:
                self._unserved = error
                return
        ready.set()
        pause_s = _SHORTEST_PAUSE_S
        while not self._is_stopping:
            try:
                await self._connected()
                pause_s = _SHORTEST_PAUSE_S
            except (OSError, TimeoutError, ValueError) as error:
                self._tell_trouble(f"{self.scheduler}: {str(error)[:300] or 'it does not answer'}")
            except Exception as error:
                log.exception("cluster_failed")
                self._tell_trouble(f"a mistake in anchord, see the log: {error!r:.300}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken(), pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if server is not None:
            server.stop()

    async def _woken(self) -> None:
        """Until this is to end; orders alone are no reason to hurry."""
        while not self._is_stopping:
            await self._wake.wait()
            self._wake.clear()

    async def _connected(self) -> None:
        """
        Be connected until the scheduler is lost, or this is to end.

        Raises:
            OSError, TimeoutError: it is lost, or not there.
        """
        client = Client(
            str(self.scheduler),
            security=self.security,
            asynchronous=True,
            timeout=membership.CONNECT_S,
            set_as_default=False,
            direct_to_workers=False,
        )
        try:
            await asyncio.wait_for(client, 2 * membership.CONNECT_S)
            await self._work(client)
        finally:
            following = list(self._following.values())
            self._following.clear()
            for task in following:
                task.cancel()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.close(timeout=_END_S), _END_S)
            await asyncio.gather(*following, return_exceptions=True)

    async def _work(self, client: Client) -> None:
        look_at_s = 0.0
        loop = asyncio.get_running_loop()
        while not self._is_stopping:
            self._wake.clear()
            if client.status != "running":
                raise OSError("the connection was lost")
            if loop.time() >= look_at_s:
                who = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), _ANSWER_S)
                look_at_s = loop.time() + _LOOK_S
                self._tell(_members(who))
            for number in self._orders.keys() - self._following.keys():
                self._following[number] = asyncio.create_task(self._follow(client, number))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, look_at_s - loop.time()))

    async def _follow(self, client: Client, number: int) -> None:
        """An order to its answer. Where the connection is lost, it stays an order and is given again."""
        outcome: bytes | AnchordError | None = None
        try:
            outcome = await self._answer(client, self._orders[number])
        finally:
            if self._following.get(number) is asyncio.current_task():
                del self._following[number]
            self._wake.set()
        if outcome is not None and self._orders.pop(number, None) is not None:
            self.hears.answered(number, outcome)

    async def _answer(self, client: Client, message: bytes) -> bytes | AnchordError | None:
        """What became of a job; None where the connection was lost before anybody knew."""
        future = None
        try:
            future = client.submit(
                perform, message, key=f"anchord-{uuid.uuid4().hex}", resources={kind(): 1}, pure=False
            )
            answer: bytes = await future
            return answer
        except KilledWorker:
            lost = membership.ALLOWED_FAILURES + 1
            return NodeError(f"{lost} nodes were lost, one after the other, while they worked on this video")
        except (CancelledError, OSError):
            return None
        except Exception as error:  # noqa: BLE001  whatever it is, it is this one order's
            if client.status != "running" or (future is not None and future.cancelled()):
                return None
            return WorkerStartError(f"the cluster cannot do it: {error!r:.500}")
        finally:
            if future is not None:
                future.release()

    def _tell(self, members: Members) -> None:
        if self._trouble != "":
            log.info("scheduler_found", scheduler=str(self.scheduler), nodes=len(members.places))
        self._trouble = ""
        self.hears.members(members)

    def _tell_trouble(self, trouble: str) -> None:
        if not self._trouble:
            log.warning("scheduler_lost", scheduler=str(self.scheduler), error=trouble)
        self._trouble = trouble
        self.hears.members(Members(places={}, strangers={}, trouble=trouble))


def _members(identity: dict[str, Any]) -> Members:
    """Who is there, by what the scheduler says of its workers."""
    places: dict[str, int] = {}
    strangers: dict[str, str] = {}
    for address, worker in identity["workers"].items():
        name, resources = str(worker.get("name") or address), worker.get("resources") or {}
        if kind() not in resources:
            strangers[name] = next(filter(is_kind, resources), "no node of anchord's")
        elif worker.get("status") == "running":
            places[name] = int(resources[kind()])
    return Members(places=places, strangers=strangers)


def cluster_executor(cluster: ClusterSettings, worker: WorkerSettings, report: Report) -> ClusterExecutor:
    """
    The nodes of the cluster that the settings name, as an executor.

    Args:
        cluster: the settings.
        worker: of workers on this machine, where they are to do what no node does.
        report: gets what is to be said of each task.

    Raises:
        SettingsError: addresses or certificates are not what they should be.
        MachineError: the address to serve videos at can't be had.
    """
    membership.prepare()
    scheduler, security = membership.scheduler_address(cluster), membership.security(cluster)
    listen = None if cluster.transfer == "path" else membership.listen_address(cluster)
    offers = Offers()

    def connect(hears: Hears) -> DaskClient:
        client = DaskClient(scheduler=scheduler, security=security, hears=hears, offers=offers, listen=listen)
        client.start()
        return client

    return ClusterExecutor(
        report,
        connect=connect,
        offering=offers,
        transfer=cluster.transfer,
        make_local=partial(LocalExecutor, worker) if cluster.fallback == "local" else None,
    )
