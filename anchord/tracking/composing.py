"""What was seen of a video and made of it, as the records of a Timeline. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from msgspec import UNSET, UnsetType

from anchord import __version__, timeline
from anchord.files import FileKey
from anchord.model import MODEL_SHA256
from anchord.settings import ExtractSettings
from anchord.timeline import Anchor, Extra, Light, Part, Pose, Sample, Signals, Timeline, VideoWarning
from anchord.tracking import quality
from anchord.tracking.anchors import AnchorTrack
from anchord.tracking.faces import light
from anchord.tracking.sampling import Sampled
from anchord.tracking.trajectory import Trajectory
from anchord.tracking.video import VideoFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
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


def composed(
    name: str,
    key: FileKey,
    digest: str,
    settings: ExtractSettings,
    digests: tuple[str, str],
    taken: Taken,
) -> Timeline:
    """
    The timeline of a video.

    Args:
        name: of the video's file.
        key: what that file looks like.
        digest: its content's SHA-256.
        settings: what shapes the timeline.
        digests: of the pack's static anchors and of its base face's picture; empty where there is none.
        taken: what was seen, in at least one sample.
    """
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
