"""
What a long video costs a worker in memory: ``python -m bench.memory [SECONDS]``, minutes.

A clip of four seconds repeated without being encoded anew, every frame looked at; in a process of its own for
each length, so that one's peak is not another's.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import av

from anchord.demo.film import encode, film
from anchord.model import checked_model
from anchord.settings import ExtractSettings, Limits
from anchord.tracking.extract import extract
from anchord.tracking.faces import FaceFinder

LENGTHS_S = (4, 60, 600)
THREADS = 2
CLIP_S = 4


def main() -> None:
    if sys.argv[1:2] == ["--of"]:
        print(measured(Path(sys.argv[2])))
        return
    lengths = [int(argument) for argument in sys.argv[1:]] or LENGTHS_S
    with tempfile.TemporaryDirectory() as folder:
        clip = encode(Path(folder) / "clip.webm", film())
        for seconds in lengths:
            video = repeated(clip, Path(folder) / f"{seconds}.webm", seconds // CLIP_S)
            command = [sys.executable, "-m", "bench.memory", "--of", str(video)]
            told = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{seconds} s: {told.stdout.strip()}", flush=True)


def repeated(clip: Path, video: Path, times: int) -> Path:
    """A video of the same pictures again and again."""
    with av.open(str(video), "w") as out, av.open(str(clip)) as template:
        stream = out.add_stream_from_template(template.streams.video[0])
        for turn in range(times):
            with av.open(str(clip)) as source:
                time_base = source.streams.video[0].time_base
                assert time_base
                shift = int(turn * CLIP_S / time_base)
                for packet in source.demux(video=0):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    out.mux(packet)
    return video


def measured(video: Path) -> str:
    """The process's peak after one extraction, and what it was before it."""
    finder = FaceFinder(checked_model(), threads=THREADS)
    finder.rehearse()
    before = peak_mib()
    with video.open("rb") as stream:
        made = extract(stream, video.name, ExtractSettings(sample_rate=1), Limits(), finder)
    return f"{made.quality.samples} samples, {peak_mib():.0f} MiB at most, {before:.0f} before"


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
