"""
What every member of a cluster does alike: it shows its certificate, opens no port without TLS, and has the
settings of Dask's that anchord was tested with.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dask.config
import structlog
from distributed.security import Security

from anchord.errors import SettingsError
from anchord.settings import ClusterSettings

#: A scheduler counts so many lost nodes against a task before it gives it up.
ALLOWED_FAILURES = 2
#: A node that has not been heard of for so long is lost, s: six of its heartbeats.
NODE_TTL_S = 10.0
#: A connection that is not made, or not answered, in so long is none, s. With 10 or less for tcp, Dask's
#: own assertion on it fails, in silence.
CONNECT_S = 5.0
SILENT_S = 15.0

_DASK: dict[str, Any] = {
    # A job that waits on a node, one for each node, goes to another that is free.
    "distributed.scheduler.work-stealing": True,
    "distributed.scheduler.work-stealing-interval": "500ms",
    "distributed.scheduler.worker-ttl": f"{NODE_TTL_S}s",
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    "distributed.scheduler.http.routes": [],
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    # A job's memory is its worker process's, which has limits of its own.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.comm.timeouts.connect": f"{CONNECT_S}s",
    "distributed.comm.timeouts.tcp": f"{SILENT_S}s",
    "distributed.comm.require-encryption": True,
    "distributed.comm.tls.min-version": 1.3,
    # What Dask keeps for its dashboard, which is not there.
    "distributed.admin.log-length": 100,
    "distributed.admin.low-level-log-length": 100,
    "distributed.admin.system-monitor.log-length": 10,
    "distributed.admin.system-monitor.interval": "10s",
    # How often it looks whether its own loop turns; 20 ms cost each process 1.5 % of a core.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.diagnostics.computations.max-history": 1,
    "distributed.diagnostics.erred-tasks.max-history": 1,
}

# Loggers of Dask's and of what it stands on.
_CHATTY = ("distributed", "tornado", "asyncio", "bokeh")

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Address(NamedTuple):
    """A host and a port; 0 is any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"

    def __str__(self) -> str:
        """As Dask writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tls://{host}:{self.port}"


def address_in(text: str, what: str) -> Address:
    """
    The address in ``host:port``, ``[IPv6]:port``, or a host alone.

    Args:
        text: it, with or without ``tls://`` in front.
        what: the setting or flag that it stands in.

    Raises:
        SettingsError: it is none.
    """
    rest = text.removeprefix("tls://")
    host, colon, port = rest.rpartition(":")
    if not colon or rest.endswith("]"):
        host, port = rest, "0"
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f'{what} = "{text}": must be HOST:PORT, such as 192.0.2.7:8786')
    return Address(host, int(port))


def scheduler_address(settings: ClusterSettings) -> Address:
    """
    Where the scheduler is.

    Raises:
        SettingsError: no setting says so.
    """
    if not settings.scheduler:
        raise SettingsError(
            'cluster.scheduler is not set: name the scheduler in anchord.toml, [cluster] scheduler = "tls://HOST:8786"'
        )
    return address_in(settings.scheduler, "cluster.scheduler")


def listen_address(settings: ClusterSettings, flag: str | None = None) -> Address:
    """
    Where a member listens for the others: what its command line says, else its settings.

    Args:
        settings: the cluster's.
        flag: of the command line.

    Raises:
        SettingsError: it is no address, or one that the others can't reach.
    """
    text, what = (flag, "--listen") if flag else (settings.listen, "cluster.listen")
    address = address_in(text, what)
    if address.is_loopback and not scheduler_address(settings).is_loopback:
        raise SettingsError(
            f'{what} = "{text}": nobody on another machine reaches it, and the scheduler is at '
            f"{settings.scheduler}; set it to this machine's own address, such as 192.0.2.7:8788"
        )
    return address


def security(settings: ClusterSettings) -> Security:
    """
    This member's certificate, the authority that it believes, and TLS 1.3 only.

    Raises:
        SettingsError: a file is not named, not there, or not what it should be.
    """
    for key in ("ca", "certificate", "key"):
        path = getattr(settings, key)
        if not path:
            raise SettingsError(
                f"cluster.{key} is not set: no port is opened without TLS; make certificates with "
                "anchord certificates, and name the files in anchord.toml"
            )
        try:
            Path(path).open("rb").close()
        except OSError as error:
            raise SettingsError(
                f'cluster.{key} = "{path}": cannot be read: {error.strerror}; check path and permissions'
            ) from error
    made = Security(
        require_encryption=True,
        tls_min_version=ssl.TLSVersion.TLSv1_3,
        tls_ca_file=settings.ca,
        **{f"tls_{role}_cert": settings.certificate for role in ("client", "scheduler", "worker")},
        **{f"tls_{role}_key": settings.key for role in ("client", "scheduler", "worker")},
    )
    try:
        made.get_connection_args("client")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"cluster.ca, cluster.certificate and cluster.key ({settings.ca}, {settings.certificate}, "
            f"{settings.key}) do not fit together: {error}; make them again with anchord certificates"
        ) from error
    return made


def prepare() -> None:
    """Set Dask up as anchord needs it, whatever the files and variables of the machine say to Dask."""
    for name in list(os.environ):
        if name.startswith("DASK_"):
            del os.environ[name]
    dask.config.refresh(paths=[], env={})
    dask.config.set(_DASK)
    for name in sorted({*logging.root.manager.loggerDict, *_CHATTY}):
        if name.split(".")[0] in _CHATTY:
            logger = logging.getLogger(name)
            is_first = "." not in name
            logger.handlers, logger.propagate = [_ToLog(logging.WARNING)] if is_first else [], not is_first


@contextlib.contextmanager
def scratch() -> Iterator[dict[str, Any]]:
    """
    Options for a Dask server that needs a folder: an empty one that only this user may enter.

    In memory, so that a full disk is no matter. Dask puts it first on sys.path; it is taken off again by
    :func:`forget_scratch`, since whatever lies in it would be imported.
    """
    with tempfile.TemporaryDirectory(prefix="anchord-", dir="/dev/shm") as folder:
        yield {"local_directory": folder, "needs_workdir": False}


def forget_scratch(folder: str) -> None:
    """Import nothing from a Dask server's folder."""
    while folder in sys.path:
        sys.path.remove(folder)


class _ToLog(logging.Handler):
    """What Dask complains of goes into anchord's log, at debug: what matters of it has events of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        log.debug("dask_warned", logger=record.name, line=record.getMessage()[:500])
