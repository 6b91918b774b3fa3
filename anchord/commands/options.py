"""Options that several commands have, and how commands read settings and speak."""

from __future__ import annotations

from pathlib import Path

import click

from anchord.printable import printable
from anchord.settings import Settings, read_settings

DEFAULT_CONFIG = Path("/etc/anchord/anchord.toml")

config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="ANCHORD_CONFIG",
    help=f"Settings file. [default: {DEFAULT_CONFIG}, where there is one]",
)
root = click.option(
    "--root", type=click.Path(path_type=Path), help="The avatars root; wins over the settings."
)


def say(line: str, *, err: bool = False) -> None:
    """A line for a person; names in it are other people's."""
    click.echo(printable(line), err=err)


def settings_in(config: Path | None) -> Settings:
    """
    The settings in the file that was named, or in the one that is there anyway.

    Raises:
        SettingsError: it can't be read, or says something that can't be obeyed.
    """
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read_settings(config)
