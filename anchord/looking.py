"""The commands that a person looks with. Arguments into a call, as ``cli``, which ends the process."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from anchord import __version__
from anchord.errors import AnchordError, VideoError
from anchord.terminal import config_option, root_option, say, say_json, settings_from

# As commands.log_lines has them, which loads what most commands need not.
_LEVELS = ("debug", "info", "warning", "error")

if TYPE_CHECKING:
    from anchord.commands.preview import Target
    from anchord.preview.page import Card
    from anchord.settings import Settings


@click.command()
@click.argument("named", nargs=-1, metavar="[PACK|VIDEO]...")
@click.option("--all", "everything", is_flag=True, help="Every pack of the avatars root.")
@click.option("-o", "--output", help="A file, or a folder for several. [default: PACK.png and so on, here]")
@click.option("--video", is_flag=True, help="The clip with its sprites, or its anchors: .webm, or .mp4.")
@click.option("--plot", is_flag=True, help="Its motion over time, and what was seen: .svg.")
@click.option("--html", is_flag=True, help="One page for all: sorted, searched, thumbnails that move.")
@config_option
@root_option
def preview(
    named: tuple[str, ...],
    everything: bool,
    output: str | None,
    video: bool,
    plot: bool,
    html: bool,
    config: Path | None,
    root: Path | None,
) -> None:
    """
    Show packs, or any video, with their anchors: a contact sheet, a PNG.

    Frames are chosen where something happens: the loop's ends, gaps, what is hidden, extremes of motion.
    A pack without a timeline gets one for this, which is not written.
    """
    from anchord.commands import preview as room
    from anchord.commands.progress import progress

    if video + plot + html > 1:
        raise click.UsageError("--video, --plot and --html are one too many: choose one")
    settings = settings_from(config)
    found = room.targets(named, root or Path(settings.root), settings, everything=everything)
    if html:
        _page(found, settings, output or "anchord.html")
        return
    form: room.Form = "video" if video else "plot" if plot else "sheet"
    files = room.outputs(found, form, output)
    failed = 0
    with progress() as bar:
        for target, file, outcome in room.previews(list(zip(found, files, strict=True)), form, settings, bar):
            if isinstance(outcome, AnchordError):
                if len(found) == 1:
                    raise outcome
                failed += 1
                say(f"{target.name}: {outcome}", err=True)
                continue
            if not outcome.is_written:
                say(f"{outcome.name}: no timeline fits its video; one was made for this", err=True)
            say(f"{outcome.name}: {file}")
    if failed:
        raise VideoError(f"{failed} of {len(found)} could not be shown, see above")


def _page(found: Sequence[Target], settings: Settings, output: str) -> None:
    from anchord.atomic import write_through
    from anchord.preview.page import badness, joined, page

    made = sorted(_cards(found, settings), key=badness)
    subtitle = f"{len(made)} packs · anchord {__version__}"
    write_through(output, joined(page("Avatars with their anchors", subtitle, made)))
    say(f"{len(made)} packs: {output}")


def _cards(found: Sequence[Target], settings: Settings) -> list[Card]:
    from anchord.commands import preview as room
    from anchord.commands.progress import progress

    with progress() as bar:
        if bar:
            bar.working("packs", 0)
        seen = itertools.count(1)
        return room.cards(
            found, settings, lambda _name: bar.progressed("packs", next(seen), len(found)) if bar else None
        )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--html", help="Write a page, with pictures of the worst packs, here.")
@config_option
@root_option
def report(as_json: bool, html: str | None, config: Path | None, root: Path | None) -> None:
    """
    Say what became of all packs: coverage, warnings by kind with what to do, who needs a person, the worst.

    From the daemon's state and the packs' own files; also without a daemon.
    """
    from anchord.atomic import write_through
    from anchord.commands import report as room
    from anchord.preview.page import joined, page

    settings = settings_from(config)
    root = root or Path(settings.root)
    made = room.report(settings, root)
    if as_json:
        say_json(made)
    elif html:
        heading, subtitle = room.title(made)
        cards = _cards(room.worst_targets(made, settings, root), settings)
        write_through(html, joined(page(heading, subtitle, cards, room.tables(made))))
        say(f"{made.packs} packs: {html}")
    else:
        for line in room.lines(made):
            say(line)


@click.command()
@click.argument("file", required=False)
@click.option(
    "--unit", default="anchord", show_default=True, help="The systemd unit, where no FILE is named."
)
@click.option("--docker", metavar="CONTAINER", help="A container's log instead.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is still to come.")
@click.option("-n", "--lines", default=1000, show_default=True, help="So many lines of journal or container.")
@click.option("--pack", "patterns", multiple=True, help="Only packs such as ada or ada*; repeatable.")
@click.option("--level", type=click.Choice(_LEVELS), default="info", help="The least grave. [default: info]")
@click.option("--stats", is_flag=True, help="Figures of all that was read, instead of it.")
def tail(
    file: str | None,
    unit: str,
    docker: str | None,
    follow: bool,
    lines: int,
    patterns: tuple[str, ...],
    level: str,
    stats: bool,
) -> None:
    """
    Read the daemon's log as a person does: one line a video, in colours, from the journal, Docker or FILE.

    FILE may be - for stdin, as in: docker compose logs anchord | anchord tail -
    """
    from anchord.commands import tail as room
    from anchord.commands.log_lines import Clock, Filter, Level, Statistics

    if file and docker:
        raise click.UsageError("a FILE and --docker are one too many: choose one")
    if file:
        read = room.from_file(file, follow=follow)
    elif docker:
        read = room.from_docker(docker, lines=lines, follow=follow)
    else:
        read = room.from_journal(unit, lines=lines, follow=follow)
    statistics = Statistics()
    # The reader's own wish, see no-color.org; without a terminal click leaves colours out by itself.
    is_plain = bool(os.environ.get("NO_COLOR"))
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(read):
        for line, colour in room.shown(
            read, Filter(packs=patterns, level=cast(Level, level)), statistics, Clock()
        ):
            if not stats:
                click.echo(line if is_plain or colour is None else click.style(line, fg=colour))
    if stats:
        for line in statistics.lines():
            click.echo(line)


COMMANDS: tuple[click.Command, ...] = (preview, report, tail)
