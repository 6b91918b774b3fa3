"""The few rows of all figures that README quotes."""

from __future__ import annotations

import numpy as np

from testing.figures import Figures, group_of
from testing.making import Film


class _Many(list[float]):
    """Figures of many films that are written as their largest, root mean square, or sum."""

    def __format__(self, how: str) -> str:
        kind, _, form = how.partition(",")
        values = np.array(self)
        shown = {"worst": values.max(), "rms": np.sqrt((values**2).mean()), "sum": values.sum()}[kind]
        return format(float(shown), form)


# Title, groups of films, figures, how they are written.
_SUMMARY = (
    (
        "motion: off the face's point, px: worst film, rms",
        ("motion",),
        ("lock", "lock"),
        "{:worst,.2f}, {:rms,.2f}",
    ),
    ("its change from frame to frame: worst film", ("motion",), ("jitter",), "{:worst,.2f}"),
    (
        "lag, frames; jump at the loop's end, px; wobble of the size, %: worst film",
        ("motion",),
        ("lag", "seam", "wobble"),
        "{:worst,.2f}; {:worst,.2f}; {:worst,.2f}",
    ),
    ("speech, smiles: off, px: worst film, rms", ("speech",), ("lock", "lock"), "{:worst,.2f}, {:rms,.2f}"),
    (
        "turns to 25 degrees: off, px: worst film, rms",
        ("turns",),
        ("lock", "lock"),
        "{:worst,.2f}, {:rms,.2f}",
    ),
    ("speech and turns: seconds falsely marked as hidden", ("speech", "turns"), ("false",), "{:sum,.1f}"),
    ("hands: missed; seconds falsely marked", ("hands",), ("missed", "false"), "{:sum,.0f}; {:sum,.1f}"),
    ("drawn avatars: off, px: worst film, rms", ("drawn",), ("lock", "lock"), "{:worst,.2f}, {:rms,.2f}"),
    ("drawn avatars: share of frames without anchors: worst film", ("drawn",), ("missing",), "{:worst,.2f}"),
)


def summary(found: dict[tuple[str, int], Figures], films: tuple[Film, ...], rates: list[int]) -> None:
    """Print them as a table of Markdown."""

    def values(groups: tuple[str, ...], rate: int, name: str) -> list[float]:
        own = (found[film.name, rate] for film in films if group_of(film) in groups)
        return [figures[name] for figures in own if name in figures]

    def cell(groups: tuple[str, ...], rate: int, names: tuple[str, ...], form: str) -> str:
        said = [_Many(values(groups, rate, name)) for name in names]
        return form.format(*said) if all(said) else "–"

    print("\n### summary\n")
    print("| | " + " | ".join(f"sample rate {rate}" for rate in rates) + " |")
    print("|---|" + "---|" * len(rates))
    for title, groups, names, form in _SUMMARY:
        print(f"| {title} | " + " | ".join(cell(groups, rate, names, form) for rate in rates) + " |")
