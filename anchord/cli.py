"""Arguments into a call. The only room that ends the process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import click
import msgspec

from anchord import __version__, packs, timeline
from anchord.errors import AnchordError, CoverageError, RootError
from anchord.model import MODEL_FILE, checked_model
from anchord.packs import Pack
from anchord.service import jobs
from anchord.service.worker import Report, Worker, work_off
from anchord.settings import PackSettings, Settings, pack_settings, read_settings

DEFAULT_CONFIG = Path("/etc/anchord/anchord.toml")

_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="ANCHORD_CONFIG",
    help=f"Settings file. [default: {DEFAULT_CONFIG}, where there is one]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="anchord")
def anchord() -> None:
    """Pin mouth and eye overlays to the face of an avatar's idle video."""


@anchord.command()
@_config
@click.option("--root", type=click.Path(path_type=Path), help="The avatars root; wins over the settings.")
@click.option("--once", is_flag=True, help="Work everything off and end: 0, or 1 where a pack failed.")
@click.option("-v", "--verbose", is_flag=True, help="Log the inner steps too.")
def run(config: Path | None, root: Path | None, once: bool, verbose: bool) -> None:
    """Watch the avatars root and keep every pack's timeline up to date."""
    from anchord import log
    from anchord.service import state
    from anchord.service.daemon import Daemon

    def read() -> Settings:
        settings = _settings(config)
        log.set_up(form=settings.log.format, level="debug" if verbose else settings.log.level)
        return settings

    with _progress() if once else contextlib.nullcontext() as progress:
        daemon = Daemon(
            read_settings=read,
            root=root,
            once=once,
            observer=progress,
            publishers=[] if once else [state.publisher()],
        )
        if not daemon.run() and once:
            raise SystemExit(1)


@anchord.command()
@click.argument("video", required=False, type=click.Path(path_type=Path))
@click.option("--avatar-id", help="Folder of the pack in the avatars root.")
@click.option("--input", "input_name", help="The pack's video. [default: idle.webm, or what the pack names]")
@click.option("-o", "--output", help="The timeline's file, - for stdout. [default: anchors_timeline.json]")
@click.option("--sample-rate", type=int, help="Look at every n-th frame. [default: 3]")
@click.option("--mouth-padding", type=float, help="Mouth box over the lips' tight box. [default: 1.5]")
@click.option("--eyes-padding", type=float, help="Eyes box over the openings' tight box. [default: 1.3]")
@click.option("--target-width", type=int, help="Width of the anchors' coordinates, px. [default: 512]")
@click.option("--target-height", type=int, help="Height of the anchors' coordinates, px. [default: 640]")
@click.option("--fit", help="How the video lies in the target: contain, cover or fill. [default: contain]")
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
    Extract one video, now: VIDEO is a file, or --avatar-id names a pack.

    Flags win over every settings file.
    """
    settings = _settings(config)
    if (video is None) == (avatar_id is None):
        raise click.UsageError("name either a VIDEO file or an --avatar-id")
    # Started before anything else is done here: it needs half a second to load its libraries.
    reports: SimpleQueue[Report] = SimpleQueue()
    worker = Worker(
        reports.put,
        threads=settings.worker.threads,
        memory_mb=settings.worker.memory_mb,
        cpu_s=settings.worker.cpu_s,
        mode=settings.worker.sandbox,
    )
    try:
        _extract(
            worker, reports, settings, video, avatar_id, input_name, output, base_path, min_coverage, flags
        )
    finally:
        worker.kill()


def _extract(
    worker: Worker,
    reports: SimpleQueue[Report],
    settings: Settings,
    video: Path | None,
    avatar_id: str | None,
    input_name: str | None,
    output: str | None,
    base_path: Path | None,
    min_coverage: float | None,
    flags: dict[str, Any],
) -> None:
    from anchord.atomic import write_atomically

    if avatar_id is not None:
        pack = packs.pack_called(base_path or Path(settings.root), avatar_id)
        folder = Path(pack.folder)
        names = {"video": input_name, "output": None if output == "-" else output}
        chosen = pack_settings(settings, pack.id, folder, _given(flags | names))
        target = packs.output_file(folder, chosen.output)
        stream = packs.open_inside(folder, chosen.video)
    else:
        assert video is not None
        folder = video.absolute().parent
        chosen = pack_settings(settings, folder.name, folder, _given(flags))
        target = Path(output) if output else packs.output_file(video.parent, chosen.output)
        stream = packs.open_file(video)
        chosen = msgspec.structs.replace(chosen, video=video.name)
    with stream, _progress() as progress:
        job = jobs.Job(number=1, video=chosen.video, settings=chosen.extract, limits=settings.limits)
        if progress:
            progress.working(chosen.video, 0)
        content = work_off(
            worker,
            reports,
            job,
            stream,
            timeout_s=settings.worker.timeout_s,
            on_progress=progress.progressed if progress else lambda done, expected: None,
        )
    quality = timeline.decode(content).quality
    if output == "-":
        sys.stdout.buffer.write(content)
    else:
        write_atomically(target, content)
    _tell(chosen.video, timeline.decode(content), "stdout" if output == "-" else str(target))
    if min_coverage is not None and quality.coverage < min_coverage:
        raise CoverageError(
            f"{chosen.video}: coverage {quality.coverage:.3f} is below --min-coverage {min_coverage}; "
            "the timeline was written"
        )


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in flags.items() if value is not None}


def _tell(video: str, made: timeline.Timeline, where: str) -> None:
    quality = made.quality
    click.echo(
        f"{video}: {made.source.frame_count} frames processed, {quality.samples} sampled, "
        f"{quality.faces} with a face, coverage {quality.coverage:.1%}",
        err=where == "stdout",
    )
    for warning in quality.warnings:
        click.echo(f"  {warning.code}: {warning.message}", err=True)
    click.echo(f"timeline written to {where}", err=where == "stdout")


@anchord.command()
@_config
@click.option("--root", type=click.Path(path_type=Path), help="The avatars root; wins over the settings.")
@click.argument("pack_id", metavar="[PACK]", required=False)
def check(config: Path | None, root: Path | None, pack_id: str | None) -> None:
    """Show the effective settings, for all packs or one, and check what the daemon needs."""
    settings = _settings(config)
    folder = root or Path(settings.root)
    checked_model()
    found = list(packs.find_packs(folder))
    if pack_id is not None:
        found = [packs.pack_called(folder, pack_id)]
        _show(pack_settings(settings, pack_id, Path(found[0].folder)))
    else:
        _show(PackSettings(extract=settings.extract, origins=_extract_origins(settings)))
    for pack in found:
        _check_pack(settings, pack)
    click.echo(f"model {MODEL_FILE.name}: whole")
    click.echo(f"root {folder}: {len(found)} pack{'s' if len(found) != 1 else ''} readable and writable")


def _extract_origins(settings: Settings) -> dict[str, str]:
    return {key.removeprefix("extract."): source for key, source in settings.origins.items()}


def _show(settings: PackSettings) -> None:
    """A table of settings: key, value, where it came from."""
    values = {"video": settings.video, "output": settings.output} | msgspec.structs.asdict(settings.extract)
    for key, value in values.items():
        click.echo(f"{key:16} {value!r:28} {settings.origins.get(key, 'default')}")


def _check_pack(settings: Settings, pack: Pack) -> None:
    pack_settings(settings, pack.id, Path(pack.folder))
    if not os.access(pack.folder, os.R_OK | os.W_OK | os.X_OK):
        raise RootError(f"{pack.folder}: cannot be read and written by this user; mend its owner or mode")


@anchord.group()
def schema() -> None:
    """Print a file format."""


@schema.command("timeline")
def schema_timeline() -> None:
    """The JSON Schema of anchors_timeline.json."""
    click.echo(msgspec.json.format(msgspec.json.encode(timeline.schema()), indent=2))


def _settings(config: Path | None) -> Settings:
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return read_settings(config)


class _Bar:
    """A progress bar for one video after another."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def working(self, pack: str, queued: int) -> None:
        """Begin anew for *pack*."""
        waiting = f" ({queued} more)" if queued else ""
        self._bar.reset(self._task, description=f"{pack}{waiting}", total=None)

    def progressed(self, done: int, expected: int) -> None:
        """Show frames decoded of frames expected."""
        self._bar.update(self._task, completed=done, total=expected or None)


@contextlib.contextmanager
def _progress() -> Iterator[_Bar | None]:
    """A progress bar on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)


def main() -> None:
    """The ``anchord`` command."""
    command: Callable[..., Any] = anchord
    try:
        command()
    except AnchordError as error:
        click.echo(f"anchord: {error}", err=True)
        raise SystemExit(error.exit_status) from None
    except BrokenPipeError:
        # The reader of stdout went away: nothing more to say to it, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
