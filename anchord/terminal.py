"""What all commands have in common: their options, their settings, a worker, and how a line is said."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click

from anchord.commands.progress import progress
from anchord.model import checked_model
from anchord.printable import printable
from anchord.settings import Settings, read_settings
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


def settings_from(config: Path | None) -> Settings:
    """The settings of the file that was named, or of the installed one, where there is one."""
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read_settings(config)


@contextlib.contextmanager
def working(settings: Settings, what: str) -> Iterator[tuple[Worker, Callable[[int, int], None]]]:
    """A worker, started before anything else is done: it needs half a second to load its libraries."""
    checked_model()
    with Worker(settings.worker) as worker, progress() as bar:
        if bar:
            bar.working(what, 0)
        yield worker, partial(bar.progressed, what) if bar else lambda done, expected: None
