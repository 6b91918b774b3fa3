"""
The scheduler: Dask's, with TLS on its one port, and without everything that a cluster of anchord's needs not.

Dask's own command opens a second port, plain HTTP without a password, whatever it is told; this one does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import structlog
from distributed.scheduler import Scheduler
from distributed.stealing import WorkStealing

from anchord import __version__
from anchord.cluster import membership
from anchord.cluster.membership import Address
from anchord.errors import MachineError
from anchord.settings import ClusterSettings

# What a Dask scheduler does for anybody, and this one for nobody.
_REFUSED = (
    "run_function",
    "broadcast",
    "proxy",
    "register_scheduler_plugin",
    "unregister_scheduler_plugin",
    "register_worker_plugin",
    "unregister_worker_plugin",
    "register_nanny_plugin",
    "unregister_nanny_plugin",
    "restart",
    "restart_workers",
    "terminate",
    "scatter",
    "update_data",
    "feed",
    "benchmark_hardware",
    "performance_report",
    "dump_cluster_state_to_url",
    "get_cluster_state",
    "dump_state",
    "set_metadata",
    "echo",
)

# Members that do not listen any more find out by themselves.
_END_S = 5.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class TlsScheduler(Scheduler):
    """Dask's scheduler without a web server."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Start none: it would listen without TLS."""


def run_scheduler(cluster: ClusterSettings, listen: Address) -> None:
    """
    Be the scheduler until a signal comes.

    Args:
        cluster: the certificates.
        listen: where nodes and coordinators connect.

    Raises:
        SettingsError: the certificates are not what they should be.
        MachineError: the address can't be had.
    """
    membership.prepare()
    asyncio.run(_run(membership.security(cluster), listen))


async def _run(security: Any, listen: Address) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with membership.scratch() as scratch:
        await _scheduled(security, listen, stopped, scratch)


async def _scheduled(security: Any, listen: Address, stopped: asyncio.Event, scratch: dict[str, Any]) -> None:
    scheduler = TlsScheduler(
        host=listen.host,
        port=listen.port,
        protocol="tls",
        security=security,
        dashboard=False,
        blocked_handlers=_REFUSED,
        extensions={"stealing": WorkStealing},
        **scratch,
    )
    membership.forget_scratch(scheduler.local_directory)
    try:
        await scheduler
    except OSError as error:
        raise MachineError(f"{listen}: cannot listen there: {error}; name another address") from error
    log.info("scheduler_started", version=__version__, address=scheduler.address)
    await stopped.wait()
    with contextlib.suppress(TimeoutError):  # a node that is frozen takes no farewell
        await asyncio.wait_for(scheduler.close(reason="stopped"), _END_S)
    log.info("scheduler_stopped")
