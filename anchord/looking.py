"""The commands that a person looks with. Arguments into a call, as ``cli``, which ends the process."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anchord import __version__
from anchord.atomic import write_through
from anchord.commands.progress import progress
from anchord.errors import AnchordError, VideoError
from anchord.settings import Settings
from anchord.terminal import config_option, root_option, say, settings_from

if TYPE_CHECKING:
    from anchord.commands.preview import Target


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

    if video + plot + html > 1:
        raise click.UsageError("--video, --plot and --html are one too many: choose one")
    settings = settings_from(config)
    found = room.targets(named, root or Path(settings.root), everything=everything)
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
    from anchord.commands import preview as room
    from anchord.preview.page import badness, joined, page

    with progress() as bar:
        if bar:
            bar.working("packs", 0)
        seen = itertools.count(1)
        made = room.cards(
            found, settings, lambda _name: bar.progressed(next(seen), len(found)) if bar else None
        )
    made.sort(key=badness)
    subtitle = f"{len(made)} packs, by anchord {__version__}"
    write_through(output, joined(page("anchord preview", subtitle, made)))
    say(f"{len(made)} packs: {output}")


COMMANDS: tuple[click.Command, ...] = (preview,)
