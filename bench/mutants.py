"""
Would a test notice? ``python -m bench.mutants [ROOM...] [--each N] [--seed S]``.

Breaks service and hall in one place at a time, as mutmut and cosmic-ray do, and runs the tests of that room
(those that mirror it, and those that MORE names): a mutant that they let through is printed. Works on a copy
of what is committed. Rooms are files below ``anchord/``; by default all of service and hall that have such
tests; of each so many mutants are drawn by lot.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[1]
#: Tests of a room beside those in the file of its name.
MORE = {
    "guard.py": ["tests/test_errors.py"],
    "errors.py": ["tests/test_errors.py"],
    "manifest.py": ["tests/test_settings.py"],
    "placing.py": ["tests/preview/test_dressing.py"],
    "log.py": ["tests/service/test_telling.py"],
    "advice.py": ["tests/test_advice.py"],
    "service/runner.py": ["tests/service/test_verdicts.py"],
}
# A mutant that goes round in circles is found out by this; a good run takes a tenth of it.
_LIMIT_S = 120.0

# Tests that take longer start daemons or workers: a mutant more would be minutes.
_SLOW_S = 25.0

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "/",
    ast.BitOr: "&",
    ast.BitAnd: "|",
}


class Mutant(NamedTuple):
    """A place in a room's text, what stands there, and what is put there instead."""

    line: int
    start: int
    end: int
    text: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every way to break a room's text in one place. Texts, types and docstrings are left alone."""
    tree = ast.parse(source)
    lines = source.encode().splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return offsets[node.lineno - 1] + node.col_offset, offsets[node.end_lineno - 1] + node.end_col_offset

    def text(node: ast.expr) -> str:
        start, end = span(node)
        return source.encode()[start:end].decode()

    for node in _statements(tree):
        for new in _changed(node, text):
            start, end = span(node)
            yield Mutant(node.lineno, start, end, new)


def _statements(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Every node but annotations and what is only for the type checker."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.expr | ast.stmt):
            yield child
        for name, field in ast.iter_fields(child):
            if name in ("annotation", "returns", "type_params", "decorator_list"):
                continue
            for inner in field if isinstance(field, list) else [field]:
                if isinstance(inner, ast.AST):
                    holder = ast.Module(body=[], type_ignores=[])
                    holder.body = [inner]  # type: ignore[list-item]
                    yield from _statements(holder)


def _changed(node: ast.AST, text: object) -> Iterator[str]:
    assert callable(text)
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            yield f"({text(left)} {_COMPARISONS[type(op)]} {text(right)})"
        case ast.BoolOp(op=op, values=values):
            word = " or " if isinstance(op, ast.And) else " and "
            yield f"({word.join(f'({text(value)})' for value in values)})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC and not _is_text(node):
            yield f"(({text(left)}) {_ARITHMETIC[type(op)]} ({text(right)}))"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({text(operand)})"
        case ast.Constant(value=bool() as value):
            yield str(not value)
        case ast.Constant(value=int() | float() as value):
            yield str(value + 1)
        case ast.IfExp(test=test, body=body, orelse=other):
            yield f"({text(other)} if {text(test)} else {text(body)})"
        case ast.Return(value=ast.expr() as value) if text(value) != "None":
            yield "return None"
        case ast.Expr(value=ast.Call()):
            yield "pass"
        case ast.Raise():
            yield "pass"


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(part, ast.JoinedStr) or isinstance(getattr(part, "value", None), str | bytes)
               for part in (node.left, node.right))  # fmt: skip


def room_tests(room: str) -> list[str]:
    """The test files of a room, as paths below the source."""
    path = Path(room)
    mirrored = Path("tests") / path.parent / f"test_{path.stem}.py"
    found = [str(mirrored)] if (SOURCE / mirrored).exists() else []
    return sorted({*found, *MORE.get(room, ())})


def passes(copy: Path, tests: list[str]) -> bool:
    """Whether all of them pass; what takes too long does not."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def judged(room: str, copy: Path, each: int, seed: int) -> tuple[int, list[str]]:
    """How many mutants of a room were tried, and those that no test noticed."""
    file = copy / "anchord" / room
    source, tests = file.read_text(), room_tests(room)
    every = list(mutants(source))
    drawn = sorted(random.Random(f"{seed}{room}").sample(every, min(each, len(every))))
    survivors = []
    for mutant in drawn:
        content = source.encode()
        file.write_bytes(content[: mutant.start] + mutant.text.encode() + content[mutant.end :])
        if passes(copy, tests):
            was = content[mutant.start : mutant.end].decode().splitlines()[0]
            survivors.append(f"{room}:{mutant.line}: {was} -> {mutant.text}")
    file.write_text(source)
    return len(drawn), survivors


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rooms", nargs="*")
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    house = SOURCE / "anchord"
    files = [*house.glob("*.py"), *(house / "service").rglob("*.py")]
    rooms = asked.rooms or sorted(str(file.relative_to(house)) for file in files)
    total = killed = 0
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=SOURCE, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", copy], input=archive.stdout, check=True)
        for room in rooms:
            tests = room_tests(room)
            started_s = time.monotonic()
            if not any(mutants((copy / "anchord" / room).read_text())):
                continue
            if not tests or not passes(copy, tests):
                print(f"{room}: {'its tests fail, or take too long' if tests else 'no tests of its own'}")
                continue
            once_s = time.monotonic() - started_s
            if once_s > _SLOW_S:
                print(f"{room}: left out, its tests take {once_s:.0f} s", flush=True)
                continue
            count, survivors = judged(room, copy, asked.each, asked.seed)
            total, killed = total + count, killed + count - len(survivors)
            print(f"{room}: {count - len(survivors)} of {count} noticed ({once_s:.1f} s a run)", flush=True)
            print("".join(f"  {line}\n" for line in survivors), end="", flush=True)
    print(f"{killed} of {total} noticed: {killed / max(total, 1):.0%}")


if __name__ == "__main__":
    main()
