"""The settings that hold, where they came from, and what is in the way of the daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from anchord import packs
from anchord.errors import RootError
from anchord.model import MODEL_FILE, checked_model
from anchord.settings import PackSettings, Settings, pack_settings


def findings(settings: Settings, root: Path, pack_id: str | None) -> Iterator[str]:
    """
    Lines for a person: settings of one pack or of all, then what was checked.

    Raises:
        AnchordError: the first thing that is in the way.
    """
    checked_model()
    if pack_id is None:
        found = packs.find_packs(root)
        origins = {key.removeprefix("extract."): source for key, source in settings.origins.items()}
        yield from _table(PackSettings(extract=settings.extract, origins=origins))
    else:
        found = [packs.pack_called(root, pack_id)]
        yield from _table(pack_settings(settings, pack_id, Path(found[0].folder)))
    for pack in found:
        pack_settings(settings, pack.id, Path(pack.folder))
        if not os.access(pack.folder, os.R_OK | os.W_OK | os.X_OK):
            raise RootError(f"{pack.folder}: cannot be read and written by this user; mend its owner or mode")
    yield f"model {MODEL_FILE.name}: whole"
    yield f"root {root}: {len(found)} pack{'s' if len(found) != 1 else ''} readable and writable"


def _table(settings: PackSettings) -> Iterator[str]:
    """Key, value, where it came from."""
    values = {"video": settings.video, "output": settings.output} | msgspec.structs.asdict(settings.extract)
    for key, value in values.items():
        yield f"{key:16} {value!r:28} {settings.origins.get(key, 'default')}"
