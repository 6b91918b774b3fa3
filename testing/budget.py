"""
The budget: how large each figure may be, one line a figure, ``film rate figure most``.

``python -m bench.accuracy --write`` writes what was measured, with a margin, for a person to look at the
difference; a figure that grows beyond its line makes ``make accuracy`` and the tests fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from testing.figures import FIGURES

BUDGET_FILE = Path(__file__).parents[1] / "bench" / "accuracy.budget"

#: Film and sample rate -> figures.
Measured = Mapping[tuple[str, int], Mapping[str, float]]
Budget = dict[tuple[str, int, str], float]

# Other processors round otherwise: figures of the same code differ by some percent, and these least steps.
_MARGIN = 1.15
_LEAST = {
    "missing": 0.005,
    "lock": 0.01,
    "straight": 0.01,
    "jitter": 0.005,
    "lag": 0.02,
    "seam": 0.01,
    "wobble": 0.02,
    "roll": 0.01,
    "off": 0.1,
    "missed": 0.0,
    "late": 0.05,
    "overlong": 0.05,
    "false": 0.05,
    "ghost": 0.01,
}


def read(file: Path = BUDGET_FILE) -> Budget:
    """The lines of a budget file."""
    budget: Budget = {}
    for line in file.read_text().splitlines():
        fields = line.split("#")[0].split()
        if fields:
            film, rate, figure, most = fields
            budget[film, int(rate), figure] = float(most)
    return budget


def left(measured: Measured, budget: Budget) -> list[str]:
    """
    A line for each figure of what was measured that leaves its budget, has none, or can't be told.

    Sample rates that no line names are not judged.
    """
    said = []
    rates = {rate for _, rate, _ in budget}
    for (film, rate), found in measured.items():
        if rate not in rates:
            continue
        asked = {figure: most for (name, at, figure), most in budget.items() if (name, at) == (film, rate)}
        for figure in FIGURES:
            if figure in asked and figure not in found:
                said.append(f"{film} at rate {rate}: {figure} can't be told, {asked[figure]:g} is its budget")
            elif figure in found and figure not in asked:
                said.append(f"{film} at rate {rate}: {figure} is {found[figure]:.3f} and has no budget")
            elif figure in found and found[figure] > asked[figure]:
                said.append(
                    f"{film} at rate {rate}: {figure} is {found[figure]:.3f}, {asked[figure]:g} is its budget"
                )
    return said


def most(figure: str, value: float) -> float:
    """The budget of a figure that was measured."""
    return round(value if figure == "missed" else value * _MARGIN + _LEAST[figure], 3)


def write(measured: Measured, file: Path = BUDGET_FILE) -> None:
    """Put what was measured into the file, beside the lines of what was not."""
    budget = read(file) if file.exists() else {}
    for (film, rate), found in measured.items():
        budget = {key: most for key, most in budget.items() if key[:2] != (film, rate)}
        for figure, value in found.items():
            budget[film, rate, figure] = most(figure, value)
    order = list(FIGURES)
    keys = sorted(budget, key=lambda key: (key[0], key[1], order.index(key[2])))
    lines = [f"{film} {rate} {figure} {budget[film, rate, figure]:g}" for film, rate, figure in keys]
    meaning = [f"# {name}: {text}" for name, text in FIGURES.items()]
    head = ["# film, sample rate, figure, the most that it may be; see testing/budget.py", *meaning]
    file.write_text("\n".join([*head, *lines, ""]))
