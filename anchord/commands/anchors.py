"""A pack's static anchors: shown, or written into its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from anchord import packs
from anchord.errors import SettingsError
from anchord.files import Folder
from anchord.manifest import NAME, Box, statics_in, whole


def put(root: Path, pack_id: str, boxes: Mapping[str, str | None], depth: int = 1) -> list[str]:
    """
    Write anchors into a pack's manifest, and say which it has then.

    Args:
        root: the avatars root.
        pack_id: the pack.
        boxes: mouth and eyes as ``cx,cy,w,h`` in target pixels; None leaves one as it is.
        depth: 1 where packs lie in the root, 2 where they lie in its folders.

    Returns:
        lines for a person.

    Raises:
        AnchordError: there is no such pack, a box or the manifest can't be read, or it can't be written.
    """
    given = {part: _box(part, text) for part, text in boxes.items() if text is not None}
    with Folder(packs.pack_called(root, pack_id, depth).folder) as folder:
        file = f"{folder.path}/{NAME}"
        manifest = whole(folder)
        for part, box in given.items():
            section = manifest.setdefault(part, {})
            if not isinstance(section, dict):
                raise SettingsError(f"{file}: {part}: must be an object such as {{}}; mend it first")
            old = section.get("anchor")
            section["anchor"] = (old if isinstance(old, dict) else {}) | box
        if given:
            written = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
            folder.write(NAME, written.encode("utf-8", "surrogatepass"))
    statics = statics_in(manifest)
    if statics is None:
        return [f"pack {pack_id}: not both of mouth.anchor and eyes.anchor are in {NAME}"]
    both = (("mouth", statics.mouth), ("eyes", statics.eyes))
    return [f"pack {pack_id}: {part} {_shown(box)}" for part, box in both]


def _shown(box: Box) -> str:
    values = (box.x + box.w / 2, box.y + box.h / 2, box.w, box.h)
    return ",".join(f"{value:g}" for value in values)


def _box(part: str, text: str) -> dict[str, float]:
    fields = text.split(",")
    try:
        cx, cy, w, h = (float(field) for field in fields)
    except ValueError:
        raise SettingsError(
            f"--{part} {text!r}: must be four numbers: middle from the left, middle from the top, width and "
            "height, such as 256,460,160,120"
        ) from None
    box = {"x": cx - w / 2, "y": cy - h / 2, "w": w, "h": h}
    if statics_in({"mouth": {"anchor": box}, "eyes": {"anchor": box}}) is None:
        raise SettingsError(f"--{part} {text!r}: width and height must be 1 or more, all within a picture")
    return {name: int(value) if value == int(value) else round(value, 3) for name, value in box.items()}
