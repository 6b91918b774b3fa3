"""
Does any film feel a constant? ``python -m bench.mutate MODULE NAME [FACTOR...]``.

Multiplies a constant (by 2 and by 0.5, unless factors are given) in this process and prints which figures of
the films leave their budget::

    python -m bench.mutate anchord.tracking.follow _AGREE --quick
    python -m bench.mutate anchord.tracking.tuning TUNING.min_agree 2 0.5 --only hand speech

NAME may be a number or a tuple of numbers in a module, or a field of a frozen record in it. Ends with 1 where
none of the factors is felt: such a constant is a guess that nobody would miss.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from bench.accuracy import chosen, measured
from testing import budget
from testing.product import face_finder


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
    is_felt = False
    with face_finder() as finder:
        for factor in asked.factors:
            with multiplied(module, asked.name, factor) as (before, after):
                lines = budget.left(measured(chosen(asked), asked.rates, finder), budget.read())
            print(
                f"{asked.module}.{asked.name}: {before} -> {after}: {len(lines)} figures leave their budget"
            )
            print("".join(f"  {line}\n" for line in lines), end="", flush=True)
            is_felt = is_felt or bool(lines)
    return 0 if is_felt else 1


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
