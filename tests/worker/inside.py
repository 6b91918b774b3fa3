"""
A real worker whose "extraction" is a few lines of an attacker: ``python inside.py CODE …``.

All else is as in a real one: what it loads, how it is held in, what it may say. Only the function that would
decode the video runs CODE instead, and its answer is what that left in ``told``.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from anchord.errors import VideoError
from anchord.worker import process

PRELUDE = """
import ctypes, errno, mmap, os, resource, signal, socket, threading
from anchord.kernel import capabilities, prctl, system_call
"""

loaded = process._loaded


def loaded_and_taken_over(threads: int, engine: str) -> Any:
    finder = loaded(threads, engine)
    from anchord.tracking import extract

    extract.extract = attacked
    return finder


def attacked(*_arguments: Any, **_named: Any) -> NoReturn:
    told: dict[str, Any] = {}
    exec(code, names | {"told": told})
    raise VideoError(repr(told))


if __name__ == "__main__":
    code = sys.argv.pop(1)
    names: dict[str, Any] = {}
    exec(PRELUDE, names)
    process._loaded = loaded_and_taken_over
    process.main()
