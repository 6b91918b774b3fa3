"""The settings that hold, where they came from, and what is in the way of the daemon."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from anchord import packs, timeline
from anchord.errors import AnchordError, MachineError, NoInputError, SettingsError
from anchord.files import Folder
from anchord.guard import guarded_within
from anchord.manifest import NAME as MANIFEST_NAME
from anchord.model import MODEL_FILE, checked_model
from anchord.packs import Pack
from anchord.settings import NO_STATICS, PackSettings, Settings
from anchord.shard import Shard


def findings(settings: Settings, root: Path, pack_id: str | None) -> Iterator[str]:
    """
    Lines for a person: settings of one pack or of all, then what was checked.

    Raises:
        AnchordError: the model or the root is not as it should be; the pack that was asked for is not; or,
            after a line for each, some packs are not.
    """
    checked_model()
    if pack_id is None:
        found = packs.find_packs(root, settings.depth, Shard.of(settings.shard))
        origins = {key.removeprefix("extract."): source for key, source in settings.origins.items()}
        yield from _table(PackSettings(extract=settings.extract, origins=origins))
    else:
        found = [packs.pack_called(root, pack_id, settings.depth)]
    wrong = 0
    for pack in found:
        outcome = guarded_within(partial(_checked, settings, pack), pack.folder)
        if isinstance(outcome, AnchordError):
            if pack_id is not None:
                raise outcome
            wrong += 1
            yield f"pack {pack.id}: {outcome}"
        else:
            chosen, hint = outcome
            if pack_id is not None:
                yield from _table(chosen)
            if hint:
                yield f"pack {pack.id}: {hint}"
    yield f"model {MODEL_FILE.name}: whole"
    yield f"root {root}: {len(found) - wrong} of {_count(len(found))} readable and writable"
    if wrong:
        raise SettingsError(f"{root}: {_count(wrong)} cannot be worked on, see above")


def _checked(settings: Settings, pack: Pack) -> tuple[PackSettings, str]:
    """The settings that hold for a pack, and what to say of its video; empty: nothing."""
    if not os.access(pack.folder, os.R_OK | os.W_OK | os.X_OK):
        raise MachineError(f"{pack.folder}: cannot be read and written by this user; mend its owner or mode")
    made: timeline.Head | None = None
    with Folder(pack.folder) as folder:
        chosen = packs.chosen(settings, pack.id, folder)
        folder.check_output(chosen.output)
        # The daemon reads what is there, to know whether it holds.
        with contextlib.suppress(NoInputError), folder.open(chosen.output) as stream:
            made = timeline.head(stream)
        if folder.look(chosen.video) is None:
            return chosen, packs.missing_video(folder, chosen)
        folder.open(chosen.video).close()
    quality = made.quality if made else None
    # Where a face is hardly found, and static anchors would be asked if there were any.
    if (
        isinstance(quality, timeline.Quality)
        and quality.asks_statics(chosen.extract.follow)
        and not chosen.statics
    ):
        found = f"a face was found in {quality.faces} of {quality.samples} samples, and "
        return chosen, found + NO_STATICS.format(MANIFEST_NAME)
    return chosen, ""


def _count(count: int) -> str:
    return f"{count} pack{'' if count == 1 else 's'}"


def _table(settings: PackSettings) -> Iterator[str]:
    """Key, value, where it came from."""
    values = {"video": settings.video, "output": settings.output} | msgspec.structs.asdict(settings.extract)
    for key, value in values.items():
        yield f"{key:16} {value!r:28} {settings.origins.get(key, 'default')}"
