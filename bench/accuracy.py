"""
How well anchors hold: ``python -m bench.accuracy`` (``make accuracy``).

Makes films with a known motion (kept in ``.films``), extracts each at every sample rate, and prints what is
wrong with the timelines, as Markdown; see ``testing/figures.py`` for what the figures mean. Ends with 1
where a figure leaves ``bench/accuracy.budget``.

With ``--clips FOLDER`` real footage is judged instead, by the skin of its faces (see ``testing/skin.py``):
videos, or packs with an ``idle.webm``; with ``--films`` too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from anchord.tracking.faces import FaceFinder
from bench.summary import summary
from testing import budget, truth
from testing.figures import FIGURES, Figures, figures, group_of
from testing.films import FILMS
from testing.making import VIDEO, Film
from testing.perfect import spoilt
from testing.product import extracted, face_finder, find_with
from testing.reading import Reading
from testing.scores.lock import lock
from testing.skin import MOST_TURNED_DEG, skin_of
from testing.store import all_kept

_VIDEOS = (".webm", ".mp4", ".mov", ".m4v", ".mkv", ".mpg")


def main() -> int:
    asked = arguments()
    with face_finder(asked.shake) as finder:
        status = 0
        if not asked.clips or asked.films:
            status = on_films(chosen(asked), asked, finder)
        if asked.clips:
            on_clips(asked.clips, asked, finder)
    return status


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", action="store_true", help="the films, also where --clips is given")
    parser.add_argument("--quick", action="store_true", help="only the films of every test run")
    parser.add_argument("--clips", type=Path, help="a folder of real videos or packs")
    parser.add_argument("--rates", type=int, nargs="+", default=[3, 1], help="sample rates")
    parser.add_argument(
        "--follow", nargs="+", default=["auto"], help="as in the settings; several to compare"
    )
    parser.add_argument("--only", nargs="+", help="films or clips whose name begins so")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="other settings")
    parser.add_argument("--shake", type=float, default=0.0, help="px of noise on each landmark")
    parser.add_argument(
        "--spoil",
        type=float,
        nargs=2,
        metavar=("SLIDE", "SHIVER"),
        default=(0.0, 0.0),
        help="px, rms: errors put into the clips' timelines, to see that the score of real faces reads them",
    )
    parser.add_argument("--write", action="store_true", help="write the budget instead of being held to it")
    return parser.parse_args()


def chosen(asked: argparse.Namespace) -> tuple[Film, ...]:
    return tuple(
        film
        for film in FILMS
        if (film.is_quick or not asked.quick) and (not asked.only or film.name.startswith(tuple(asked.only)))
    )


def settings_of(asked: argparse.Namespace) -> dict[str, Any]:
    """``--set smoothing=off fit=cover target_width=256`` into keywords."""
    pairs = (pair.split("=", 1) for pair in asked.set)
    return {key: _value(text) for key, text in pairs}


def _value(text: str) -> int | float | str:
    if text.isdigit():
        return int(text)
    return float(text) if text.replace(".", "", 1).isdigit() else text


def measured(
    films: tuple[Film, ...], rates: list[int], finder: FaceFinder, **settings: Any
) -> dict[tuple[str, int], Figures]:
    """All figures of some films, by film and sample rate."""
    packs = all_kept(films)
    found: dict[tuple[str, int], Figures] = {}
    for film in films:
        known = truth.read(packs[film.name])
        assert known is not None
        for rate in rates:
            document = extracted(packs[film.name] / VIDEO, finder, sample_rate=rate, **settings)
            found[film.name, rate] = figures(film, known, document)
    return found


def on_films(films: tuple[Film, ...], asked: argparse.Namespace, finder: FaceFinder) -> int:
    """Print the tables; whether a figure left the budget."""
    status = 0
    for follow in asked.follow:
        found = measured(films, asked.rates, finder, follow=follow, **settings_of(asked))
        for rate in asked.rates:
            for group in dict.fromkeys(group_of(film) for film in films):
                rows = {film: found[film.name, rate] for film in films if group_of(film) == group}
                print(f"\n### {group}, sample rate {rate}, follow {follow}\n")
                table(rows)
        summary(found, films, asked.rates)
        if asked.write:
            budget.write(found)
        elif follow == "auto" and not asked.set and not asked.shake:
            lines = budget.left(found, budget.read())
            print("\n" + ("\n".join(lines) if lines else "All figures are within the budget."))
            status = status or bool(lines)
    return status


def table(rows: dict[Film, Figures]) -> None:
    names = [name for name in FIGURES if any(name in found for found in rows.values())]
    print("| film | asks | " + " | ".join(names) + " |")
    print("|---|---|" + "---:|" * len(names))
    for film, found in rows.items():
        cells = (f"{found[name]:.3f}" if name in found else "–" for name in names)
        print(f"| {film.name} | {film.asks} | " + " | ".join(cells) + " |")
    worst, mean = [], []
    for name in names:
        values = np.array([found[name] for found in rows.values() if name in found])
        worst.append(f"{values.max():.3f}")
        adds_up = name in ("missed", "false")
        mean.append(f"{values.sum() if adds_up else np.sqrt((values**2).mean()):.3f}")
    print("| **worst** | | " + " | ".join(worst) + " |")
    print("| **all** | rms; missed and false: sum | " + " | ".join(mean) + " |")


def on_clips(folder: Path, asked: argparse.Namespace, finder: FaceFinder) -> None:
    """Print how much the anchors slide and shiver on the skin of real faces."""
    videos = sorted(
        [*folder.glob(f"*/{VIDEO}"), *(file for file in folder.iterdir() if file.suffix in _VIDEOS)]
    )
    named = [(video.parent.name if video.name == VIDEO else video.stem, video) for video in videos]
    for rate in asked.rates:
        print(f"\n### clips, sample rate {rate}\n")
        print(f"Target px; heads turned by more than {MOST_TURNED_DEG:g} degrees are not judged.\n")
        heads = (f"{part} slide / shiver / p95, {follow}" for follow in asked.follow for part in truth.PARTS)
        print("| clip | judged mouth, eyes | " + " | ".join(heads) + " | marked hidden, s |")
        print("|---|---:|" + "---:|" * (2 * len(asked.follow) + 1))
        columns: list[list[tuple[float, float, float] | None]] = []
        for name, video in named:
            if asked.only and not name.startswith(tuple(asked.only)):
                continue
            row = clip_row(name, video, rate, asked, finder)
            if row is not None:
                columns.append(row)
        medians = []
        for column in zip(*columns, strict=True):
            values = np.array([cell for cell in column if cell is not None])
            medians.append(" / ".join(f"{v:.3f}" for v in np.median(values, axis=0)) if len(values) else "–")
        print("| **median** | | " + " | ".join(medians) + " | |")


def clip_row(
    name: str, video: Path, rate: int, asked: argparse.Namespace, finder: FaceFinder
) -> list[tuple[float, float, float] | None] | None:
    skin = skin_of(video, find_with(finder))
    shares = [float(skin.judged[part].mean()) for part in truth.PARTS]
    cells: list[tuple[float, float, float] | None] = []
    marks = []
    for follow in asked.follow:
        document = extracted(video, finder, sample_rate=rate, follow=follow, **settings_of(asked))
        if document is None:
            print(f"| {name} | no timeline | " + "– | " * (2 * len(asked.follow) + 1))
            return None
        reading = Reading(spoilt(document, *asked.spoil))
        for part in truth.PARTS:
            tracked = reading.is_tracked(skin.truth.times_ms)
            score = lock(skin.truth, reading, part, skin.judged[part] & tracked)
            cells.append(None if score is None else (score.lock_px, score.jitter_px, score.p95_px))
        steps_s = np.diff(skin.truth.times_ms, append=skin.truth.times_ms[-1]) / 1000
        marks.append(
            " ".join(f"{part} {steps_s[on].sum():.2f}" for part in truth.PARTS
                     if (on := reading.hidden(part, skin.truth.times_ms)).any()) or "–"
        )  # fmt: skip
    said = (" / ".join(f"{value:.3f}" for value in cell) if cell else "–" for cell in cells)
    judged = ", ".join(f"{share:.0%}" for share in shares)
    print(f"| {name} | {judged} | " + " | ".join(said) + f" | {'; '.join(marks)} |", flush=True)
    return cells


if __name__ == "__main__":
    sys.exit(main())
