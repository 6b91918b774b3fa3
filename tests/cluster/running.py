"""A scheduler, nodes and a coordinator as processes of their own, on loopback or in network namespaces."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

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
        scheduler: its address; loopback, where there is none.
        is_new: make the folder.
    """

    anchord = (sys.executable, "-m", "anchord")

    def __init__(self, folder: Path, scheduler: str | None = None, *, is_new: bool = False) -> None:
        if is_new:
            folder.mkdir()
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


def listening(process: int) -> set[tuple[str, int]]:
    """Host and port of every TCP socket that a process listens at, by what the kernel says of it."""
    proc = Path(f"/proc/{process}")
    links = {os.readlink(entry) for entry in (proc / "fd").iterdir()}
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in (proc / "net" / table).read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in links:
                host, port = local.split(":")
                words = [bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8)]
                found.add((socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


def speaks_tls(
    host: str,
    port: int,
    authority: Path | None,
    member: Path | None,
    *,
    most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> bool:
    """
    Whether somebody who has this certificate hears a word from who listens there.

    Args:
        host: where.
        port: where.
        authority: whom this somebody believes; None: anybody.
        member: the certificate's path without its suffix; None: none is shown.
        most: the newest version of TLS that is tried.
    """
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
    context.maximum_version = most
    if authority is None:
        context.verify_mode = ssl.CERT_NONE
    if member is not None:
        context.load_cert_chain(f"{member}.pem", f"{member}.key")
    try:
        with socket.create_connection((host, port), 10) as plain, context.wrap_socket(plain) as secure:
            # With TLS 1.3 whoever is not let in hears of it with the first answer; Dask speaks first.
            secure.settimeout(10)
            return bool(secure.recv(1))
    except (OSError, ssl.SSLError):
        return False


class Network:
    """
    Hosts that are network namespaces on a bridge of their own; as root.

    The bridge has a namespace too: in the machine's own a firewall, as Docker's, may drop what it forwards.

    Args:
        hosts: their names.
    """

    def __init__(self, *hosts: str) -> None:
        # Names of interfaces are short, and other tests may have a network too.
        self._id = f"{free_port():x}"
        self._hosts = hosts

    def __enter__(self) -> Self:
        bridge, hub = "bridge", self._space("hub")
        _ip("netns", "add", hub)
        _ip("-n", hub, "link", "add", bridge, "type", "bridge")
        _ip("-n", hub, "link", "set", bridge, "up")
        for i, host in enumerate(self._hosts):
            space, ours, theirs = self._space(host), f"a{self._id}h{i}", f"a{self._id}g{i}"
            _ip("netns", "add", space)
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
            _ip("link", "set", theirs, "netns", space)
            _ip("link", "set", ours, "netns", hub)
            _ip("-n", hub, "link", "set", ours, "master", bridge)
            _ip("-n", hub, "link", "set", ours, "up")
            for told in (
                ("addr", "add", f"{self.address(host)}/24", "dev", theirs),
                ("link", "set", theirs, "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("-n", space, *told)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in (*self._hosts, "hub"):
            _ip("netns", "del", self._space(host))

    def address(self, host: str) -> str:
        """A host's address, which is nobody's outside (RFC 5737)."""
        return f"192.0.2.{10 + self._hosts.index(host)}"

    def prefix(self, host: str) -> tuple[str, ...]:
        """What to run a command on a host with."""
        return ("ip", "netns", "exec", self._space(host))

    @contextlib.contextmanager
    def cut(self, host: str, *, seconds: float) -> Iterator[None]:
        """A host's cable is out for at least so long; nobody is told, packets just do not come."""
        port = f"a{self._id}h{self._hosts.index(host)}"
        ends_at_s = time.monotonic() + seconds
        _ip("-n", self._space("hub"), "link", "set", port, "nomaster")
        try:
            yield
            while (left_s := ends_at_s - time.monotonic()) > 0:
                time.sleep(left_s)
        finally:
            _ip("-n", self._space("hub"), "link", "set", port, "master", "bridge")

    def _space(self, host: str) -> str:
        return f"anchord-{self._id}-{host}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
