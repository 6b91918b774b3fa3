"""
How well anchors hold: ``python -m bench.accuracy PACKS [--tools FOLDER]``.

Extracts every pack of a folder at sample rates 1 and 3, with and without following the pixels, and
runs the two scoring tools over the timelines: lock_score.py where a pack holds a motion.json, and
stick_score.py where it does not. Packs are copied first; nothing is written into them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from anchord import timeline
from anchord.errors import VideoError
from anchord.model import checked_model
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packs", type=Path, help="a folder of packs, each with an idle.webm")
    parser.add_argument(
        "--tools", type=Path, required=True, help="where lock_score.py and stick_score.py are"
    )
    parser.add_argument("--sample-rate", type=int, action="append", help="repeatable; default: 3 and 1")
    arguments = parser.parse_args()
    finder = FaceFinder(checked_model())
    with tempfile.TemporaryDirectory() as scratch:
        known, real = copied(arguments.packs, Path(scratch))
        for sample_rate in arguments.sample_rate or [3, 1]:
            for follow in ("auto", "landmarks"):
                settings = ExtractSettings(sample_rate=sample_rate, follow=follow)
                name = f"{follow}-{sample_rate}.json"
                for tool, packs in (("lock_score.py", known), ("stick_score.py", real)):
                    if any(packs.iterdir()):
                        print(f"\nsample rate {sample_rate}, follow {follow}: {tool}", flush=True)
                        extracted(packs, name, settings, finder)
                        command = [sys.executable, arguments.tools / tool, packs, "--timeline", name]
                        subprocess.run(command, check=False)
    finder.close()
    return 0


def copied(packs: Path, scratch: Path) -> tuple[Path, Path]:
    """The packs with a known motion, and the others, as two folders."""
    known, real = scratch / "known", scratch / "real"
    for folder in (known, real):
        folder.mkdir()
    for video in sorted(packs.glob("*/idle.webm")):
        is_known = (video.parent / "motion.json").exists()
        shutil.copytree(video.parent, (known if is_known else real) / video.parent.name)
    return known, real


def extracted(packs: Path, name: str, settings: ExtractSettings, finder: FaceFinder) -> None:
    for pack in sorted(packs.iterdir()):
        try:
            with (pack / "idle.webm").open("rb") as stream:
                made = extract(stream, "idle.webm", settings, Limits(), finder)
        except VideoError as error:
            print(f"{pack.name}: {error}")
            continue
        if made.frames:
            (pack / name).write_bytes(timeline.encode(made))


if __name__ == "__main__":
    sys.exit(main())
