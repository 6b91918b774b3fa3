"""The order of the steps from a video to its Timeline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BufferedReader

import numpy as np

from anchord.files import FileKey
from anchord.manifest import Statics
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Timeline
from anchord.tracking import anchors, outlining, quality
from anchord.tracking.body import Outlined, Seen
from anchord.tracking.composing import Taken, composed
from anchord.tracking.faces.mediapipe import FaceFinder
from anchord.tracking.faces.selection import Choice
from anchord.tracking.gathering import Gathered
from anchord.tracking.motion import regions, tracker
from anchord.tracking.motion.similarity import Complex, Similarities, points
from anchord.tracking.motion.tracker import Follower
from anchord.tracking.outlining import Outlining
from anchord.tracking.sampling import Sampled, sampled
from anchord.tracking.trajectory import Trajectory, trajectory
from anchord.tracking.video import Pixels, Video, VideoFacts


def extract(
    stream: BufferedReader,
    name: str,
    settings: ExtractSettings,
    limits: Limits,
    finder: FaceFinder,
    *,
    statics: Statics | None = None,
    base: bytes | None = None,
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
        statics: where mouth and eyes lie on the base face, as far as the pack says so.
        base: the file of the base face's picture, if there is one.
        on_progress: called with frames decoded and frames expected (0: unknown).

    Raises:
        VideoError: the video can't be used.
    """
    key = FileKey.of_opened(stream)
    picture = None if base is None else tracker.picture(base, limits.max_pixels)
    run = _Run(stream, name, settings, limits, finder, statics, picture, on_progress)
    taken = _by_pixels(run, statics) if settings.follow == "pixels" and statics else _by_landmarks(run)
    if statics is not None and settings.follow == "auto" and (taken.is_poor or taken.is_flat):
        by_pixels = _by_pixels(run, statics)
        if taken.is_poor or by_pixels.faces >= taken.faces:
            taken = by_pixels
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    digests = (statics.sha256() if statics else "", "" if base is None else hashlib.sha256(base).hexdigest())
    return composed(name, key, digest, settings, digests, taken)


def tracked(
    stream: BufferedReader,
    name: str,
    settings: ExtractSettings,
    limits: Limits,
    finder: FaceFinder,
    *,
    on_progress: Callable[[int, int], None] = lambda done, expected: None,
) -> tuple[list[Sampled], VideoFacts, Trajectory | None]:
    """
    What was seen in one video, and the course of its anchors by a face; None where no face was.

    Takes and raises what :func:`extract` does, but knows of no static anchors.
    """
    run = _Run(stream, name, settings, limits, finder, None, None, on_progress)
    taken = _by_landmarks(run, with_faces=True)
    return taken.frames, taken.facts, taken.made


@dataclass(frozen=True, slots=True)
class _Run:
    """What an extraction is of."""

    stream: BufferedReader
    name: str
    settings: ExtractSettings
    limits: Limits
    finder: FaceFinder
    statics: Statics | None
    base: Pixels | None
    on_progress: Callable[[int, int], None]

    def video(self) -> Video:
        """The video, from its beginning."""
        self.stream.seek(0)
        return Video(stream=self.stream, name=self.name, limits=self.limits, threads=self.finder.threads)

    @property
    def target(self) -> tuple[int, int]:
        """Its (width, height), px."""
        return self.settings.target_width, self.settings.target_height


def _by_landmarks(run: _Run, *, with_faces: bool = False) -> Taken:
    settings = run.settings
    followers = tracker.followers() if settings.follow != "landmarks" else {}
    gathered = Gathered(with_faces)
    with run.video() as video:
        gathered.take(
            sampled(
                video,
                run.finder,
                followers,
                sample_rate=settings.sample_rate,
                every_frame=settings.follow_every_frame,
                on_progress=run.on_progress,
            )
        )
        facts = video.facts()
    frames = gathered.frames
    taken = Taken(source="landmarks", facts=facts, frames=frames, made=None)
    if not taken.faces:
        return taken
    count = len(frames)
    base = _base_face(run, facts, followers)
    seen = replace(
        _seen(frames, facts),
        clip=gathered.clip,
        links={part: follower.links for part, follower in followers.items()},
        agree={part: np.array(follower.agree[:count]) for part, follower in followers.items()},
        textures=gathered.textures,
        base=base,
    )
    paddings = {"mouth": settings.mouth_padding, "eyes": settings.eyes_padding}
    return replace(
        taken,
        made=_trajectory(run, facts, seen, paddings),
        is_flat=bool(followers) and all(follower.is_flat for follower in followers.values()),
    )


def _base_face(run: _Run, facts: VideoFacts, followers: Mapping[str, Follower]) -> Complex | None:
    """The landmarks of the base face, shown to the *followers* last of all; None where there is none."""
    if run.base is None:
        return None
    size = (facts.width, facts.height)
    where = anchors.placement(size, run.target, run.settings.fit)
    lying = outlining.base_in_video(run.base, run.target, where, size)
    faces = run.finder.submit(lambda: run.finder.find(lying)).result()
    which = Choice(size=size).of([face.landmarks for face in faces], time_ms=0)
    if which is None:
        return None
    landmarks = faces[which].landmarks
    close = tracker.close_up(lying, landmarks)
    for follower in followers.values():
        follower.add(close, landmarks)
    return points(landmarks)


def _by_pixels(run: _Run, statics: Statics) -> Taken:
    """By the regions around the static anchors: as they lie in the base face, else in the first frame."""
    settings, warned = run.settings, []
    for base in (run.base, None) if run.base is not None else (None,):
        around = Outlining(statics=statics, target=run.target, fit=settings.fit, base=base)
        with run.video() as video:
            frames = list(
                around.samples(
                    video,
                    sample_rate=settings.sample_rate,
                    every_frame=settings.follow_every_frame,
                    on_progress=run.on_progress,
                )
            )
            facts = video.facts()
        if any(sample.has_face for sample in frames):
            break
        if base is not None:
            warned = [quality.other_base()]
    taken = Taken(source="pixels", facts=facts, frames=frames, made=None, warnings=warned)
    if not taken.faces:
        return taken
    assert around.following is not None
    following = around.following
    motion = Similarities(
        a=np.array([complex(one.a) for one in following.motions]),
        b=np.array([complex(one.b) for one in following.motions]),
    )
    seen = replace(
        _seen(frames, facts),
        links=following.links,
        agree={part: np.array(agree) for part, agree in following.agree.items()},
        outlined=Outlined(
            boxes=around.boxes,
            motion=motion,
            eyes_px=regions.head_px(following.regions),
            pins=following.pins,
            is_base=base is not None,
        ),
    )
    # A sprite's place has its margins already.
    return replace(taken, made=_trajectory(run, facts, seen, {"mouth": 1.0, "eyes": 1.0}))


def _seen(frames: list[Sampled], facts: VideoFacts) -> Seen:
    return Seen(
        times_ms=np.array([sample.time_ms for sample in frames]),
        has_face=np.array([sample.has_face for sample in frames]),
        is_sample=np.array([sample.look is not None for sample in frames]),
        clip=np.zeros((0, 478), np.complex128),
        links={},
        agree={},
        textures=np.zeros((0, 0, 2), np.float32),
        frame_times_ms=facts.timing.times_ms,
        end_ms=facts.timing.start_ms + facts.timing.duration_ms,
        is_last_extra=frames[-1].is_extra,
    )


def _trajectory(run: _Run, facts: VideoFacts, seen: Seen, paddings: Mapping[str, float]) -> Trajectory:
    settings = run.settings
    smoothing = settings.smoothing
    return trajectory(
        seen,
        anchors.placement((facts.width, facts.height), run.target, settings.fit),
        paddings,
        max_gap_ms=settings.max_gap_ms,
        smoothing_ms=None if smoothing == "auto" else 0.0 if smoothing == "off" else smoothing,
    )
