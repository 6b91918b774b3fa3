"""A log that is full, closed or not read costs lines, never the work."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from anchord.sink import Sink, say_last
from tests.service.running import wait_until


def test_lines_come_in_order() -> None:
    reads, writes = os.pipe()
    sink = Sink(writes)
    for i in range(1000):
        sink.write(f"{i}\n")
    sink.close()
    os.close(writes)
    with os.fdopen(reads) as stream:
        assert [int(line) for line in stream] == list(range(1000))


def test_a_reader_that_has_stopped_costs_lines_that_are_counted_and_told_of() -> None:
    reads, writes = os.pipe()
    told: SimpleQueue[int] = SimpleQueue()
    sink = Sink(writes, told.put)
    line = "x" * 9_999 + "\n"
    for _ in range(1000):  # 10 MB, of which the pipe and the sink hold a part
        sink.write(line)
    lost = sink.lost
    assert 300 < lost < 700
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.extend(counted(reads)))
    thread.start()
    assert told.get(timeout=20) == lost
    sink.close(within_s=20)
    os.close(writes)
    thread.join()
    os.close(reads)
    assert sum(got) + lost == 1000


def counted(reads: int) -> Iterator[int]:
    """How many lines come, until the other end is closed."""
    while part := os.read(reads, 1 << 20):
        yield part.count(b"\n")


def test_a_reader_that_has_stopped_does_not_hold_up_the_end() -> None:
    reads, writes = os.pipe()
    sink = Sink(writes)
    for _ in range(100):
        sink.write("x" * 10_000)
    began_s = time.monotonic()
    sink.close(within_s=0.2)
    assert time.monotonic() - began_s < 2
    os.close(reads)  # which ends its thread


def test_a_closed_pipe_costs_lines_only() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    sink = Sink(writes)
    sink.write("nobody reads this\n")
    wait_until(lambda: sink.lost == 1)
    sink.close()
    os.close(writes)


def test_a_full_disk_costs_lines_until_there_is_room() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    told: SimpleQueue[int] = SimpleQueue()
    sink = Sink(full, told.put)
    for _ in range(3):
        sink.write("no room\n")
    wait_until(lambda: sink.lost >= 1)
    reads, writes = os.pipe()
    os.dup2(writes, full)  # somebody made room
    sink.write("room\n")
    assert told.get(timeout=20) >= 1
    sink.close()
    os.close(writes)
    os.close(full)
    with os.fdopen(reads, "rb") as stream:
        assert stream.read().endswith(b"room\n")


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETFL, os.O_NONBLOCK)
    sink = Sink(writes)
    for _ in range(20):
        sink.write("x" * 9_999 + "\n")
    got: list[bytes] = []

    def read() -> None:
        while part := os.read(reads, 1 << 16):
            got.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    sink.close(within_s=20)
    os.close(writes)
    thread.join()
    os.close(reads)
    assert len(b"".join(got)) == 200_000
    assert sink.lost == 0


def test_letters_that_are_no_unicode_are_written_all_the_same() -> None:
    reads, writes = os.pipe()
    say_last(writes, "caf\udce9")
    os.close(writes)
    with os.fdopen(reads, "rb") as stream:
        assert stream.read() == b"caf\\udce9\n"


def test_a_machine_without_threads_loses_lines_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, writes = os.pipe()
    sink = Sink(writes)

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        sink.write("lost\n")
    assert sink.lost == 1
    sink.write("kept\n")
    sink.close()
    os.close(writes)
    with os.fdopen(reads, "rb") as stream:
        assert stream.read() == b"kept\n"
