"""The order of the steps from a video to its Timeline."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from io import BufferedReader

import numpy as np
from numpy.typing import NDArray

from anchord import __version__, timeline
from anchord.model import MODEL_SHA256
from anchord.packs import FileKey
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Anchor, Sample, Timeline
from anchord.tracking import anchors, quality, smooth
from anchord.tracking.anchors import AnchorTrack
from anchord.tracking.faces import Face, FaceFinder
from anchord.tracking.facts import VideoFacts
from anchord.tracking.video import Frame, Video


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was seen in one sampled frame."""

    index: int
    time_ms: float
    face: Face | None
    look: quality.Look


def extract(
    stream: BufferedReader,
    name: str,
    settings: ExtractSettings,
    limits: Limits,
    finder: FaceFinder,
    *,
    on_progress: Callable[[int, int], None] = lambda done, expected: None,
) -> Timeline:
    """
    The timeline of one video.

    Args:
        stream: the video file, opened for reading.
        name: its file name, as it stands in the timeline.
        settings: what shapes the timeline.
        limits: what is over one of them is refused.
        finder: finds faces; kept by the caller, since it is costly to make.
        on_progress: called with frames decoded and frames expected (0: unknown).

    Raises:
        VideoError: the video can't be used.
    """
    key = FileKey.of_opened(stream)
    with Video(stream=stream, name=name, limits=limits, threads=finder.threads) as video:
        samples = list(_looked(video, settings.sample_rate, finder, on_progress))
        facts = video.facts()
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return _timeline(name, key, digest, settings, facts, samples)


def _looked(
    video: Video, sample_rate: int, finder: FaceFinder, on_progress: Callable[[int, int], None]
) -> Iterator[Looked]:
    """Decode here, look for faces in threads, and hold no more pictures than keep them busy."""
    expected = video.frames_expected
    waiting: deque[Future[Looked]] = deque()
    try:
        for frame in video.frames():
            on_progress(frame.index + 1, expected)
            if frame.index % sample_rate:
                continue
            waiting.append(finder.submit(partial(_look, finder, frame)))
            if len(waiting) > 2 * finder.threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _look(finder: FaceFinder, frame: Frame) -> Looked:
    pixels = frame.rgb()
    found = finder.find(pixels)
    face = _most_prominent(found, frame.width, frame.height)
    # Every 8th pixel says enough about how light it is.
    brightness = float(pixels[::8, ::8].mean())
    height = margin = None
    if face is not None:
        height = face.height_px / frame.height
        low, high = face.landmarks.min(axis=0), face.landmarks.max(axis=0)
        margin = float(min(*low, frame.width - high[0], frame.height - high[1])) / face.height_px
    look = quality.Look(
        time_ms=frame.time_ms, brightness=brightness, faces=len(found), height=height, margin=margin
    )
    return Looked(index=frame.index, time_ms=frame.time_ms, face=face, look=look)


def _most_prominent(found: list[Face], width: int, height: int) -> Face | None:
    """The largest and most central face; MediaPipe's own order means nothing."""
    middle = np.array([width, height]) / 2

    def prominence(face: Face) -> float:
        away = float(np.hypot(*(face.landmarks.mean(axis=0) - middle))) / float(np.hypot(*middle))
        return face.height_px * (1 - away / 2)

    return max(found, key=prominence, default=None)


def _timeline(
    name: str,
    key: FileKey,
    digest: str,
    settings: ExtractSettings,
    facts: VideoFacts,
    samples: list[Looked],
) -> Timeline:
    looks = [sample.look for sample in samples]
    has_face = np.array([sample.face is not None for sample in samples])
    times_ms = np.array([sample.time_ms for sample in samples])
    covered = smooth.coverage(times_ms, has_face, max_gap_ms=settings.max_gap_ms)
    return Timeline(
        source=timeline.Source(
            video=name,
            fps=facts.timing.fps,
            frame_count=facts.frame_count,
            width=facts.width,
            height=facts.height,
            sample_every_n_frames=settings.sample_rate,
            duration_ms=facts.timing.duration_ms,
            start_ms=facts.timing.start_ms,
            variable_frame_rate=facts.timing.variable_frame_rate,
            rotation=facts.rotation,
            alpha=facts.alpha,
            codec=facts.codec,
            size=key.size,
            mtime_us=key.mtime_us,
            sha256=digest,
        ),
        target=timeline.Target(width=settings.target_width, height=settings.target_height, fit=settings.fit),
        config=timeline.Config(
            mouth_padding=settings.mouth_padding,
            eyes_padding=settings.eyes_padding,
            precision=settings.precision,
            max_gap_ms=settings.max_gap_ms,
        ),
        generator=timeline.Generator(
            name="anchord",
            version=__version__,
            method=timeline.METHOD,
            model_sha256=MODEL_SHA256,
            settings_sha256=settings.sha256(),
        ),
        loop=timeline.Loop(closed=False),
        quality=timeline.Quality(
            coverage=float(has_face.mean()),
            samples=len(samples),
            faces=int(has_face.sum()),
            gaps=list(covered.gaps_ms),
            longest_gap_ms=covered.longest_gap_ms,
            face_height=quality.face_height(looks),
            warnings=quality.warnings(looks),
        ),
        frames=_frames(samples, times_ms, has_face, covered, settings, facts) if has_face.any() else [],
    )


def _frames(
    samples: list[Looked],
    times_ms: smooth.Floats,
    has_face: NDArray[np.bool_],
    covered: smooth.Coverage,
    settings: ExtractSettings,
    facts: VideoFacts,
) -> list[Sample]:
    clip = np.stack([sample.face.landmarks for sample in samples if sample.face is not None])
    plate, motion = anchors.plate_motion(clip)
    motion = smooth.filled(times_ms, has_face, motion)
    where = anchors.placement(
        (facts.width, facts.height), (settings.target_width, settings.target_height), settings.fit
    )
    paddings = {"mouth": settings.mouth_padding, "eyes": settings.eyes_padding}
    tracks = {
        part: anchors.anchor_track(plate, motion, anchors.PARTS[part], padding, where)
        for part, padding in paddings.items()
    }
    return [
        Sample(
            frame=sample.index,
            time_ms=sample.time_ms,
            status=status,
            mouth=_anchor(tracks["mouth"], i),
            eyes=_anchor(tracks["eyes"], i),
        )
        for i, (sample, status) in enumerate(zip(samples, covered.status, strict=True))
        if status is not None
    ]


def _anchor(track: AnchorTrack, i: int) -> Anchor:
    (cx, cy), (w, h) = track.centre[i].tolist(), track.size[i].tolist()
    return Anchor(x=cx - w / 2, y=cy - h / 2, w=w, h=h, cx=cx, cy=cy, roll=float(track.roll[i]))
