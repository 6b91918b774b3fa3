"""
A node: a Dask worker whose every task is a job for one of this machine's sandboxed worker processes.

It needs no nanny: what crashes, hangs or grows is in those processes. It holds no data but answers that
the coordinator has not taken yet, and writes to no disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

import structlog
from distributed import get_worker
from distributed.worker import Worker

from anchord import __version__
from anchord.cluster import membership
from anchord.cluster.membership import Address
from anchord.cluster.places import Places
from anchord.cluster.serving import Fetcher
from anchord.cluster.sources import SharedRoot, filling
from anchord.cluster.wire import NodeJob, Source, Which, kind
from anchord.cluster.work import Work
from anchord.errors import MachineError
from anchord.settings import ClusterSettings, WorkerSettings

# A video of 1 GiB over a slow line may take so long.
_FETCH_S = 900.0
# Between attempts to reach the scheduler, and until it is told that it does not answer.
_AGAIN_S, _LONGEST_AGAIN_S = 1.0, 15.0
_UNANSWERED_S = 10.0
# A membership that lasted so long was none that fails at once, again and again.
_LASTED_S = 30.0
# The scheduler finds out by itself that a node has ended.
_END_S = 3.0

# What a Dask worker does for anybody, and a node for nobody.
_REFUSED = (
    "run",
    "run_coroutine",
    "upload_file",
    "plugin-add",
    "plugin-remove",
    "update_data",
    "actor_execute",
    "actor_attribute",
    "benchmark_disk",
    "benchmark_memory",
    "benchmark_network",
    "dump_state",
    "echo",
)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Node(Worker):
    """A Dask worker without a web server, whose tasks are jobs for *work*."""

    def __init__(self, *args: Any, make_work: Callable[[Node], Work], **options: Any) -> None:
        super().__init__(*args, blocked_handlers=_REFUSED, **options)
        self._work = make_work(self)
        self._fetcher = Fetcher(self.connection_args)

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Start none: it would listen without TLS."""

    def perform(self, message: bytes) -> bytes:
        """Do the job in *message*, in one of Dask's threads."""
        task = self.state.tasks.get(self.get_current_task())

        def is_wanted() -> bool:
            return task is None or task.state == "executing"

        return self._work.do(message, is_wanted=is_wanted)

    def fetch(self, job: NodeJob, which: Which, source: Source) -> BufferedReader:
        """A file of a job, filled with the coordinator's bytes; for a thread that may wait."""
        waiting = asyncio.run_coroutine_threadsafe(self._fetched(job, which, source), self.loop.asyncio_loop)
        try:
            return waiting.result(_FETCH_S)
        except TimeoutError as error:
            waiting.cancel()
            raise MachineError(f"{job.server}: sent no whole video in {_FETCH_S:.0f} s") from error

    async def _fetched(self, job: NodeJob, which: Which, source: Source) -> BufferedReader:
        with filling(source) as file:
            async for part in self._fetcher.parts(job.server, job.token, which):
                file.add(part)
            return file.finished()

    async def close(self, *args: Any, **options: Any) -> str | None:
        """End; the jobs under way first, whose results nobody could take any more."""
        await asyncio.to_thread(self._work.places.close)
        self._fetcher.close()
        ended: str | None = await super().close(*args, **options)
        return ended


def this_node() -> Node:
    """The node that this thread, one of its Dask's, belongs to."""
    worker = get_worker()
    assert isinstance(worker, Node)
    return worker


@dataclass(slots=True, kw_only=True)
class NodeRun:
    """
    A node that stays a member: after every end of its connection it joins anew.

    Args:
        cluster: where the scheduler is, and the certificates.
        worker: what a worker process may use.
        root: the avatars root as this machine has it; None: videos come as bytes.
        name: what logs and messages call it.
        places: so many videos at once.
        listen: where it listens, for the scheduler alone.
    """

    cluster: ClusterSettings
    worker: WorkerSettings
    root: Path | None
    name: str
    places: int
    listen: Address
    _node: Node | None = field(default=None, init=False)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def run(self) -> None:
        """
        Work until a signal comes.

        Raises:
            SettingsError: addresses or certificates are not what they should be.
        """
        membership.prepare()
        scheduler, security = membership.scheduler_address(self.cluster), membership.security(self.cluster)
        asyncio.run(self._run(str(scheduler), security))

    async def _run(self, scheduler: str, security: Any) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        log.info(
            "node_started",
            version=__version__,
            node=self.name,
            scheduler=scheduler,
            places=self.places,
            root=str(self.root) if self.root else None,
        )
        stopping = asyncio.create_task(self._stopped.wait())
        again_s = _AGAIN_S
        while not self._stopped.is_set():
            began_s = time.monotonic()
            membership_ends = asyncio.create_task(self._joined(scheduler, security))
            await asyncio.wait({membership_ends, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await self._leave(membership_ends)
            if not self._stopped.is_set():
                lasted = time.monotonic() - began_s > _LASTED_S
                again_s = _AGAIN_S if lasted else min(2 * again_s, _LONGEST_AGAIN_S)
                await asyncio.wait({stopping}, timeout=again_s)
        log.info("node_stopped", node=self.name)

    async def _joined(self, scheduler: str, security: Any) -> None:
        """Be a member until the connection ends."""
        with membership.scratch() as scratch:
            await self._member(scheduler, security, scratch)

    async def _member(self, scheduler: str, security: Any, scratch: dict[str, Any]) -> None:
        self._node = node = Node(
            scheduler,
            security=security,
            name=self.name,
            host=self.listen.host,
            port=self.listen.port,
            protocol="tls",
            nthreads=self.places,
            resources={kind(): self.places},
            memory_limit=0,
            dashboard=False,
            extensions={},
            make_work=self._make_work,
            **scratch,
        )
        membership.forget_scratch(node.local_directory)
        starting = asyncio.ensure_future(node.start())
        done, _ = await asyncio.wait({starting}, timeout=_UNANSWERED_S)
        if not done:
            log.warning("scheduler_lost", scheduler=scheduler, error="it does not answer; tried again")
        await starting
        log.info("node_joined", node=self.name, scheduler=scheduler, address=node.address)
        began_s = time.monotonic()
        await node.finished()
        if not self._stopped.is_set():
            log.warning(
                "scheduler_lost",
                scheduler=scheduler,
                error=f"the connection ended after {time.monotonic() - began_s:.0f} s; joining anew",
            )

    def _make_work(self, node: Node) -> Work:
        return Work(
            name=self.name,
            root=SharedRoot(self.root) if self.root else None,
            places=Places(self.worker, self.places),
            fetch=partial(Node.fetch, node),
        )

    async def _leave(self, joined: asyncio.Task[None]) -> None:
        node, self._node = self._node, None
        if not joined.done():
            joined.cancel()
        if node is not None:
            if self._stopped.is_set():
                # Said beforehand, so that its jobs are not taken for what ended it.
                with contextlib.suppress(Exception):
                    told = node.scheduler.unregister(address=node.address, safe=True, stimulus_id="stopped")
                    await asyncio.wait_for(told, _END_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(node.close(executor_wait=False, timeout=2), 2 * _END_S)
        (error,) = await asyncio.gather(joined, return_exceptions=True)
        if isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
            log.warning("scheduler_lost", scheduler=self.cluster.scheduler, error=str(error)[:500])
