"""
What anchord was told to do: TOML files and flags into frozen records.

A later layer wins over an earlier one, key by key::

    defaults < anchord.toml [extract] < anchord.toml [packs."<id>"] < <pack>/anchord.toml < flags
"""

from __future__ import annotations

import difflib
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
import tomli
from msgspec import Meta, Struct

from anchord.errors import FileError, NoInputError, SettingsError
from anchord.files import Folder
from anchord.manifest import MAX_BYTES as MAX_MANIFEST_BYTES
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.manifest import Statics, statics_in
from anchord.parsing import brief, check_bounds
from anchord.shard import Shard
from anchord.timeline import Extra

#: A pack's own file and the daemon's file have the same name in different places.
FILE_NAME = "anchord.toml"
DEFAULT_VIDEO = "idle.webm"
DEFAULT_OUTPUT = "anchors_timeline.json"
DEFAULT_BASE = "base_face.png"
#: What to do where no face is found and nothing else says where it is.
NO_STATICS = (
    "there are no static anchors in {}: put them there (mouth.anchor and eyes.anchor), "
    "for instance with anchord anchors PACK"
)

#: Nobody writes larger ones by hand; a pack's owner must not fill the daemon's memory or its time.
MAX_SETTINGS_BYTES = 64 << 10
MAX_BASE_BYTES = 32 << 20
#: The daemon's own file may hold a table for each of many packs.
MAX_OWN_BYTES = 16 << 20

PlainName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^/\x00]+$")]
Padding = Annotated[float, Meta(gt=0, le=10)]
FilePath = Annotated[str, Meta(pattern=r"^$|^/[^\x00]*$")]
Side = Annotated[int, Meta(ge=1, le=16384)]


class ExtractSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that shape a timeline. Any difference in them makes a timeline stale."""

    sample_rate: Annotated[int, Meta(ge=1, le=1000)] = 3
    mouth_padding: Padding = 1.5
    eyes_padding: Padding = 1.3
    target_width: Side = 512
    target_height: Side = 640
    fit: Literal["contain", "cover", "fill"] = "contain"
    precision: Annotated[int, Meta(ge=0, le=6)] = 2
    max_gap_ms: Annotated[float, Meta(ge=0, le=60_000)] = 500.0
    follow: Literal["auto", "landmarks", "pixels"] = "auto"
    smoothing: Literal["auto", "off"] | Annotated[float, Meta(gt=0, le=10_000)] = "auto"
    follow_every_frame: bool = True
    include: tuple[Extra, ...] = ()

    def sha256(self) -> str:
        """Digest that is equal where the settings are, whatever files they came from."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that one video may ask for; what is over a limit is refused with both numbers."""

    max_bytes: Annotated[int, Meta(ge=1)] = 1 << 30
    max_pixels: Annotated[int, Meta(ge=1)] = 3840 * 2160
    max_duration_s: Annotated[float, Meta(gt=0)] = 600.0
    max_frames: Annotated[int, Meta(ge=1)] = 36_000


class WatchSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a change counts."""

    settle_s: Annotated[float, Meta(ge=0.05, le=3600)] = 2.0
    rescan_s: Annotated[float, Meta(ge=1, le=86_400)] = 60.0
    mode: Literal["auto", "inotify", "poll"] = "auto"
    poll_s: Annotated[float, Meta(ge=0.2, le=3600)] = 5.0
    probe_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0


class WorkerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The processes that decode videos and find the face in them."""

    processes: Annotated[int, Meta(ge=0, le=256)] = 0
    memory_total_mb: Annotated[int, Meta(ge=0, le=1 << 24)] = 0
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    timeout_s: Annotated[float, Meta(ge=1, le=86_400)] = 900.0
    idle_s: Annotated[float, Meta(ge=1, le=86_400)] = 300.0
    max_jobs: Annotated[int, Meta(ge=1)] = 200
    grace_s: Annotated[float, Meta(ge=0, le=60)] = 3.0
    cpu_s: Annotated[int, Meta(ge=1, le=86_400)] = 1800
    memory_mb: Annotated[int, Meta(ge=1024, le=1 << 20)] = 3072
    sandbox: Literal["auto", "require", "off"] = "auto"
    engine: Literal["auto", "litert", "mediapipe"] = "auto"
    reuse: Literal["owner", "always", "never"] = "owner"


class ClusterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other machines that work on videos; anchord[cluster] must be installed on all of them."""

    scheduler: Annotated[str, Meta(pattern=r"^$|^tls://[^/\s]+:\d{1,5}$")] = ""
    ca: FilePath = ""
    certificate: FilePath = ""
    key: FilePath = ""
    listen: Annotated[str, Meta(pattern=r"^[^/\s]+$")] = "127.0.0.1:0"
    transfer: Literal["auto", "path", "bytes"] = "auto"
    fallback: Literal["wait", "local"] = "wait"


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log looks."""

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Figures for Prometheus."""

    textfile: Annotated[str, Meta(pattern=r"^$|^/[^\x00]*\.prom$")] = ""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the daemon's own file can say."""

    root: Annotated[str, Meta(min_length=1)] = "/usr/share/nginx/html/avatars"
    depth: Annotated[int, Meta(ge=1, le=2)] = 1
    shard: str = ""
    watch: WatchSettings = WatchSettings()
    extract: ExtractSettings = ExtractSettings()
    limits: Limits = Limits()
    worker: WorkerSettings = WorkerSettings()
    cluster: ClusterSettings = ClusterSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    #: Pack id -> the keys of its table, checked but not yet merged.
    packs: Mapping[str, Mapping[str, Any]] = {}
    #: Dotted key -> the file that set it. Keys that are not here have their default.
    origins: Mapping[str, str] = {}


class PackSettings(Struct, frozen=True, kw_only=True):
    """What holds for one pack after all layers."""

    extract: ExtractSettings = ExtractSettings()
    video: str = DEFAULT_VIDEO
    output: str = DEFAULT_OUTPUT
    #: Nothing names the video and there is no idle.webm: it is the only other idle video there.
    is_stand_in: bool = False
    #: Where mouth and eyes lie on the base face, and that picture's name, as the manifest says.
    statics: Statics | None = None
    base: str = ""
    #: Key -> where its value came from; keys that are not here have their default.
    origins: Mapping[str, str] = {}


class _PackKeys(ExtractSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a pack's own file and of its ``[packs."<id>"]`` table."""

    video: PlainName = DEFAULT_VIDEO
    output: PlainName = DEFAULT_OUTPUT


class _Base(Struct, frozen=True):
    src: str | None = None
    idleVideo: str | None = None  # noqa: N815  the manifest's own spelling


class _Manifest(Struct, frozen=True):
    base: _Base | None = None
    idleVideo: str | None = None  # noqa: N815
    # Whatever they are: what a page makes do with must not keep a pack from its timeline.
    mouth: Any = None
    eyes: Any = None


def read_settings(path: Path | None) -> Settings:
    """
    The daemon's settings from its TOML file; the defaults where *path* is None.

    Raises:
        SettingsError: the file can't be read, or says something that can't be obeyed.
    """
    if path is None:
        return Settings()
    source = str(path)
    table = _toml(_own_bytes(path), source)
    _check_keys(table, Settings, source, "", hidden=("origins",))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for key, value in table.items():
        if key == "packs":
            values["packs"] = _checked_packs(value, source)
        elif key in ("root", "depth", "shard"):
            values[key] = _checked_value(Settings, key, value, source, "")
            origins[key] = source
        else:
            section = cast("type[Struct]", type(getattr(Settings(), key)))
            values[key] = section(**_checked_table(section, value, source, key))
            origins |= {f"{key}.{name}": source for name in value}
    Shard.of(values.get("shard", ""), source)
    return Settings(**values, origins=origins)


def pack_settings(
    settings: Settings, pack: str, folder: Folder | None, flags: Mapping[str, Any] | None = None
) -> PackSettings:
    """
    What holds for *pack*.

    Args:
        settings: the daemon's settings.
        pack: the pack's id, as in ``[packs."<id>"]``.
        folder: the pack's, opened: its ``anchord.toml`` and ``manifest.json`` are looked for there. None
            for a video that lies in no pack.
        flags: values from a command line; they win over every file.

    Raises:
        SettingsError: the pack's files say something that can't be obeyed.
        FileError: one of them is no regular file, or far too large.
        MachineError: one of them can't be read now.
    """
    layers: list[tuple[Mapping[str, Any], str]] = []
    if pack in settings.packs:
        layers.append((settings.packs[pack], f'anchord.toml [packs."{pack}"]'))
    if folder and (content := _optional(folder, FILE_NAME, MAX_SETTINGS_BYTES)) is not None:
        file = f"{folder.path}/{FILE_NAME}"
        layers.append((_checked_table(_PackKeys, _toml(content, file), file, ""), file))
    if flags:
        layers.append((_checked_table(_PackKeys, flags, "command line", ""), "command line"))

    values = {name: getattr(settings.extract, name) for name in ExtractSettings.__struct_fields__}
    origins = {
        key.removeprefix("extract."): source
        for key, source in settings.origins.items()
        if key.startswith("extract.")
    }
    manifest = f"{folder.path}/{MANIFEST_NAME}" if folder else MANIFEST_NAME
    is_named = any("video" in layer for layer, _ in layers)
    try:
        said = _manifest(folder) if folder else _Manifest()
    except (SettingsError, FileError):
        # Who names the video elsewhere may keep what he likes there.
        if not is_named:
            raise
        said = _Manifest()
    if not is_named and (named := _video_in(said)) is not None:
        values["video"] = _checked_value(_PackKeys, "video", named, manifest, "")
        origins["video"] = manifest
    for layer, source in layers:
        values |= layer
        origins |= dict.fromkeys(layer, source)
    video = values.pop("video", DEFAULT_VIDEO)
    output = values.pop("output", DEFAULT_OUTPUT)
    for key, name in (("video", video), ("output", output)):
        if name.startswith("."):
            raise SettingsError(
                f"{origins.get(key)}: {key} = {name!r}: must be a plain file name inside the pack "
                "that does not begin with a dot"
            )
    if output in (video, FILE_NAME, MANIFEST_NAME):
        raise SettingsError(
            f"{origins.get('output')}: output = {output!r}: would overwrite the pack's {output}; "
            f"name another file, such as {DEFAULT_OUTPUT}"
        )
    extract = ExtractSettings(**values)
    statics = statics_in({"mouth": said.mouth, "eyes": said.eyes})
    if extract.follow == "pixels" and statics is None:
        raise SettingsError(f"{origins.get('follow')}: follow = 'pixels': {NO_STATICS.format(manifest)}")
    base = (said.base.src if said.base else None) or DEFAULT_BASE
    return PackSettings(
        extract=extract,
        video=video,
        output=output,
        statics=statics,
        base=base if _is_plain(base) else "",
        origins=origins,
    )


def _is_plain(name: str) -> bool:
    return 0 < len(name) <= 255 and "/" not in name and "\0" not in name and not name.startswith(".")


def _video_in(manifest: _Manifest) -> str | None:
    """The idle video that the pack's manifest names, or None."""
    return (manifest.base.idleVideo if manifest.base else None) or manifest.idleVideo or None


def _manifest(folder: Folder) -> _Manifest:
    """What the pack's manifest says, nothing where there is none."""
    content = _optional(folder, MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if content is None:
        return _Manifest()
    file = f"{folder.path}/{MANIFEST_NAME}"
    check_bounds(content, file)
    try:
        return msgspec.json.decode(content, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file}: cannot be read as a manifest: {error}; mend it, or name the video in {FILE_NAME}"
        ) from error


def _optional(folder: Folder, name: str, at_most: int) -> bytes | None:
    """A small file of a pack; None where there is none."""
    try:
        return folder.read(name, at_most=at_most)
    except NoInputError:
        return None


def _checked_packs(value: Any, source: str) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise SettingsError(f'{source}: packs = {brief(value)}: must be tables such as [packs."my_avatar"]')
    return {
        pack: _checked_table(_PackKeys, table, source, f'packs."{pack}"') for pack, table in value.items()
    }


def _checked_table(record: type[Struct], table: Any, source: str, prefix: str) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise SettingsError(f"{source}: {prefix} = {brief(table)}: must be a table")
    _check_keys(table, record, source, prefix)
    return {key: _checked_value(record, key, value, source, prefix) for key, value in table.items()}


def _check_keys(
    table: Mapping[str, Any], record: type[Struct], source: str, prefix: str, hidden: tuple[str, ...] = ()
) -> None:
    known = [name for name in record.__struct_fields__ if name not in hidden]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
            raise SettingsError(f"{source}: unknown key {brief(_dotted(prefix, key))}: {hint}")


def _checked_value(record: type[Struct], key: str, value: Any, source: str, prefix: str) -> Any:
    try:
        return msgspec.convert(value, _types(record)[key])
    except msgspec.ValidationError as error:
        allowed = str(error)[:1].lower() + str(error)[1:]
        raise SettingsError(f"{source}: {_dotted(prefix, key)} = {brief(value)}: {allowed}") from error


@functools.cache
def _types(record: type[Struct]) -> dict[str, Any]:
    """Key -> what it may be; slow to find out, and asked for every pack."""
    return {field.name: field.type for field in msgspec.structs.fields(record)}


def _dotted(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key


def _toml(content: bytes, file: str) -> dict[str, Any]:
    check_bounds(content, file)
    try:
        return tomli.loads(content.decode())
    except ValueError as error:  # also a number of thousands of digits, and what is not UTF-8
        raise SettingsError(f"{file}: not valid TOML: {error}") from error


def _own_bytes(path: Path) -> bytes:
    """The daemon's own file, which an administrator named."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_OWN_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}; check its permissions") from error
    if len(content) > MAX_OWN_BYTES:
        raise SettingsError(f"{path}: larger than {MAX_OWN_BYTES} bytes; settings are never that long")
    return content
