"""
Bytes of videos, from the coordinator straight to the node that works on them.

Only what is being worked on can be had, and only by who was told its token; a node reads at its own pace, so
that neither end ever holds more than a part.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncIterator, Mapping
from io import BufferedReader
from typing import Any, TypeAlias, cast

from distributed.comm import Comm, CommClosedError, connect, listen
from distributed.comm.core import Listener
from distributed.security import Security

from anchord.cluster.membership import Address
from anchord.cluster.wire import Which
from anchord.errors import MachineError

#: So many bytes are a part.
PART_BYTES = 1 << 20
# A node that takes no part for so long is gone.
_PART_S = 60.0
# A connection that nothing was asked for over for so long is closed.
_IDLE_S = 300.0

Offer: TypeAlias = dict[Which, BufferedReader]


class Offers:
    """The open files that nodes may read; any thread may change them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offers: dict[str, Offer] = {}

    def add(self, files: Offer) -> str:
        """Offer *files*; the token that asks for them."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._offers[token] = files
        return token

    def remove(self, token: str) -> None:
        """They are not to be had any more, and may be closed."""
        with self._lock:
            self._offers.pop(token, None)

    def opened(self, token: str, which: str) -> int | None:
        """A descriptor of the caller's own; None where there is no such offer."""
        with self._lock:
            stream = self._offers.get(token, {}).get(cast("Which", which))
            return None if stream is None else os.dup(stream.fileno())


class Server:
    """
    Serves the files of *offers* until it is stopped.

    Args:
        offers: what there is to be had.
        address: where to listen.
        security: this member's.
    """

    def __init__(self, offers: Offers, address: Address, security: Security) -> None:
        self._offers = offers
        self._address = address
        self._security = security
        self._listener: Listener | None = None
        self._connections: set[Comm] = set()

    async def start(self) -> str:
        """
        Listen.

        Returns:
            the address that nodes connect to.

        Raises:
            OSError: the address can't be had.
        """
        self._listener = await listen(
            str(self._address), self._serve, deserialize=False, **self._security.get_listen_args("worker")
        )
        return str(self._listener.contact_address)

    def stop(self) -> None:
        """Listen no more, and let go of who is there."""
        if self._listener is not None:
            self._listener.stop()
        for comm in list(self._connections):
            comm.abort()

    async def _serve(self, comm: Comm) -> None:
        """Answer one request after another; a node keeps its connection, whose handshake costs 10 ms."""
        self._connections.add(comm)
        try:
            while True:
                asked = await asyncio.wait_for(_read(comm), _IDLE_S)
                await self._send(comm, str(asked.get("token")), str(asked.get("which")))
        except OSError:
            pass  # it is closed, or takes too long
        finally:
            self._connections.discard(comm)
            comm.abort()

    async def _send(self, comm: Comm, token: str, which: str) -> None:
        descriptor = self._offers.opened(token, which)
        if descriptor is None:
            await _write(comm, {"error": "it is not offered any more"})
            return
        try:
            offset = 0
            while part := await asyncio.to_thread(os.pread, descriptor, PART_BYTES, offset):
                offset += len(part)
                await asyncio.wait_for(_write(comm, {"part": part}), _PART_S)
            await _write(comm, {"end": offset})
        finally:
            os.close(descriptor)


class Fetcher:
    """
    Fetches files from coordinators; keeps a connection to each.

    Args:
        connection: this member's way to connect, as Dask has it.
    """

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self._connection = connection
        self._kept: dict[str, Comm] = {}

    async def parts(self, address: str, token: str, which: Which) -> AsyncIterator[bytes]:
        """
        The bytes of an offered file, part after part.

        Args:
            address: the coordinator's.
            token: of the offer.
            which: of its files.

        Raises:
            MachineError: they can't be had.
        """
        comm: Comm | None = None
        try:
            comm, said = await self._asked(address, {"token": token, "which": which})
            while "part" in said:
                yield said["part"]
                said = await asyncio.wait_for(_read(comm), _PART_S)
            self._keep(address, comm)
            comm = None
            if "error" in said:
                raise MachineError(f"{address}: {str(said['error'])[:300]}")
        except OSError as error:
            raise MachineError(
                f"{address}: the coordinator does not serve the video: {error}; see cluster.listen and "
                "firewalls"
            ) from error
        finally:
            if comm is not None:
                comm.abort()

    def close(self) -> None:
        """Keep no connection."""
        for comm in self._kept.values():
            comm.abort()
        self._kept.clear()

    async def _asked(self, address: str, request: dict[str, Any]) -> tuple[Comm, dict[str, Any]]:
        """A connection over which something was asked for, and the first answer."""
        if (kept := self._kept.pop(address, None)) is not None:
            try:
                await _write(kept, request)
                return kept, await asyncio.wait_for(_read(kept), _PART_S)
            except OSError:  # the coordinator let go of it meanwhile
                kept.abort()
        comm = await connect(address, deserialize=False, **self._connection)
        try:
            await _write(comm, request)
            return comm, await asyncio.wait_for(_read(comm), _PART_S)
        except BaseException:
            comm.abort()
            raise

    def _keep(self, address: str, comm: Comm) -> None:
        for other in [other for other, kept in self._kept.items() if kept.closed()]:
            del self._kept[other]
        if address in self._kept:
            comm.abort()
        else:
            self._kept[address] = comm


async def _read(comm: Comm) -> dict[str, Any]:
    said = await comm.read(deserializers=["msgpack"])
    if not isinstance(said, dict):
        raise CommClosedError("it says something else than was asked for")
    return said


async def _write(comm: Comm, message: dict[str, Any]) -> None:
    await comm.write(message, serializers=["msgpack"])
