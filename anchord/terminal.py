"""What all commands have in common: their options, their settings, a worker, and how a line is said."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anchord.printable import json_line, printable

# What only some commands need is loaded by those: help and status are asked for again and again.
if TYPE_CHECKING:
    from anchord.settings import Settings
    from anchord.worker.client import Worker

DEFAULT_CONFIG = Path("/etc/anchord/anchord.toml")

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="ANCHORD_CONFIG",
    help=f"Settings file. [default: {DEFAULT_CONFIG}, where there is one]",
)
root_option = click.option(
    "--root", type=click.Path(path_type=Path), help="The avatars root; wins over the settings."
)


def say(line: str, *, err: bool = False) -> None:
    """A line for a person; names in it are other people's."""
    click.echo(printable(line), err=err)


def say_json(found: Any) -> None:
    """Something for a program, on a line of its own."""
    import msgspec

    click.echo(json_line(msgspec.json.encode(found).decode()))


def settings_from(config: Path | None) -> Settings:
    """The settings of the file that was named, or of the installed one, where there is one."""
    from anchord.settings import read_settings

    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read_settings(config)


@contextlib.contextmanager
def working(settings: Settings, what: str) -> Iterator[tuple[Worker, Callable[[int, int], None]]]:
    """A worker, started before anything else is done: it needs half a second to load its libraries."""
    from anchord.commands.progress import progress
    from anchord.model import checked_model
    from anchord.worker.client import Worker

    checked_model()
    with Worker(settings.worker) as worker, progress() as bar:
        if bar:
            bar.working(what, 0)
        yield worker, partial(bar.progressed, what) if bar else lambda done, expected: None
