"""The order of the steps from a video to its Timeline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from typing import Literal

import numpy as np
from msgspec import UNSET, UnsetType

from anchord import __version__, timeline
from anchord.files import FileKey
from anchord.manifest import Statics
from anchord.model import MODEL_SHA256
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Anchor, Extra, Light, Part, Pose, Sample, Signals, Timeline, VideoWarning
from anchord.tracking import anchors, outlining, quality
from anchord.tracking.anchors import AnchorTrack
from anchord.tracking.body import Outlined, Seen
from anchord.tracking.faces import light
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
    return _timeline(name, key, digest, settings, digests, taken)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What was seen of a video by one way of following, and what it makes."""

    source: Literal["landmarks", "pixels"]
    facts: VideoFacts
    frames: list[Sampled]
    made: Trajectory | None
    warnings: Sequence[VideoWarning] = ()
    #: Whether a face was found whose skin has hardly anything to be followed by.
    is_flat: bool = False

    @property
    def is_poor(self) -> bool:
        """Whether a face was seen in under half of the samples."""
        return 2 * self.faces < self.samples

    @property
    def samples(self) -> int:
        """How many were looked at."""
        return sum(sample.look is not None for sample in self.frames)

    @property
    def faces(self) -> int:
        """How many of them showed a face, or the head."""
        return sum(sample.look is not None and sample.has_face for sample in self.frames)


def _by_landmarks(run: _Run, *, with_faces: bool = False) -> _Taken:
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
    taken = _Taken(source="landmarks", facts=facts, frames=frames, made=None)
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


def _by_pixels(run: _Run, statics: Statics) -> _Taken:
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
    taken = _Taken(source="pixels", facts=facts, frames=frames, made=None, warnings=warned)
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


def _timeline(
    name: str,
    key: FileKey,
    digest: str,
    settings: ExtractSettings,
    digests: tuple[str, str],
    taken: _Taken,
) -> Timeline:
    facts, samples, made = taken.facts, taken.frames, taken.made
    looks = [sample.look for sample in samples if sample.look is not None]
    is_sample = np.array([sample.look is not None for sample in samples])
    is_almost = made is not None and made.seam.is_almost
    hidden = None if made is None else {part: mask[is_sample] for part, mask in made.hidden.items()}
    judged = timeline.Quality(
        coverage=taken.faces / len(looks),
        samples=len(looks),
        faces=taken.faces,
        gaps=[] if made is None else made.coverage.gaps_ms,
        longest_gap_ms=facts.timing.duration_ms if made is None else made.coverage.longest_gap_ms,
        jitter_px=None if made is None else made.jitter_px,
        face_height=quality.face_height(looks),
        warnings=facts.warnings
        + list(taken.warnings)
        + quality.warnings(
            looks,
            hidden=hidden,
            almost_seam_px=made.seam_px if made is not None and is_almost else None,
            by_pixels=taken.source == "pixels",
            has_statics=bool(digests[0]),
            is_flat=taken.is_flat,
        ),
        source=taken.source,
    )
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
            rotation=facts.orientation.rotation,
            mirrored=facts.orientation.is_mirrored,
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
            follow=settings.follow,
            follow_every_frame=settings.follow_every_frame,
            smoothing=settings.smoothing,
        ),
        generator=timeline.Generator(
            name="anchord",
            version=__version__,
            method=timeline.METHOD,
            model_sha256=MODEL_SHA256,
            settings_sha256=settings.sha256(),
            statics_sha256=digests[0] if judged.asks_statics(settings.follow) else "",
            base_sha256=digests[1],
        ),
        loop=timeline.Loop(
            closed=made is not None and made.seam.is_closed,
            seam_px=None if made is None else made.seam_px,
        ),
        quality=judged,
        reference=_reference(samples, made) if made is not None else UNSET,
        frames=[] if made is None else list(_frames(samples, made, settings.include)),
    )


def _reference(samples: list[Sampled], made: Trajectory) -> timeline.Reference | UnsetType:
    if made.reference is None:
        return UNSET
    time_ms = samples[made.reference.index].time_ms
    if made.reference.is_there:
        return timeline.Reference(time_ms=time_ms)
    return timeline.Reference(
        time_ms=time_ms,
        mouth=_anchor(made.reference.tracks["mouth"], 0),
        eyes=_anchor(made.reference.tracks["eyes"], 0),
    )


def _frames(samples: list[Sampled], made: Trajectory, include: Collection[Extra]) -> Iterator[Sample]:
    colours = [sample.colour for sample in samples if sample.colour is not None]
    shades = iter(light.relative(colours).tolist())
    parts: tuple[Part, ...] = ("mouth", "eyes")
    for i, sample in enumerate(samples):
        shade = next(shades) if sample.colour is not None else None
        status = made.coverage.status[i]
        if status is None or not made.is_written[i]:
            continue
        face = sample.face
        yield Sample(
            frame=sample.index,
            time_ms=sample.time_ms,
            status=status,
            mouth=_anchor(made.tracks["mouth"], i),
            eyes=_anchor(made.tracks["eyes"], i),
            hidden=[part for part in parts if made.hidden[part][i]] or UNSET,
            left_eye=_carried(made, "left_eye", i) if "left_eye" in include else UNSET,
            right_eye=_carried(made, "right_eye", i) if "right_eye" in include else UNSET,
            pose=_pose(*face.pose) if face and "pose" in include else UNSET,
            signals=_signals(*face.signals) if face and "signals" in include else UNSET,
            light=Light(r=shade[0], g=shade[1], b=shade[2]) if shade and "light" in include else UNSET,
        )


def _carried(made: Trajectory, name: str, i: int) -> Anchor | UnsetType:
    """A box that static anchors do not have."""
    return _anchor(made.tracks[name], i) if name in made.tracks else UNSET


def _pose(yaw: float, pitch: float, roll: float) -> Pose:
    return Pose(yaw=yaw, pitch=pitch, roll=roll)


def _signals(mouth: float, left: float, right: float) -> Signals:
    return Signals(mouth_open=mouth, eye_open_left=left, eye_open_right=right)


def _anchor(track: AnchorTrack, i: int) -> Anchor:
    (cx, cy), (w, h) = track.centre[i].tolist(), track.size[i].tolist()
    return Anchor(x=cx - w / 2, y=cy - h / 2, w=w, h=h, cx=cx, cy=cy, roll=float(track.roll[i]))
