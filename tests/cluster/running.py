"""A scheduler, nodes and a coordinator as processes of their own, on loopback or in network namespaces."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from anchord.cluster import certificates
from tests.service.running import Daemon

SETTINGS = """
[watch]
settle_s = 0.1
rescan_s = 3600
probe_s = 3600

[worker]
threads = 1

[cluster]
scheduler = "{scheduler}"
ca = "{certificates}/ca.pem"
certificate = "{certificates}/{name}.pem"
key = "{certificates}/{name}.key"
{cluster}

[log]
level = "debug"
{more}
"""


class Member(Daemon):
    """A scheduler or a node: as a context manager it is stopped at the end, and must end cleanly."""

    def __init__(self, settings: Path, *command: str, prefix: tuple[str, ...] = ()) -> None:
        super().__init__(settings.parent / "unused", prefix=prefix)
        self._command = [*command, "--config", str(settings)]

    def command(self) -> list[str]:
        return self._command


class Coordinator(Daemon):
    """``anchord run`` with [cluster] in its settings."""

    def __init__(self, root: Path, settings: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        super().__init__(root, "", *arguments, prefix=prefix)
        self.settings = settings


class Cluster:
    """
    Where a cluster's members are started from.

    Args:
        folder: for settings and certificates.
        scheduler: its address.
    """

    def __init__(self, folder: Path, scheduler: str | None = None) -> None:
        self.folder = folder
        self.address = scheduler or f"tls://127.0.0.1:{free_port()}"
        self.certificates = folder / "certificates"
        self.root = folder / "avatars"
        self.root.mkdir()

    def settings(self, name: str, *, cluster: str = "", more: str = "") -> Path:
        """The settings of the member *name*, with a certificate for it."""
        list(certificates.make(self.certificates, [name], days=2))
        file = self.folder / f"{name}.toml"
        file.write_text(
            SETTINGS.format(
                scheduler=self.address,
                certificates=self.certificates,
                name=name,
                cluster=cluster,
                more=more,
            )
        )
        return file

    @contextlib.contextmanager
    def scheduler(self, *, prefix: tuple[str, ...] = ()) -> Iterator[Member]:
        """A scheduler that listens."""
        with Member(self.settings("scheduler"), "scheduler", prefix=prefix) as member:
            member.wait_for("scheduler_started")
            yield member

    def node(
        self, name: str, *arguments: str, prefix: tuple[str, ...] = (), cluster: str = "", more: str = ""
    ) -> Member:
        """A node, which is started by ``with``."""
        settings = self.settings(name, cluster=cluster, more=more)
        return Member(settings, "node", "--name", name, "--places", "1", *arguments, prefix=prefix)

    def coordinator(
        self, *arguments: str, cluster: str = "", more: str = "", prefix: tuple[str, ...] = ()
    ) -> Coordinator:
        """A coordinator of this cluster's root, which is started by ``with``."""
        settings = self.settings("coordinator", cluster=cluster, more=more)
        return Coordinator(self.root, settings, *arguments, prefix=prefix)


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
