"""
All videos below a folder, several at once: ``python batch.py FOLDER``.

Each thread keeps a worker process of its own, so that models are loaded once and a video that brings its
worker down costs no other. Timelines are written beside the videos.
"""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from anchord import AnchordError, Extractor
from anchord.atomic import write_atomically
from anchord.timeline import encode

SUFFIXES = (".webm", ".mp4", ".mov", ".m4v", ".mkv")

_own = threading.local()


def start() -> None:
    """In each thread, once. The worker ends with the thread."""
    _own.extractor = Extractor()


def work(video: Path) -> str:
    """One video; what became of it."""
    timeline = _own.extractor.extract(video)
    file = video.with_name(f"{video.name}.anchors.json")
    # All or nothing: a page never reads half a file.
    write_atomically(file, encode(timeline))
    return f"coverage {timeline.quality.coverage:.1%} -> {file.name}"


def main(folder: Path) -> Iterator[str]:
    """A line for each video, in the order in which they are done."""
    videos = sorted(file for file in folder.rglob("*") if file.suffix in SUFFIXES)
    with ThreadPoolExecutor(max_workers=os.cpu_count(), initializer=start) as pool:
        jobs = {pool.submit(work, video): video for video in videos}
        for job in as_completed(jobs):
            try:
                yield f"{jobs[job]}: {job.result()}"
            except AnchordError as error:
                yield f"{jobs[job]}: {error}"


if __name__ == "__main__":
    for line in main(Path(sys.argv[1])):
        print(line, flush=True)
