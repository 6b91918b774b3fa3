"""Where the daemon's log comes from: the journal, a container, a file or a pipe, line by line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from io import BufferedReader
from pathlib import Path
from typing import IO, TypeAlias

from anchord.commands.log_lines import Clock, Event, Filter, Statistics, event_in, is_repetition, sentence
from anchord.errors import MachineError, NoInputError, of_system
from anchord.printable import printable

#: A source that is closed by whoever has read enough.
Lines: TypeAlias = Generator[str, None, None]

#: A line that is longer is shown in pieces; the daemon's own have some hundred bytes.
_LONGEST_LINE = 1 << 20
# Between looks at a file that nobody tells of.
_POLL_S = 0.25
# What each line is drawn in, by its level; a terminal's own colours, so that its user can read them.
_COLOURS = {"debug": "bright_black", "info": None, "warning": "yellow", "error": "red"}


def from_file(path: str, *, follow: bool, pause: Callable[[float], None] = time.sleep) -> Lines:
    """
    The lines of a file, or of stdin where *path* is ``-``.

    Args:
        path: the file.
        follow: go on when its end is reached; also in the file that takes its place, as logs are rotated.
        pause: waits so many seconds.

    Raises:
        NoInputError, MachineError: it can't be opened or read.
    """
    if path == "-":
        yield from _lines(sys.stdin.buffer)
        return
    stream = _opened(path)
    try:
        while True:
            # The end of a line that is being written is still to come.
            yield from _lines(stream, holds_back=follow)
            if not follow:
                return
            pause(_POLL_S)
            if _is_other(stream, path):
                yield from _lines(stream)
                stream.close()
                stream = _opened(path)
    finally:
        stream.close()


def from_journal(unit: str, *, lines: int, follow: bool) -> Lines:
    """
    What the journal has of a unit.

    Raises:
        NoInputError: there is no journal on this machine.
        MachineError: it can't be read.
    """
    end = ["--follow"] if follow else []
    command = ["journalctl", "--unit", unit, "--output", "json", "--lines", str(lines), "--no-pager", *end]
    yield from _from_program(command, "name a FILE, or --docker CONTAINER")


def from_docker(container: str, *, lines: int, follow: bool) -> Lines:
    """
    What a container printed.

    Raises:
        NoInputError: there is no Docker on this machine.
        MachineError: it can't be read.
    """
    end = ["--follow"] if follow else []
    yield from _from_program(["docker", "logs", "--tail", str(lines), *end, container], "name a FILE")


def shown(
    lines: Iterator[str], wanted: Filter, statistics: Statistics, clock: Clock
) -> Iterator[tuple[str, str | None]]:
    """
    What a person reads of a log, one line a video, each with its colour; None for the terminal's own.

    Args:
        lines: of the log.
        wanted: which events.
        statistics: counts all that are wanted.
        clock: reads their times.
    """
    for line in lines:
        event = event_in(line)
        if event is None or not wanted.shows(event):
            continue
        statistics.add(event)
        if is_repetition(event) and wanted.level != "debug":
            continue
        day, at = clock.read(event.time)
        if day:
            yield f"-- {day}", "bright_black"
        yield _line(event, at), _colour(event)


def _line(event: Event, at: str) -> str:
    mark = {"warning": "!", "error": "x"}.get(event.level, " ")
    pack = f"{printable(event.pack)}  " if event.pack else ""
    return f"{at} {mark} {pack}{sentence(event)}"


def _colour(event: Event) -> str | None:
    # A video that is done and has nothing to be mended is good news.
    if event.name == "timeline_written":
        return "yellow" if event.values.get("warnings") else "green"
    return _COLOURS[event.level]


def _lines(stream: IO[bytes], *, holds_back: bool = False) -> Iterator[str]:
    """Lines as they come; the last one, where it has no end yet, only if it is not to be held back."""
    while line := stream.readline(_LONGEST_LINE):
        if holds_back and len(line) < _LONGEST_LINE and not line.endswith(b"\n"):
            stream.seek(-len(line), os.SEEK_CUR)
            return
        yield line.decode(errors="backslashreplace")


def _opened(path: str) -> BufferedReader:
    try:
        # A person named it, and it may well be a pipe.
        return Path(path).open("rb")
    except OSError as error:
        raise of_system(error, f"{path}: cannot be opened") from error


def _is_other(stream: BufferedReader, path: str) -> bool:
    """Whether another file has this name now, or it begins anew."""
    ours = os.fstat(stream.fileno())
    try:
        now = Path(path).stat()
    except OSError:
        return False  # between a rotation's two steps
    return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino) or now.st_size < stream.tell()


def _from_program(command: list[str], otherwise: str) -> Lines:
    if shutil.which(command[0]) is None:
        raise NoInputError(f"{command[0]}: is not on this machine; {otherwise}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        with closing(process.stdout):
            try:
                yield from _lines(process.stdout)
            finally:
                process.terminate()
        status = process.wait()
    if status > 0:
        raise MachineError(f"{' '.join(command)}: ended with {status}, see above; {otherwise}")
