"""
Many packs on one page: a file of its own, without a network, for a phone and a desk. Pure.

Every name and message in it is other people's, so all text is escaped, and the page's own policy lets it run
nothing but the one script and look at nothing but the pictures in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from msgspec import UNSET

from anchord.preview.moments import STRIP_FRAMES
from anchord.printable import printable
from anchord.timeline import Timeline

#: Keys that cards are sorted by, and what a person reads; the worst comes first.
SORTS = {
    "worst": "worst first",
    "coverage": "coverage",
    "jitter": "jitter",
    "seam": "seam",
    "warnings": "warnings",
    "name": "name",
}
_BAR_WIDE, _BAR_HIGH = 1000, 10


class Card(NamedTuple):
    """
    One pack.

    Args:
        name: its id.
        timeline: of it; None where there is none.
        strip: its pictures side by side, a JPEG; empty where there are none.
        fault: why something is missing; empty where nothing is.
    """

    name: str
    timeline: Timeline | None
    strip: bytes = b""
    fault: str = ""


class Table(NamedTuple):
    """A table above the cards: its heading, the columns' names, and the rows; the last column may be long."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def page(title: str, subtitle: str, cards: Sequence[Card], tables: Sequence[Table] = ()) -> Iterator[str]:
    """
    The whole page, piece by piece: a thousand packs are tens of megabytes.

    Args:
        title: of the page.
        subtitle: a line below it.
        cards: one a pack, the worst first.
        tables: above the cards.
    """
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    yield "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
    yield f'<meta http-equiv=Content-Security-Policy content="{policy}">\n'
    yield "<meta name=viewport content='width=device-width, initial-scale=1'>\n"
    yield "<meta name=color-scheme content='light dark'>\n"
    yield f"<title>{_text(title)}</title>\n<style>{style}</style>\n"
    yield f"<header>\n<h1>{_text(title)}</h1>\n<p>{_text(subtitle)}</p>\n</header>\n<main>\n"
    for table in tables:
        yield from _table(table)
    if cards:
        yield "<section aria-labelledby=packs>\n<h2 id=packs>Packs</h2>\n"
        yield from _controls()
        yield "<div class=cards>\n"
        for rank, card in enumerate(cards):
            yield from _card(card, rank)
        yield "</div>\n</section>\n"
    yield f"</main>\n<script>{script}</script>\n</html>\n"


def badness(card: Card) -> tuple[float, ...]:
    """What cards are sorted by: first those without a timeline, then by coverage, warnings and jitter."""
    made = card.timeline
    if made is None:
        return (0.0,)
    quality = made.quality
    return (1.0, round(quality.coverage, 2), -len(quality.warnings), -(quality.jitter_px or 0))


def _controls() -> Iterator[str]:
    yield "<form class=controls>\n<label>Find <input type=search id=find autocomplete=off></label>\n"
    yield "<label>Sort by <select id=sort>"
    yield from (f"<option value={key}>{words}</option>" for key, words in SORTS.items())
    yield "</select></label>\n"
    yield "<label><input type=checkbox id=warned> with warnings only</label>\n"
    yield "<output id=count></output>\n</form>\n"


def _card(card: Card, rank: int) -> Iterator[str]:
    made, name = card.timeline, _text(card.name)
    yield f'<article data-worst={rank} data-name="{name}" {_figures(card)}>\n'
    if card.strip and made is not None:
        wide, high = STRIP_FRAMES * made.target.width, made.target.height
        content = base64.b64encode(card.strip).decode()
        yield (
            f'<div class=strip tabindex=0 role=img aria-label="{name}: frames with their anchors">'
            f'<img alt="" width={wide} height={high} loading=lazy decoding=async '
            f'src="data:image/jpeg;base64,{content}"></div>\n'
        )
    else:
        yield "<div class='strip empty'></div>\n"
    yield f"<h3>{name}</h3>\n"
    if made is not None:
        yield from _bar(made)
        yield f"<p class=facts>{_text(_facts(made))}</p>\n"
    if card.fault:
        yield f"<p class=fault>{_text(card.fault)}</p>\n"
    warnings = made.quality.warnings if made is not None else []
    if warnings:
        noun = "warning" if len(warnings) == 1 else "warnings"
        yield f"<details><summary>{len(warnings)} {noun}: "
        yield _text(", ".join(warning.code for warning in warnings))
        yield "</summary>\n<dl>"
        yield from (f"<dt>{_text(w.code)}</dt><dd>{_text(w.message)}</dd>" for w in warnings)
        yield "</dl></details>\n"
    yield "</article>\n"


def _figures(card: Card) -> str:
    if card.timeline is None:
        return "data-warnings=1000"
    quality, loop = card.timeline.quality, card.timeline.loop
    figures = {
        "coverage": quality.coverage,
        "jitter": quality.jitter_px,
        "seam": loop.seam_px,
        "warnings": len(quality.warnings),
    }
    return " ".join(f"data-{name}={value}" for name, value in figures.items() if value is not None)


def _facts(made: Timeline) -> str:
    quality, loop, source = made.quality, made.loop, made.source
    jitter = "unknown" if quality.jitter_px is None else f"{quality.jitter_px:.2f} px"
    seam = "" if loop.seam_px is None else f", seam {loop.seam_px:.1f} px"
    return (
        f"coverage {quality.coverage:.1%} · jitter {jitter} · "
        f"loop {'closed' if loop.closed else 'open'}{seam} · "
        f"{source.width}×{source.height} {source.codec}, {source.duration_ms / 1000:.1f} s"
    )


def _bar(made: Timeline) -> Iterator[str]:
    """The clip from its begin to its end: what was seen in it."""
    label = f"coverage {made.quality.coverage:.1%}"
    yield f'<svg class=bar viewBox="0 0 {_BAR_WIDE} {_BAR_HIGH}" preserveAspectRatio=none role=img '
    yield f'aria-label="{label}">'
    for word, first, last in stretches(made):
        x, w = round(_BAR_WIDE * first), max(1, round(_BAR_WIDE * (last - first)))
        yield f"<rect class={word} x={x} y=0 width={w} height={_BAR_HIGH} />"
    yield "</svg>\n"


def stretches(made: Timeline) -> list[tuple[str, float, float]]:
    """
    What was seen, from when to when, as shares of the clip, in order: ``tracked``, ``hidden``, or ``bridged``
    (interpolated or held); nothing where no face is in sight.
    """
    source = made.source

    def share(time_ms: float) -> float:
        return min(1.0, max(0.0, (time_ms - source.start_ms) / max(source.duration_ms, 1)))

    found: list[tuple[str, float, float]] = []
    ends = [sample.time_ms for sample in made.frames[1:]] + [source.start_ms + source.duration_ms]
    for sample, end_ms in zip(made.frames, ends, strict=False):
        is_hidden = sample.hidden is not UNSET and bool(sample.hidden)
        word = "hidden" if is_hidden else "tracked" if sample.status == "tracked" else "bridged"
        # A sample stands until the next one, but never into a gap.
        for first_ms, _ in made.quality.gaps:
            if sample.time_ms <= first_ms < end_ms:
                end_ms = first_ms
        first, last = share(sample.time_ms), share(end_ms)
        if found and found[-1][0] == word and abs(found[-1][2] - first) < 1e-9:
            found[-1] = (word, found[-1][1], last)
        else:
            found.append((word, first, last))
    return found


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    yield f"<section>\n<h2>{_text(table.heading)}</h2>\n<table>\n<thead><tr>"
    yield from (f"<th scope=col>{_text(name)}</th>" for name in table.columns)
    yield "</tr></thead>\n<tbody>\n"
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>\n"
    yield "</tbody></table>\n</section>\n"


def _text(text: str) -> str:
    return escape(printable(text))


def _asset(name: str) -> str:
    return files("anchord.preview").joinpath(name).read_text()


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def joined(pieces: Iterable[str]) -> bytes:
    """A page's bytes."""
    return "".join(pieces).encode()
