"""Of what a worker prints a little is told, escaped, and none of it grows."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from anchord.errors import WorkerError
from anchord.worker import prints
from anchord.worker.prints import Prints


class Pipe:
    """A worker's stderr, and what is told of it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.told: list[str] = []
        self.prints = Prints(self.reading, self.told.append)

    def write(self, content: bytes) -> None:
        os.write(self.writing, content)
        self.prints.read()

    def close(self) -> None:
        os.close(self.writing)
        while self.prints.read():
            pass
        os.close(self.reading)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_a_line_is_told_when_it_is_whole(pipe: Pipe) -> None:
    pipe.write(b"one\ntw")
    assert pipe.told == ["one"]
    pipe.write(b"o\n\n  \n")
    assert pipe.told == ["one", "two"]


def test_nothing_to_read_is_no_end(pipe: Pipe) -> None:
    assert pipe.prints.read()


def test_the_last_line_needs_no_end() -> None:
    pipe = Pipe()
    pipe.write(b"Segmentation fault")
    pipe.close()
    assert pipe.told == ["Segmentation fault"]


def test_what_would_move_a_terminal_or_break_a_log_is_escaped(pipe: Pipe) -> None:
    """Controls of both sets, line breaks that JSON readers see, turned writing, bytes that are no text."""
    pipe.write("\x1b[2J\x07 \x9b \u2028 \u202e \u0085ä".encode() + b"\xff\xed\xa0\x80\n")
    assert pipe.told == [r"\x1b[2J\x07 \x9b \u2028 \u202e \x85ä\xff\xed\xa0\x80"]


def test_a_line_is_cut(pipe: Pipe) -> None:
    pipe.write(b"x" * 5000 + b"\nnext\n")
    assert pipe.told == ["x" * 1000, "next"]


def test_a_flood_of_lines_is_one_more_line(pipe: Pipe) -> None:
    for _ in range(10):
        pipe.write(b"again\n" * 100)
    assert pipe.told == ["again"] * 200 + ["(no further line of this worker is told)"]
    pipe.write(b"last\n")
    assert pipe.prints.tail == "again | again | last"


def test_chatter_is_no_reason_for_an_end(pipe: Pipe) -> None:
    pipe.write(b"ValueError: it\nW0000 00:00:1795628878.076112 26282 a.cc:174] Sets\nINFO: Created\n")
    assert pipe.prints.tail == "ValueError: it"
    assert len(pipe.told) == 3


def test_printing_without_end_is_one(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "_MOST_BYTES", 1000)
    with pytest.raises(WorkerError, match="it prints without end"):
        pipe.write(b"x" * 1001)
    monkeypatch.undo()
