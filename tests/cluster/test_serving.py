"""Bytes from a coordinator to a node: all of them, in order, and to nobody without the token."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from distributed.security import Security

from anchord.cluster import certificates, membership
from anchord.cluster.membership import Address
from anchord.cluster.serving import PART_BYTES, Fetcher, Offers, Server
from anchord.cluster.wire import Which
from anchord.errors import MachineError
from anchord.settings import ClusterSettings

HERE = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def security(tmp_path_factory: pytest.TempPathFactory) -> Security:
    folder = tmp_path_factory.mktemp("certificates")
    list(certificates.make(folder, ["one"], days=1))
    membership.prepare()
    return membership.security(
        ClusterSettings(
            ca=str(folder / "ca.pem"), certificate=str(folder / "one.pem"), key=str(folder / "one.key")
        )
    )


def fetcher(security: Security) -> Fetcher:
    return Fetcher(security.get_connection_args("worker"))


def fetched(offers: Offers, security: Security, token: str, which: Which) -> list[bytes]:
    async def fetch() -> list[bytes]:
        server = Server(offers, HERE, security)
        address = await server.start()
        try:
            return [part async for part in fetcher(security).parts(address, token, which)]
        finally:
            server.stop()

    return asyncio.run(fetch())


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 2 * PART_BYTES + 7])
def test_every_byte_arrives_in_parts(tmp_path: Path, security: Security, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "video").write_bytes(content)
    offers = Offers()
    with (tmp_path / "video").open("rb") as stream:
        stream.read(1)  # where its reader is does not matter
        got = fetched(offers, security, offers.add({"video": stream}), "video")
    assert b"".join(got) == content
    assert all(len(part) <= PART_BYTES for part in got)


def test_what_is_not_offered_is_not_to_be_had(tmp_path: Path, security: Security) -> None:
    """A wrong token, the other file of an offer, and an offer that is over."""
    (tmp_path / "video").write_bytes(b"a video")
    offers = Offers()
    with (tmp_path / "video").open("rb") as stream:
        token = offers.add({"video": stream})
        with pytest.raises(MachineError, match="not offered"):
            fetched(offers, security, "guessed", "video")
        with pytest.raises(MachineError, match="not offered"):
            fetched(offers, security, token, "base")
        offers.remove(token)
        with pytest.raises(MachineError, match="not offered"):
            fetched(offers, security, token, "video")


def test_a_server_that_is_not_there_is_named(security: Security) -> None:
    async def fetch() -> None:
        async for _ in fetcher(security).parts("tls://127.0.0.1:1", "token", "video"):
            pass

    with pytest.raises(MachineError, match=r"cluster\.listen"):
        asyncio.run(fetch())


def test_an_offer_that_is_over_leaves_no_descriptor(tmp_path: Path, security: Security) -> None:
    (tmp_path / "video").write_bytes(b"a video")
    offers = Offers()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with (tmp_path / "video").open("rb") as stream:
            token = offers.add({"video": stream})
            fetched(offers, security, token, "video")
            offers.remove(token)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_a_connection_is_kept_and_replaced_where_it_broke(tmp_path: Path, security: Security) -> None:
    """Its handshake costs more than a short clip's bytes; a coordinator that was started again has others."""
    (tmp_path / "video").write_bytes(os.urandom(3 * PART_BYTES))

    async def fetch() -> None:
        offers, it = Offers(), fetcher(security)
        with (tmp_path / "video").open("rb") as stream:
            token = offers.add({"video": stream})
            port = 0
            for _ in range(2):
                server = Server(offers, Address("127.0.0.1", port), security)
                address = await server.start()
                port = int(address.rpartition(":")[2])
                for asked in (token, "guessed", token):
                    try:
                        got = b"".join([part async for part in it.parts(address, asked, "video")])
                    except MachineError:
                        assert asked == "guessed"
                    else:
                        assert got == (tmp_path / "video").read_bytes()
                    assert len(server._connections) == 1
                server.stop()
        it.close()

    asyncio.run(fetch())
