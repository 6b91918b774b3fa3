"""A pack's manifest: as a whole, and what it says of where mouth and eyes lie, in target pixels."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import msgspec
from msgspec import Struct

from anchord.errors import NoInputError, SettingsError
from anchord.files import Folder
from anchord.parsing import check_bounds

NAME = "manifest.json"
MAX_BYTES = 1 << 20
#: As in a timeline: far beyond any target.
_FAR = 1_000_000


class Box(Struct, frozen=True, kw_only=True):
    """An upright box, px of the target, into which the base face is drawn as large as it is."""

    x: float
    y: float
    w: float
    h: float


class Statics(Struct, frozen=True, kw_only=True):
    """Where an overlay lies on the base face."""

    mouth: Box
    eyes: Box

    def sha256(self) -> str:
        """Digest that is equal where the boxes are."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def whole(folder: Folder) -> dict[str, Any]:
    """
    All that the manifest in *folder* says, for who writes it anew; empty where there is none.

    Raises:
        SettingsError: it is none, or too large or too deep for one.
        FileError, MachineError: it can't be read.
    """
    file = f"{folder.path}/{NAME}"
    try:
        content = folder.read(NAME, at_most=MAX_BYTES)
    except NoInputError:
        return {}
    check_bounds(content, file)
    try:
        found = json.loads(content)
    except ValueError as error:
        raise SettingsError(f"{file}: cannot be read as a manifest: {error}; mend or remove it") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{file}: must be an object such as {{}}; mend or remove it")
    return found


def statics_in(manifest: Any) -> Statics | None:
    """
    The static anchors of a decoded manifest; None where it has not both, or not such as can be followed.

    A page makes do with strange ones, so they are no error.
    """
    boxes = {}
    for part in ("mouth", "eyes"):
        found = manifest.get(part) if isinstance(manifest, dict) else None
        box = _box(found.get("anchor") if isinstance(found, dict) else None)
        if box is None:
            return None
        boxes[part] = box
    return Statics(**boxes)


def _box(anchor: Any) -> Box | None:
    if not isinstance(anchor, dict):
        return None
    values = {}
    for name in ("x", "y", "w", "h"):
        value = anchor.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not math.isfinite(value) or abs(value) > _FAR:
            return None
        values[name] = float(value)
    return Box(**values) if min(values["w"], values["h"]) >= 1 else None
