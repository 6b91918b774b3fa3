from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from anchord.service.report.sd_notify import MAX_STATUS_CHARS, Notifier, status_line
from anchord.service.report.state import Component, PackState, PackStatus, State


@pytest.fixture(params=["path", "abstract"])
def listening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket such as systemd's, and its address as $NOTIFY_SOCKET names it."""
    is_path = request.param == "path"
    name = str(tmp_path / "notify") if is_path else f"anchord-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(name if is_path else "\0" + name)
        server.settimeout(5)
        yield server, name if is_path else "@" + name


def test_every_message_arrives_as_systemd_reads_it(listening: tuple[socket.socket, str]) -> None:
    server, address = listening
    notifier = Notifier(address=address, watchdog_s=30.0, clock_us=lambda: 1234)

    assert notifier.ready("watching 3 packs (inotify)")
    assert notifier.alive()
    assert notifier.status("watching 4 packs (inotify)")
    assert notifier.reloading()
    assert notifier.extend(seconds=2.5)
    assert notifier.stopping()

    assert [server.recv(4096).decode() for _ in range(6)] == [
        "READY=1\nSTATUS=watching 3 packs (inotify)",
        "WATCHDOG=1",
        "STATUS=watching 4 packs (inotify)",
        "RELOADING=1\nMONOTONIC_USEC=1234",
        "EXTEND_TIMEOUT_USEC=2500000",
        "STOPPING=1",
    ]


def test_the_same_status_is_said_once(listening: tuple[socket.socket, str]) -> None:
    server, address = listening
    notifier = Notifier(address=address)

    assert [notifier.ready("a"), notifier.status("a"), notifier.status("b"), notifier.status("b")] == [
        True,
        False,
        True,
        False,
    ]
    assert [server.recv(4096) for _ in range(2)] == [b"READY=1\nSTATUS=a", b"STATUS=b"]


def test_a_line_break_in_a_status_is_no_command(listening: tuple[socket.socket, str]) -> None:
    server, address = listening
    Notifier(address=address).status("pack evil\nMAINPID=1\nparked")

    assert server.recv(4096) == b"STATUS=pack evil MAINPID=1 parked"


def test_a_status_without_end_is_cut(listening: tuple[socket.socket, str]) -> None:
    server, address = listening
    Notifier(address=address).status("ä" * 100_000)

    assert len(server.recv(1 << 20).decode()) == len("STATUS=") + MAX_STATUS_CHARS


def test_the_environment_says_where_and_how_often() -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000"})

    assert (notifier.address, notifier.watchdog_s, notifier.ping_s) == ("@x", 30.0, 15.0)


@pytest.mark.parametrize(
    "environ",
    [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "relative"}, {"NOTIFY_SOCKET": "@"}],
)
def test_without_a_usable_socket_nothing_is_said(environ: dict[str, str]) -> None:
    notifier = Notifier.from_environment(environ | {"WATCHDOG_USEC": "30000000"})

    assert notifier.ping_s is None
    assert not any([notifier.ready("a"), notifier.status("b"), notifier.alive(), notifier.stopping()])


@pytest.mark.parametrize(
    ("limit", "pid", "watchdog_s"),
    [("30000000", "42", 30.0), ("30000000", "43", None), ("0", "42", None), ("soon", "42", None)],
)
def test_only_our_own_watchdog_counts(limit: str, pid: str, watchdog_s: float | None) -> None:
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": limit, "WATCHDOG_PID": pid}

    assert Notifier.from_environment(environ, pid=42).watchdog_s == watchdog_s


def test_a_socket_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    gone = Notifier(address=str(tmp_path / "gone"))
    assert not gone.ready("a")

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "full"))
        full = Notifier(address=str(tmp_path / "full"), watchdog_s=30.0)
        # systemd stopped reading: the queue fills, and the daemon must not wait for it.
        assert not all(full.alive() for _ in range(10_000))


def state(*packs: PackStatus, count: int = 3, watch: str = "inotify", healthy: bool = True) -> State:
    return State(
        pid=1,
        root="/avatars",
        version="1",
        started_unix_s=0.0,
        loop_turned_unix_s=0.0,
        watch=Component(state=watch, healthy=healthy),
        worker=Component(state="idle", healthy=True),
        packs={str(number): PackState(state=name) for number, name in enumerate(packs)},
        counts={"packs": count},
    )


def test_the_status_says_what_a_person_asks_first() -> None:
    assert status_line(state(count=1)) == "watching 1 pack (inotify)"
    assert (
        status_line(state("parked", "queued", "queued", "working", count=412, watch="poll"))
        == "watching 412 packs (poll), 1 working, 2 queued, 1 parked"
    )
    assert status_line(state(watch="lost", healthy=False)) == "cannot read /avatars: tried again"


def test_what_the_daemon_publishes_is_ready_first_and_again_after_a_reload(
    listening: tuple[socket.socket, str],
) -> None:
    server, address = listening
    notifier = Notifier(address=address, watchdog_s=90.0, clock_us=lambda: 1)
    notifier.publish(state())
    notifier.publish(state("parked"))
    notifier.reloading()
    notifier.publish(state("parked"))

    said = "watching 3 packs (inotify)"
    assert [server.recv(4096).decode() for _ in range(7)] == [
        f"READY=1\nSTATUS={said}",
        "WATCHDOG=1",
        f"STATUS={said}, 1 parked",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=1",
        f"READY=1\nSTATUS={said}, 1 parked",
        "WATCHDOG=1",
    ]


@pytest.mark.parametrize(
    ("watch", "healthy", "is_put_off"),
    [("inotify", True, True), ("inotify", False, False), ("lost", False, True)],
)
def test_the_watchdog_is_put_off_only_while_all_is_well(
    watch: str, healthy: bool, is_put_off: bool, listening: tuple[socket.socket, str]
) -> None:
    """A root that is gone does not come back by starting the daemon again."""
    server, address = listening
    server.setblocking(False)
    Notifier(address=address, watchdog_s=90.0).publish(state(watch=watch, healthy=healthy))

    assert server.recv(4096).startswith(b"READY=1")
    if is_put_off:
        assert server.recv(4096) == b"WATCHDOG=1"
    with pytest.raises(BlockingIOError):
        server.recv(4096)
