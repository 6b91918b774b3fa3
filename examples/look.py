"""
Look into a video's timeline, step by step: ``python look.py VIDEO``.

Cells are marked as editors know them (``# %%``), so that it can be gone through like a notebook.
"""

# %% What is in the video
import sys
from pathlib import Path
from statistics import median

from anchord import anchor_at, extract

video = Path(sys.argv[1])
timeline = extract(video, include=["pose", "signals"])
quality = timeline.quality
print(f"{video.name}: {timeline.source.frame_count} frames, {timeline.source.duration_ms / 1000:.1f} s")
print(f"a face in {quality.coverage:.0%} of {quality.samples} samples, jitter {quality.jitter_px} px")
for warning in quality.warnings:
    print(f"  {warning.code}: {warning.message}")

# %% Where the mouth is while it plays, at 60 Hz, just where the page would draw it
start, duration = timeline.source.start_ms, timeline.source.duration_ms
times = [start + i * 1000 / 60 for i in range(round(duration * 60 / 1000))]
places = [anchor_at(timeline, "mouth", time) for time in times]
seen = [place for place in places if place is not None]
print(f"in sight for {len(seen)} of {len(times)} moments")
if seen:
    print(f"across {min(p.cx for p in seen):.1f} to {max(p.cx for p in seen):.1f} px, "
          f"down {min(p.cy for p in seen):.1f} to {max(p.cy for p in seen):.1f} px, "
          f"roll {median(p.roll for p in seen):.1f} degrees")  # fmt: skip

# %% When the eyes are shut
shut = [
    sample.time_ms
    for sample in timeline.frames
    if sample.signals and max(sample.signals.eye_open_left, sample.signals.eye_open_right) < 0.25
]
print(f"eyes shut at {', '.join(f'{time / 1000:.2f} s' for time in shut) or 'no sample'}")
