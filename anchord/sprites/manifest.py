"""A pack's manifest.json, made or brought up to date; what is not of the sprites stays as it is. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from anchord import __version__
from anchord.sprite_set import LIDS, SpriteSet

#: Its keys that describe the sprites: whoever changes one of them has made the manifest his own.
_OURS = ("base", "mouth", "eyes", "mapping")
_MAKER = "anchord sprites"


def manifest(
    made: SpriteSet,
    files: Mapping[str, bytes],
    before: Mapping[str, Any],
    *,
    avatar_id: str,
    video: str,
    target: tuple[int, int],
    has_pupils: bool = False,
) -> bytes:
    """
    The file.

    Args:
        made: the sprites.
        files: their pictures, whose digest is the pack's new version: pages keep pictures for long.
        before: the manifest that is there; empty where there is none.
        avatar_id: the folder's name.
        video: the idle clip's file name.
        target: width and height that anchors are in.
        has_pupils: whether the eyes may be shifted, to look about.
    """
    digest = hashlib.sha256(
        b"".join(hashlib.sha256(files[name]).digest() for name in sorted(files))
    ).hexdigest()
    light = dict(zip("rgb", (round(share, 4) for share in made.light), strict=True))
    sprites = {
        "base": {
            "type": "image",
            "src": "base_face.png",
            "width": target[0],
            "height": target[1],
            "idleVideo": video,
        },
        "mouth": {
            "spritesheet": "mouth_sprites.png",
            "mask": "mouth_mask.png",
            "frameWidth": made.mouth.width,
            "frameHeight": made.mouth.height,
            "visemes": list(made.visemes),
            "anchor": _anchor(made.mouth.anchor),
            "light": light,
            "featherPx": 2,
            "blendMode": "normal",
        },
        "eyes": {
            "frames": {lid: f"eyes_{lid}.png" for lid in LIDS},
            "mask": "eyes_mask.png",
            "anchor": _anchor(made.eyes.anchor),
            "light": light,
            "pupil": {"enabled": has_pupils, "maxOffsetX": 4, "maxOffsetY": 2},
            "featherPx": 2,
            "blendMode": "normal",
        },
        "mapping": {viseme: viseme for viseme in made.visemes},
    }
    # Keys keep their places, so that the same pictures give the same file.
    kept = {key: value for key, value in before.items() if key not in ("generator", "idleVideo")}
    whole = {
        "id": avatar_id,
        "displayName": avatar_id,
        **kept,
        "version": digest[:12],
        **sprites,
        "microMotion": before.get(
            "microMotion",
            {
                "enabled": True,
                "headBobAmplitude": 1.5,
                "headBobFrequency": 0.2,
                "breathingScale": 0.003,
                "breathingFrequency": 0.25,
            },
        ),
    }
    whole["generator"] = {"name": _MAKER, "version": __version__, "sha256": _digest(whole)}
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


def is_own(content: Mapping[str, Any]) -> bool:
    """Whether what a manifest says of sprites was written here, and by nobody since."""
    maker = content.get("generator")
    return isinstance(maker, dict) and maker.get("name") == _MAKER and maker.get("sha256") == _digest(content)


def _digest(content: Mapping[str, Any]) -> str:
    told = json.dumps({key: content.get(key) for key in _OURS}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _anchor(box: Any) -> dict[str, float]:
    return {name: getattr(box, name) for name in ("x", "y", "w", "h", "roll")}
