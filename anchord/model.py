"""The face model's file, which travels in the package, and whether it is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from anchord.errors import ModelError

#: The model that this version was made for; a timeline made with another one is stale.
MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"

MODEL_FILE = Path(__file__).parent / "tracking" / "models" / "face_landmarker.task"


def checked_model(file: Path = MODEL_FILE) -> bytes:
    """
    The content of the face model's file.

    Raises:
        ModelError: it is missing, or not the file this version was made for.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{file}: the face model cannot be read: {error.strerror}; it should be the file with SHA-256 "
            f"{MODEL_SHA256}: install anchord again"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != MODEL_SHA256:
        raise ModelError(
            f"{file}: is not the face model of this version: its SHA-256 is {found}, "
            f"it should be {MODEL_SHA256}; install anchord again"
        )
    return content
