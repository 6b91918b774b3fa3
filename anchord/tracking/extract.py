"""The order of the steps from a video to its Timeline."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from io import BufferedReader

import numpy as np
from msgspec import UNSET

from anchord import __version__, timeline
from anchord.files import FileKey
from anchord.model import MODEL_SHA256
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Anchor, Extra, Light, Part, Pose, Sample, Signals, Timeline
from anchord.tracking import anchors, quality
from anchord.tracking.anchors import AnchorTrack
from anchord.tracking.faces import light
from anchord.tracking.faces.mediapipe import FaceFinder
from anchord.tracking.motion import tracker
from anchord.tracking.motion.similarity import points
from anchord.tracking.motion.tracker import Follower
from anchord.tracking.sampling import Sampled, sampled
from anchord.tracking.trajectory import Seen, Trajectory, trajectory
from anchord.tracking.video import Video, VideoFacts


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
    samples, facts, made = tracked(stream, name, settings, limits, finder, on_progress=on_progress)
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return _timeline(name, key, digest, settings, facts, samples, made)


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
    What was seen in one video, and the course of its anchors; None where no face was.

    Args:
        stream: the video file, opened for reading.
        name: what messages call it.
        settings: what shapes the timeline.
        limits: what is over one of them is refused.
        finder: finds faces.
        on_progress: called with frames decoded and frames expected (0: unknown).

    Raises:
        VideoError: the video can't be used.
    """
    followers = tracker.followers() if settings.follow == "auto" else {}
    with Video(stream=stream, name=name, limits=limits, threads=finder.threads) as video:
        samples = list(
            sampled(
                video,
                finder,
                followers,
                sample_rate=settings.sample_rate,
                every_frame=settings.follow_every_frame,
                on_progress=on_progress,
            )
        )
        facts = video.facts()
    made = (
        _trajectory(samples, facts, followers, settings) if any(sample.face for sample in samples) else None
    )
    return samples, facts, made


def _trajectory(
    samples: list[Sampled], facts: VideoFacts, followers: Mapping[str, Follower], settings: ExtractSettings
) -> Trajectory:
    smoothing = settings.smoothing
    return trajectory(
        Seen(
            times_ms=np.array([sample.time_ms for sample in samples]),
            has_face=np.array([sample.has_face for sample in samples]),
            is_sample=np.array([sample.look is not None for sample in samples]),
            clip=np.stack([points(sample.face.landmarks) for sample in samples if sample.face is not None]),
            links={part: follower.links for part, follower in followers.items()},
            agree={part: np.array(follower.agree) for part, follower in followers.items()},
            textures=np.stack([sample.texture for sample in samples if sample.texture is not None]),
            frame_times_ms=facts.timing.times_ms,
            end_ms=facts.timing.start_ms + facts.timing.duration_ms,
            is_last_extra=samples[-1].is_extra,
        ),
        anchors.placement(
            (facts.width, facts.height), (settings.target_width, settings.target_height), settings.fit
        ),
        {"mouth": settings.mouth_padding, "eyes": settings.eyes_padding},
        max_gap_ms=settings.max_gap_ms,
        smoothing_ms=None if smoothing == "auto" else 0.0 if smoothing == "off" else smoothing,
    )


def _timeline(
    name: str,
    key: FileKey,
    digest: str,
    settings: ExtractSettings,
    facts: VideoFacts,
    samples: list[Sampled],
    made: Trajectory | None,
) -> Timeline:
    looks = [sample.look for sample in samples if sample.look is not None]
    faces = sum(sample.face is not None for sample in samples)
    is_sample = np.array([sample.look is not None for sample in samples])
    is_almost = made is not None and made.seam.is_almost
    hidden = None if made is None else {part: mask[is_sample] for part, mask in made.hidden.items()}
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
        ),
        loop=timeline.Loop(
            closed=made is not None and made.seam.is_closed,
            seam_px=None if made is None else made.seam_px,
        ),
        quality=timeline.Quality(
            coverage=faces / len(looks),
            samples=len(looks),
            faces=faces,
            gaps=[] if made is None else made.coverage.gaps_ms,
            longest_gap_ms=facts.timing.duration_ms if made is None else made.coverage.longest_gap_ms,
            jitter_px=None if made is None else made.jitter_px,
            face_height=quality.face_height(looks),
            warnings=facts.warnings
            + quality.warnings(
                looks,
                hidden=hidden,
                almost_seam_px=made.seam_px if made is not None and is_almost else None,
            ),
        ),
        frames=[] if made is None else list(_frames(samples, made, settings.include)),
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
            left_eye=_anchor(made.tracks["left_eye"], i) if "left_eye" in include else UNSET,
            right_eye=_anchor(made.tracks["right_eye"], i) if "right_eye" in include else UNSET,
            pose=_pose(*face.pose) if face and "pose" in include else UNSET,
            signals=_signals(*face.signals) if face and "signals" in include else UNSET,
            light=Light(r=shade[0], g=shade[1], b=shade[2]) if shade and "light" in include else UNSET,
        )


def _pose(yaw: float, pitch: float, roll: float) -> Pose:
    return Pose(yaw=yaw, pitch=pitch, roll=roll)


def _signals(mouth: float, left: float, right: float) -> Signals:
    return Signals(mouth_open=mouth, eye_open_left=left, eye_open_right=right)


def _anchor(track: AnchorTrack, i: int) -> Anchor:
    (cx, cy), (w, h) = track.centre[i].tolist(), track.size[i].tolist()
    return Anchor(x=cx - w / 2, y=cy - h / 2, w=w, h=h, cx=cx, cy=cy, roll=float(track.roll[i]))
