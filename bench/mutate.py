"""
Does any film feel a constant? ``python -m bench.mutate MODULE NAME [FACTOR...]``.

Multiplies a constant (by 2 and by 0.5, unless factors are given) in this process and prints which figures of
the films leave what they are without that, as a row of Markdown::

    python -m bench.mutate anchord.tracking.tuning TUNING.seen --quick
    python -m bench.mutate anchord.tracking.tuning TUNING --rates 3 --only fast gap look_around_astronaut

NAME may be a number or a tuple of numbers in a module, a field of a frozen record in it, or such a record,
which is all of its fields, one after the other: hours. Ends with 1 where a constant is felt by none of the
factors: it is a guess that nobody would miss.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import dataclasses
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from anchord.model import checked_model
from bench.accuracy import chosen, measured
from testing import budget
from testing.product import RememberingFinder


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module")
    parser.add_argument("name")
    parser.add_argument("factors", type=float, nargs="*", default=[2.0, 0.5])
    parser.add_argument("--quick", action="store_true", help="only the films of every test run")
    parser.add_argument("--only", nargs="+", help="films whose name begins so")
    parser.add_argument("--rates", type=int, nargs="+", default=[3, 1], help="sample rates")
    asked = parser.parse_args()
    module = importlib.import_module(asked.module)
    is_each_felt = True
    with contextlib.closing(RememberingFinder(checked_model())) as finder:
        usual = measured(chosen(asked), asked.rates, finder)
        limits = {
            (film, rate, figure): budget.most(figure, value)
            for (film, rate), found in usual.items()
            for figure, value in found.items()
        }
        print("| constant | value | " + " | ".join(f"times {factor:g}" for factor in asked.factors) + " |")
        print("|---|---|" + "---|" * len(asked.factors))
        for name in _names(module, asked.name):
            cells = []
            for factor in asked.factors:
                with multiplied(module, name, factor) as (before, _):
                    cells.append(budget.left(measured(chosen(asked), asked.rates, finder), limits))
            print(
                f"| `{name.rpartition('.')[2]}` | {before} | " + " | ".join(map(_said, cells)) + " |",
                flush=True,
            )
            is_each_felt = is_each_felt and any(cells)
    return 0 if is_each_felt else 1


def _names(module: ModuleType, name: str) -> list[str]:
    record = getattr(module, name.partition(".")[0])
    if "." in name or not dataclasses.is_dataclass(record):
        return [name]
    return [f"{name}.{field.name}" for field in dataclasses.fields(record)]


def _said(lines: list[str]) -> str:
    return f"{len(lines)}: {lines[0].split(', ')[0].replace(' at rate ', ', ')}" if lines else "–"


@contextmanager
def multiplied(module: ModuleType, name: str, factor: float) -> Iterator[tuple[Any, Any]]:
    """
    *name* of *module* times *factor*, for a while, wherever the module's constant has been imported to.

    Yields:
        The value before and in the meantime.
    """
    record, _, field = name.partition(".")
    whole = getattr(module, record)
    before = getattr(whole, field) if field else whole
    after = _times(before, factor)
    changed = _replaced(whole, field, after) if field else after
    # `from tuning import TUNING` gives every room a name of its own for it. Small numbers are one object
    # wherever they stand, so those are known by their name as well.
    places = [
        (room, key)
        for room in list(sys.modules.values())
        if isinstance(room, ModuleType) and room.__name__.startswith(("anchord.", module.__name__))
        for key, value in list(vars(room).items())
        if key == record and value is whole
    ]
    for room, key in places:
        setattr(room, key, changed)
    try:
        yield before, after
    finally:
        for room, key in places:
            setattr(room, key, whole)


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_times(each, factor) for each in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SystemExit(f"{value!r} is no number")
    # A count stays one, and changes.
    return type(value)(value * factor) if isinstance(value, float) else max(round(value * factor), 0)


def _replaced(record: Any, field: str, value: Any) -> Any:
    """A copy of a frozen record, with one field changed: a dataclass, or a struct of msgspec."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return dataclasses.replace(record, **{field: value})
    changed = copy.copy(record)
    object.__setattr__(changed, field, value)
    return changed


if __name__ == "__main__":
    sys.exit(main())
