"""
Pin mouth and eye overlays to the face of an avatar's idle video.

::

    from anchord import anchor_at, extract

    timeline = extract("idle.webm")
    mouth = anchor_at(timeline, "mouth", 1234.5)

Importing this loads none of it: each name is fetched when it is first asked for, and NumPy, the decoder and
the face model are loaded by the worker process alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anchord.errors import AnchordError as AnchordError
    from anchord.errors import VideoError as VideoError
    from anchord.library import Extractor as Extractor
    from anchord.library import extract as extract
    from anchord.library import read_timeline as read_timeline
    from anchord.reading import anchor_at as anchor_at
    from anchord.timeline import Anchor as Anchor
    from anchord.timeline import Timeline as Timeline

__version__ = "0.1.0"

_ROOMS = {
    "Anchor": "timeline",
    "AnchordError": "errors",
    "Extractor": "library",
    "Timeline": "timeline",
    "VideoError": "errors",
    "anchor_at": "reading",
    "extract": "library",
    "read_timeline": "library",
}

__all__ = [
    "Anchor",
    "AnchordError",
    "Extractor",
    "Timeline",
    "VideoError",
    "__version__",
    "anchor_at",
    "extract",
    "read_timeline",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
