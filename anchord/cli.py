"""Arguments into a call. The only room that ends the process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anchord import __version__, looking
from anchord.commands import cluster
from anchord.errors import AnchordError, CoverageError, as_ours
from anchord.terminal import config_option as _config
from anchord.terminal import root_option as _root
from anchord.terminal import say as _say
from anchord.terminal import say_json as _say_json
from anchord.terminal import settings_from as _settings
from anchord.terminal import working as _working

if TYPE_CHECKING:
    from anchord.commands.extract import WrittenTimeline

_retry_s = click.option(
    "--retry-s",
    type=click.FloatRange(0, 86_400),
    default=60.0,
    help="Of what ends by itself: try again so long, at the end, what the machine got wrong. [default: 60]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="anchord")
def anchord() -> None:
    """Pin mouth and eye overlays to the face of an avatar's idle video."""


@anchord.command()
@_config
@_root
@click.option("--once", is_flag=True, help="Work everything off and end: 0, or 1 where a pack failed.")
@_retry_s
@click.option("-v", "--verbose", is_flag=True, help="Log the inner steps too.")
def run(config: Path | None, root: Path | None, once: bool, retry_s: float, verbose: bool) -> None:
    """Watch the avatars root and keep every pack's timeline up to date."""
    from anchord.commands.progress import progress
    from anchord.commands.run import run_daemon

    with progress() if once else contextlib.nullcontext() as bar:
        is_well = run_daemon(
            partial(_settings, config), root, is_verbose=verbose, once=once, retry_s=retry_s, observer=bar
        )
    if once and not is_well:
        raise SystemExit(1)


@anchord.command()
@_config
@_root
@click.option("--stale-only", is_flag=True, help="Leave out packs that have no timeline yet.")
@click.option("--limit", type=click.IntRange(1), help="Work on so many packs at most.")
@click.option("--dry-run", is_flag=True, help="Only say which packs would be worked on, and why.")
@_retry_s
@click.option("-v", "--verbose", is_flag=True, help="Log the inner steps too.")
def backfill(
    config: Path | None,
    root: Path | None,
    stale_only: bool,
    limit: int | None,
    dry_run: bool,
    retry_s: float,
    verbose: bool,
) -> None:
    """
    Work off all that is stale, once, the longest unchanged first, and say what came of it.

    All packs are looked at before the first is begun. Whenever it is stopped, what is done is done: the
    next one goes on from there. Ends with 1 where a pack failed.
    """
    from anchord.commands import backfill as room
    from anchord.commands.progress import progress
    from anchord.commands.run import run_daemon

    plan = room.plan(stale_only=stale_only, limit=limit, dry_run=dry_run)
    with progress() as bar:
        is_well = run_daemon(
            partial(_settings, config),
            root,
            is_verbose=verbose,
            once=True,
            retry_s=0.0 if dry_run else retry_s,
            plan=plan,
            observer=room.Progress(bar),
        )
    where = str(root or _settings(config).root)
    for line in room.lines(where, plan.outcome, limit=limit, dry_run=dry_run):
        _say(line)
    if not is_well:
        raise SystemExit(1)


@anchord.command()
@click.argument("video", required=False, type=click.Path(path_type=Path))
@click.option("--avatar-id", help="Folder of the pack in the avatars root.")
@click.option("--input", "input_name", help="The video's name. [default: idle.webm, or what the pack names]")
@click.option("-o", "--output", help="The timeline's file, - for stdout. [default: anchors_timeline.json]")
@click.option("--sample-rate", type=int, help="Look at every n-th frame. [default: 3]")
@click.option("--mouth-padding", type=float, help="Mouth box over the lips' tight box. [default: 1.5]")
@click.option("--eyes-padding", type=float, help="Eyes box over the openings' tight box. [default: 1.3]")
@click.option("--target-width", type=int, help="Width of the anchors' coordinates, px. [default: 512]")
@click.option("--target-height", type=int, help="Height of the anchors' coordinates, px. [default: 640]")
@click.option("--fit", help="How the video lies in the target: contain, cover or fill. [default: contain]")
@click.option("--max-gap-ms", type=float, help="Longest stretch without a face to bridge. [default: 500]")
@click.option("--follow", help="auto, landmarks or pixels: what is followed. [default: auto]")
@click.option("--smoothing", help="auto, off, or the average's width in ms. [default: auto]")
@click.option("--include", multiple=True, help="Add pose, signals, left_eye, right_eye or light; repeatable.")
@click.option(
    "--base-path", type=click.Path(path_type=Path), help="The avatars root; wins over the settings."
)
@click.option(
    "--min-coverage", type=click.FloatRange(0, 1), help="End with 65 where fewer samples show a face."
)
@_config
def extract(
    video: Path | None,
    avatar_id: str | None,
    input_name: str | None,
    output: str | None,
    base_path: Path | None,
    min_coverage: float | None,
    config: Path | None,
    **flags: Any,
) -> None:
    """
    Extract one video, now: VIDEO is a file, - for stdin, or --avatar-id names a pack.

    Flags win over every settings file. What comes by stdin belongs to no pack, and goes to stdout unless
    --output says otherwise; --input gives it the name that the timeline says.
    """
    from anchord.commands.extract import Request, extract_now

    settings = _settings(config)
    if (video is None) == (avatar_id is None):
        raise click.UsageError("name either a VIDEO file or an --avatar-id")
    request = Request(
        video=video,
        avatar_id=avatar_id,
        base_path=base_path,
        input_name=input_name,
        output=output,
        flags=flags,
    )
    with _working(settings, video.name if video else str(avatar_id)) as (worker, on_progress):
        result = extract_now(request, settings, worker, on_progress)
    _tell(result)
    coverage = result.made.quality.coverage
    if min_coverage is not None and coverage < min_coverage:
        raise CoverageError(
            f"{result.video}: coverage {coverage:.3f} is below --min-coverage {min_coverage}; "
            "the timeline was written"
        )


def _tell(result: WrittenTimeline) -> None:
    """Stdout is for results: the timeline itself, or else what became of it."""
    quality = result.made.quality
    if result.file is None:
        sys.stdout.buffer.write(result.content)
    _say(
        f"{result.video}: {result.made.source.frame_count} frames processed, {quality.samples} sampled, "
        f"{quality.faces} with a face, coverage {quality.coverage:.1%}",
        err=result.file is None,
    )
    for warning in quality.warnings:
        _say(f"  {warning.code}: {warning.message}", err=True)
    _say(f"timeline written to {result.file or 'stdout'}", err=result.file is None)


@anchord.command()
@click.argument("folder", required=False, metavar="[PACK]", type=click.Path(path_type=Path))
@click.option("--avatar-id", help="Folder of the pack in the avatars root.")
@click.option("--from", "speech", type=click.Path(path_type=Path), help="A clip in which this person speaks.")
@click.option("--visemes", "listed", help="Which mouths, such as REST,AA,OO. [default: all seven]")
@click.option("--force", is_flag=True, help="Replace files that anchord did not make.")
@click.option("--preview", help="Write a contact sheet, a PNG, here.")
@click.option(
    "--base-path",
    "--root",
    "root",
    type=click.Path(path_type=Path),
    help="The avatars root; wins over the settings.",
)
@_config
def sprites(
    folder: Path | None,
    avatar_id: str | None,
    speech: Path | None,
    listed: str | None,
    force: bool,
    preview: str | None,
    config: Path | None,
    root: Path | None,
) -> None:
    """
    Make mouth and eyes for a pack from its idle video, now: PACK is a folder, or --avatar-id names one.

    A clip of the same person speaking, given with --from, makes real mouths of drawn ones.
    """
    from anchord.commands.sprites import Request, make_sprites, visemes_in

    settings = _settings(config)
    if (folder is None) == (avatar_id is None):
        raise click.UsageError("name either a PACK folder or an --avatar-id")
    request = Request(
        folder=folder,
        avatar_id=avatar_id,
        root=root or Path(settings.root),
        speech=speech,
        visemes=visemes_in(listed),
        force=force,
        preview=preview,
    )
    with _working(settings, folder.name if folder else str(avatar_id)) as (worker, on_progress):
        result = make_sprites(request, settings, worker, on_progress)
    for line in result.lines():
        _say(line)
    for fault in result.made.faults:
        _say(f"  {fault}", err=True)
    _say(f"{len(result.files)} files written to {result.folder}")
    if not result.has_timeline:
        _say(
            f"there is no timeline yet: a running anchord makes it, or anchord extract {result.video}",
            err=True,
        )


@anchord.command("demo-clip")
@click.argument("target", default="idle.webm", metavar="[FILE]")
@click.option("--fps", type=click.FloatRange(1, 120), default=30.0, help="Frames a second. [default: 30]")
@click.option("--force", is_flag=True, help="Replace the file, where there is one.")
def demo_clip(target: str, fps: float, force: bool) -> None:
    """
    Make an idle clip to try things with: a face that breathes for four seconds.

    FILE ends in .webm or .mp4; it is idle.webm here unless named. The portrait is NASA's, public domain.
    """
    from anchord.commands.demo_clip import write_demo_clip

    write_demo_clip(target, fps=fps, force=force)
    _say(f"clip written to {target}")


@anchord.command()
@_config
@_root
@click.argument("pack_id", metavar="[PACK]", required=False)
def check(config: Path | None, root: Path | None, pack_id: str | None) -> None:
    """Show the effective settings, for all packs or one, and check what the daemon needs."""
    from anchord.commands.check import findings

    settings = _settings(config)
    for line in findings(settings, root or Path(settings.root), pack_id):
        _say(line)


@anchord.command()
@_config
@_root
@click.argument("pack_id", metavar="PACK")
@click.option("--mouth", metavar="CX,CY,W,H", help="The mouth overlay's middle, width and height, px.")
@click.option("--eyes", metavar="CX,CY,W,H", help="The same of the eyes' overlay.")
def anchors(
    config: Path | None, root: Path | None, pack_id: str, mouth: str | None, eyes: str | None
) -> None:
    """
    Show a pack's static anchors, or write them into its manifest; all else there stays.

    They are px of the base face as a page draws it (512 by 640), and say where mouth and eyes are where
    no face is found: in a drawn avatar, or an animal.
    """
    from anchord.commands.anchors import put

    settings = _settings(config)
    for line in put(root or Path(settings.root), pack_id, {"mouth": mouth, "eyes": eyes}, settings.depth):
        _say(line)


@anchord.command()
@_config
@_root
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(config: Path | None, root: Path | None, as_json: bool) -> None:
    """Show what the daemon is doing and the state of every pack; also without a daemon."""
    from anchord.commands.status import lines, report

    settings = _settings(config)
    found = report(settings, root or Path(settings.root))
    if as_json:
        _say_json(found)
    else:
        for line in lines(found):
            _say(line)


@anchord.command()
@_config
@_root
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
def doctor(config: Path | None, root: Path | None, as_json: bool) -> None:
    """Examine the machine: what stands in the way, and its remedy. Ends with 1 where something does."""
    from anchord.commands.doctor import examine

    settings, is_bad = _settings(config), False
    for finding in examine(settings, root or Path(settings.root)):
        if as_json:
            _say_json(finding)
        else:
            for line in str(finding).split("\n"):
                _say(line)
        is_bad |= finding.verdict == "bad"
    if is_bad:
        raise SystemExit(1)


@anchord.command()
@_config
@_root
def health(config: Path | None, root: Path | None) -> None:
    """Say whether the daemon is well: ends with 0 if it is, with 1 if not."""
    from anchord.commands import health as room
    from anchord.shard import Shard

    settings = _settings(config)
    shard = Shard.of(settings.shard)
    found = room.health(root or Path(settings.root), now_s=time.time(), shard=shard)
    _say(found.line)
    if not found.is_well:
        raise SystemExit(1)


for _command in (*looking.COMMANDS, *cluster.COMMANDS):
    anchord.add_command(_command)


@anchord.group()
def schema() -> None:
    """Print a file format."""


@schema.command("timeline")
def schema_timeline() -> None:
    """The JSON Schema of anchors_timeline.json."""
    import msgspec

    from anchord import timeline

    click.echo(msgspec.json.format(msgspec.json.encode(timeline.schema()), indent=2))


def _open_standard_streams() -> None:
    """
    See that descriptors 0 to 2 are open: what is opened later would get their numbers, and with them
    whatever a library prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that this locale has no letters for


def main() -> None:
    """The ``anchord`` command."""
    _open_standard_streams()
    command: Callable[..., Any] = anchord
    try:
        command()
    except BrokenPipeError:
        # The reader of stdout went away: nothing more to say to it, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (AnchordError, OSError, MemoryError, RecursionError) as error:
        from anchord import log  # half of all that a command loads, and most need it only here

        ours = as_ours(error)
        log.tell(f"anchord: {ours}")
        raise SystemExit(ours.exit_status) from None
