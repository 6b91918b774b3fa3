"""What became of all packs of an avatars root: counted, its warnings by kind, and who needs a person."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Struct

from anchord import __version__, packs, timeline
from anchord.advice import WARNINGS, Advice
from anchord.commands import status
from anchord.commands.preview import Target
from anchord.errors import AnchordError, NoInputError
from anchord.files import Folder
from anchord.guard import guarded_within
from anchord.packs import Pack
from anchord.preview.page import Table
from anchord.printable import printable
from anchord.settings import ExtractSettings, Settings
from anchord.shard import Shard

#: So many of the worst are shown one by one.
WORST = 20
# A table of thousands of packs is read by nobody.
_NAMED = 8
# States in which nothing needs a person.
_WELL = ("up_to_date", "stale", "waiting", "queued", "working")


class Kind(Struct, frozen=True, kw_only=True):
    """A warning, and the packs that have it."""

    code: str
    meaning: str
    remedy: str
    packs: list[str]


class Stopped(Struct, frozen=True, kw_only=True):
    """A pack that stays without a timeline, or with an old one, and why."""

    pack: str
    state: str
    reason: str


class Worst(Struct, frozen=True, kw_only=True):
    """A pack whose timeline is not as good as others'."""

    pack: str
    coverage: float
    jitter_px: float | None
    warnings: list[str]


class Report(Struct, frozen=True, kw_only=True):
    """
    All packs at one time.

    Args:
        root: the avatars root.
        version: of anchord.
        made_unix_s: when.
        running: whether a daemon keeps them.
        packs: how many.
        states: state -> packs in it, as ``anchord status`` names them.
        coverage_median, coverage_least: of the packs with a timeline, 0–1; None without any.
        whole: packs whose face is seen in every sample.
        followed: what was followed, landmarks or pixels -> packs.
        methods: version of the method -> packs; another than the present one is stale.
        settings: what ``[extract]`` says where no pack says otherwise.
        own_settings: key -> packs that set it themselves.
        warnings: by kind, the most frequent first.
        stopped: packs that need a person, or a machine that is well again.
        worst: the worst timelines first.
    """

    root: str
    version: str
    made_unix_s: float
    running: bool
    packs: int
    states: dict[str, int]
    coverage_median: float | None
    coverage_least: float | None
    whole: int
    followed: dict[str, int]
    methods: dict[str, int]
    settings: ExtractSettings
    own_settings: dict[str, int]
    warnings: list[Kind]
    stopped: list[Stopped]
    worst: list[Worst]


class _Seen(NamedTuple):
    """A pack's written timeline up to its frames, and which settings it has of its own."""

    pack: str
    head: timeline.Head | None
    own: tuple[str, ...]


def report(settings: Settings, root: Path, *, now_s: float | None = None) -> Report:
    """
    What can be known about *root* now, from the daemon's state and the packs' own files.

    Args:
        settings: as they hold for all.
        root: the avatars root.
        now_s: seconds since 1970.

    Raises:
        RootError: the root can't be read.
    """
    found = status.report(settings, root)
    seen = [_seen(settings, pack) for pack in _packs_of(settings, root)]
    rated = [(one.pack, one.head.quality) for one in seen if one.head and one.head.quality is not UNSET]
    coverages = [quality.coverage for _, quality in rated]
    return Report(
        root=found.root,
        version=__version__,
        made_unix_s=round(time.time() if now_s is None else now_s),
        running=found.running,
        packs=len(found.packs),
        states=_counted(pack.state for pack in found.packs),
        coverage_median=median(coverages) if coverages else None,
        coverage_least=min(coverages, default=None),
        whole=sum(quality.faces == quality.samples for _, quality in rated),
        followed=_counted(quality.source for _, quality in rated),
        methods=_counted(str(one.head.generator.method) for one in seen if one.head),
        settings=settings.extract,
        own_settings=_counted(key for one in seen for key in one.own),
        warnings=_kinds(rated),
        stopped=[
            Stopped(pack=pack.pack, state=pack.state, reason=pack.reason)
            for pack in found.packs
            if pack.state not in _WELL
        ],
        worst=[
            Worst(
                pack=pack,
                coverage=quality.coverage,
                jitter_px=quality.jitter_px,
                warnings=[warning.code for warning in quality.warnings],
            )
            for pack, quality in sorted(rated, key=_badness)[:WORST]
        ],
    )


def lines(made: Report) -> Iterator[str]:
    """The report as text for a terminal."""
    yield f"{made.root}: {_packs(made.packs)}{_states(made)}"
    if made.coverage_median is not None:
        yield (
            f"coverage: median {made.coverage_median:.1%}, least {made.coverage_least:.1%}; "
            f"{_packs(made.whole)} with a face in every sample"
        )
        yield f"followed: {_named(made.followed)}; method {_named(made.methods)}"
    if made.own_settings:
        yield f"own settings: {_named(made.own_settings)}"
    for kind in made.warnings:
        yield f"{kind.code}: {_packs(len(kind.packs))} ({_some(kind.packs)})"
        yield f"  {kind.meaning}: {kind.remedy}"
    for stopped in made.stopped:
        yield f"{stopped.state}: {stopped.pack}: {stopped.reason}"
    if made.worst:
        yield "worst:"
    for pack in made.worst:
        jitter = "" if pack.jitter_px is None else f"  jitter {pack.jitter_px:.2f} px"
        yield f"  {pack.pack}  coverage {pack.coverage:.1%}{jitter}  {', '.join(pack.warnings)}".rstrip()


def title(made: Report) -> tuple[str, str]:
    """A page's heading, and the line below it."""
    at = datetime.fromtimestamp(made.made_unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Avatars in {made.root}", f"{_packs(made.packs)}{_states(made)} · {at} · anchord {made.version}"


def tables(made: Report) -> list[Table]:
    """What stands above the worst packs on a page."""
    rows = [
        ("packs", str(made.packs)),
        *((state.replace("_", " "), str(count)) for state, count in made.states.items()),
    ]
    if made.coverage_median is not None:
        rows += [
            ("coverage, median", f"{made.coverage_median:.1%}"),
            ("coverage, least", f"{made.coverage_least:.1%}"),
            ("a face in every sample", str(made.whole)),
            *((f"follows {name}", str(count)) for name, count in made.followed.items()),
            *((f"method {name}", str(count)) for name, count in made.methods.items()),
        ]
    settings = msgspec.structs.asdict(made.settings)
    return [
        Table("All packs", ["what", "how many"], rows),
        Table(
            "Without a timeline, or with an old one",
            ["pack", "state", "why"],
            [[stopped.pack, stopped.state.replace("_", " "), stopped.reason] for stopped in made.stopped],
        ),
        Table(
            "Warnings, and what to do",
            ["code", "packs", "meaning", "remedy", "for instance"],
            [[w.code, str(len(w.packs)), w.meaning, w.remedy, _some(w.packs)] for w in made.warnings],
        ),
        Table(
            "Settings",
            ["key", "value", "packs with their own"],
            [[key, _value(value), str(made.own_settings.get(key, ""))] for key, value in settings.items()],
        ),
    ]


def worst_targets(made: Report, settings: Settings, root: Path) -> list[Target]:
    """The packs that a page shows, the worst first."""
    known = {printable(pack.id): pack for pack in _packs_of(settings, root)}
    return [
        Target(name=known[worst.pack].id, folder=known[worst.pack].folder)
        for worst in made.worst
        if worst.pack in known
    ]


def _packs_of(settings: Settings, root: Path) -> list[Pack]:
    return packs.find_packs(root, settings.depth, Shard.of(settings.shard))


def _seen(settings: Settings, pack: Pack) -> _Seen:
    outcome = guarded_within(partial(_read, settings, pack), pack.folder)
    # What is wrong with it stands among those that stopped.
    return _Seen(printable(pack.id), None, ()) if isinstance(outcome, AnchordError) else outcome


def _read(settings: Settings, pack: Pack) -> _Seen:
    with Folder(pack.folder) as folder:
        chosen = packs.chosen(settings, pack.id, folder)
        ours = {key.removeprefix("extract.") for key in settings.origins}
        own = tuple(key for key in chosen.origins if key not in ours)
        try:
            with folder.open(chosen.output) as stream:
                return _Seen(printable(pack.id), timeline.head(stream), own)
        except NoInputError:
            return _Seen(printable(pack.id), None, own)


def _badness(rated: tuple[str, timeline.Quality]) -> tuple[float, int, float]:
    quality = rated[1]
    return round(quality.coverage, 2), -len(quality.warnings), -(quality.jitter_px or 0)


def _kinds(rated: Sequence[tuple[str, timeline.Quality]]) -> list[Kind]:
    found: dict[str, list[str]] = {}
    for pack, quality in rated:
        for warning in quality.warnings:
            found.setdefault(printable(warning.code), []).append(pack)
    unknown = Advice("a warning of another version of anchord", "see the timeline's own message")
    return [
        Kind(
            code=code,
            meaning=WARNINGS.get(code, unknown).meaning,
            remedy=WARNINGS.get(code, unknown).remedy,
            packs=having,
        )
        for code, having in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _counted(words: Iterator[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _named(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _states(made: Report) -> str:
    daemon = "a daemon running" if made.running else "no daemon running"
    states = _named({state.replace("_", " "): count for state, count in made.states.items()})
    return f"{': ' if states else ''}{states}; {daemon}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _packs(count: int) -> str:
    return f"{count} pack{'' if count == 1 else 's'}"


def _value(value: object) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, tuple) else str(value)
