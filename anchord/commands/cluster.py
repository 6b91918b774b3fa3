"""
The commands that make a cluster: its scheduler, nodes and certificates; and the coordinator's executor.

Nothing of Dask is loaded before one of them is called.
"""

from __future__ import annotations

import importlib
import socket
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from anchord.errors import SettingsError
from anchord.terminal import config_option, say, settings_from

if TYPE_CHECKING:
    from anchord.service.daemon import MakeExecutor
    from anchord.settings import ClusterSettings, Settings


def executor_of(settings: ClusterSettings) -> MakeExecutor:
    """Where a daemon's tasks are worked on: by the nodes of a cluster, where one is named, or here."""
    if not settings.scheduler:
        from anchord.service.daemon import local_executor

        return local_executor
    return partial(wing("client").cluster_executor, settings)


@click.command()
@config_option
@click.option("--listen", metavar="HOST:PORT", help="Where to listen. [default: cluster.scheduler's]")
def scheduler(config: Path | None, listen: str | None) -> None:
    """
    Be the scheduler of a cluster: nodes and coordinators connect here, and it brings them together.

    It listens at the address in cluster.scheduler, with TLS only. It keeps nothing: after a restart all
    connect again, and what was under way is done anew.
    """
    settings = _logging(config)
    room, membership = wing("scheduler"), wing("membership")
    address = (
        membership.address_in(listen, "--listen")
        if listen
        else membership.scheduler_address(settings.cluster)
    )
    room.run_scheduler(settings.cluster, address)


@click.command()
@config_option
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="The avatars root, where this machine shares it; without it, videos come as bytes.",
)
@click.option("--name", help="What logs call this node; no two have the same. [default: the host's name]")
@click.option(
    "--places",
    type=click.IntRange(1, 1024),
    help="Videos at once. [default: worker.processes]",
)
@click.option("--listen", metavar="HOST:PORT", help="Where to listen. [default: cluster.listen]")
def node(
    config: Path | None, root: Path | None, name: str | None, places: int | None, listen: str | None
) -> None:
    """
    Work on videos for the coordinators of a cluster, each in a worker process that is held in as ever.

    It needs the cluster's scheduler and this machine's certificate in the settings, and writes nothing.
    """
    from anchord.model import checked_model
    from anchord.worker.capacity import place_count

    settings = _logging(config)
    checked_model()
    room, membership = wing("node"), wing("membership")
    room.NodeRun(
        cluster=settings.cluster,
        worker=settings.worker,
        root=root,
        name=name or socket.gethostname(),
        places=places or place_count(settings.worker),
        listen=membership.listen_address(settings.cluster, listen),
    ).run()


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
@click.option("--days", type=click.IntRange(1, 3650), default=825, help="How long they hold. [default: 825]")
def certificates(folder: Path, members: tuple[str, ...], days: int) -> None:
    """
    Make a cluster's certificates in FOLDER: for each MEMBER, such as a host's name, one and its key.

    The first time it makes the cluster's own authority too. Give each member its two files and ca.pem, and
    keep ca.key off all of them: who has it can make members. What is there already stays.
    """
    for line in _made(folder, members, days):
        say(line)


COMMANDS = (scheduler, node, certificates)


def _made(folder: Path, members: Iterable[str], days: int) -> Iterable[str]:
    lines: Iterable[str] = wing("certificates").make(folder, members, days=days)
    return lines


def _logging(config: Path | None) -> Settings:
    """The settings, with the log as they want it."""
    from anchord import log

    settings = settings_from(config)
    log.set_up(form=settings.log.format, level=settings.log.level)
    return settings


def wing(room: str) -> ModuleType:
    """
    A room of the cluster's wing.

    Raises:
        SettingsError: what it needs is not installed.
    """
    # Dask would load it where it is, for 20 MiB; only the process that decodes has a use for it.
    sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]
    try:
        return importlib.import_module(f"anchord.cluster.{room}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "anchord":
            raise
        raise SettingsError(
            f"{error.name} is not installed, which a cluster needs: pip install 'anchord[cluster]', or make "
            "install WITH=cluster; or take [cluster] out of anchord.toml"
        ) from error
