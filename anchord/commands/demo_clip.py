"""An idle clip for who has none at hand: the sample's portrait, breathing, as a video file."""

from __future__ import annotations

from pathlib import Path

from anchord.atomic import write_through
from anchord.demo.film import clip
from anchord.errors import ExistingFilesError, SettingsError
from anchord.printable import printable

_CODECS = {".webm": "libvpx-vp9", ".mp4": "libx264"}

#: Seconds; the film closes its loop after them.
SECONDS = 4.0


def write_demo_clip(target: str, *, fps: float, force: bool) -> None:
    """
    Film the sample's portrait and put the clip where *target* says.

    Args:
        target: a file, .webm or .mp4; folders above it that are missing are made.
        fps: frames a second.
        force: replace what is there already.

    Raises:
        SettingsError: another kind of file.
        ExistingFilesError: there is one, and *force* was not given.
        OutputError: it can't be written.
    """
    file = Path(target)
    if (codec := _CODECS.get(file.suffix.lower())) is None:
        raise SettingsError(f"{printable(target)}: name a file that ends in {' or '.join(_CODECS)}")
    if file.is_file() and not force:
        raise ExistingFilesError(f"{printable(target)} is there already; nothing was done: add --force")
    content = clip(file.suffix.lower(), codec=codec, fps=fps, seconds=SECONDS)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_through(target, content)
