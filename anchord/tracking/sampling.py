"""Frames into samples: look for faces in threads, choose one, follow its skin, let go of the pixels."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anchord.tracking.faces import light
from anchord.tracking.faces.mediapipe import Face, FaceFinder
from anchord.tracking.faces.mesh import PARTS, Landmarks
from anchord.tracking.faces.selection import Choice
from anchord.tracking.faces.upright import Stand, Stands
from anchord.tracking.motion import eyewear, occlusion, tracker
from anchord.tracking.motion.occlusion import Texture
from anchord.tracking.motion.patch import Clarity, CloseUp
from anchord.tracking.motion.similarity import Floats
from anchord.tracking.motion.tracker import Follower
from anchord.tracking.quality import Look
from anchord.tracking.tuning import TUNING
from anchord.tracking.video import Frame, Video

# Decoded frames that are kept in case that a face comes or goes between two samples; of a larger video
# or a lower rate there are fewer, and the edge stays as coarse as the samples.
_KEPT_BYTES, _BYTES_PER_PIXEL = 48 << 20, 1.5
# Samples that are also looked at upside down: three of the first second tell how a video stands.
_TURNED = (0, 3, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A face, and what is kept of the picture around it."""

    face: Face
    close: CloseUp | None
    clarity: Clarity | None
    texture: Texture
    colour: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What a thread saw in one sampled frame."""

    frame: tuple[int, float]
    is_extra: bool
    size: tuple[int, int]
    brightness: float
    candidates: list[_Candidate]
    stands: Stands | None
    #: The frames since the one that was looked at before, as far as they were kept.
    since: list[Frame] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """
    A sample with the face that is followed, or a frame between two of them in which it was only followed.

    An extra one is the last frame, out of turn. Who was only followed has no look.
    """

    index: int
    time_ms: float
    is_extra: bool
    face: Face | None = None
    texture: Texture | None = None
    colour: Floats | None = None
    look: Look | None = None
    #: Whether the head is in it, where no landmarks say so.
    is_seen: bool | None = None

    @property
    def has_face(self) -> bool:
        """Whether there is a face in it: only then it is followed."""
        if self.is_seen is not None:
            return self.is_seen
        return self.look is None or self.face is not None


@dataclass(slots=True)
class Turns:
    """
    Which frames are samples: every *sample_rate*-th, and on a varying rate also one that comes later
    than *sample_rate* usual frames, since heads do not wait for slow frames.
    """

    sample_rate: int
    _steps_ms: list[float] = field(default_factory=list, init=False)
    _since: int = field(default=0, init=False)
    _sampled_ms: float | None = field(default=None, init=False)
    _last_ms: float = field(default=0.0, init=False)

    def has_come(self, time_ms: float) -> bool:
        """Whether the next frame is a sample. Ask once for each, in order."""
        if self._sampled_ms is not None:
            insort(self._steps_ms, time_ms - self._last_ms)
            self._since += 1
            # The lower quarter: slow frames are the rule in some videos. Times are rounded to 1 ms.
            usual_ms = self._steps_ms[len(self._steps_ms) // 4]
            is_late = time_ms - self._sampled_ms > TUNING.late * self.sample_rate * usual_ms
        is_turn = self._sampled_ms is None or self._since >= self.sample_rate or is_late
        self._last_ms = time_ms
        if is_turn:
            self._since, self._sampled_ms = 0, time_ms
        return is_turn


def sampled(
    video: Video,
    finder: FaceFinder,
    followers: Mapping[str, Follower],
    *,
    sample_rate: int,
    every_frame: bool,
    on_progress: Callable[[int, int], None],
) -> Iterator[Sampled]:
    """
    Every n-th frame (see ``Turns``), the last one, and those on both sides of where a face comes or
    goes, with the face that is followed; and the frames between two faces, in which it is followed too.

    The pictures are let go of.

    Args:
        video: opened.
        finder: finds the faces.
        followers: per part; empty where only landmarks are wanted.
        sample_rate: n.
        every_frame: whether frames between samples are followed.
        on_progress: called with frames decoded and frames expected (0: unknown).
    """
    choice: Choice | None = None
    before: tuple[float, Landmarks] | None = None
    for seen in _looked(video, finder, sample_rate, bool(followers), on_progress):
        index, time_ms = seen.frame
        choice = choice or Choice(size=seen.size)
        which = choice.of([candidate.face.landmarks for candidate in seen.candidates], time_ms=time_ms)
        chosen = None if which is None else seen.candidates[which]
        if every_frame and followers and before and chosen:
            yield from _followed(seen.since, before, (time_ms, chosen.face.landmarks), finder, followers)
        before = (time_ms, chosen.face.landmarks) if chosen else None
        for follower in followers.values():
            follower.add(chosen.close if chosen else None, chosen.face.landmarks if chosen else None)
        yield Sampled(
            index=index,
            time_ms=time_ms,
            is_extra=seen.is_extra,
            face=chosen.face if chosen else None,
            texture=chosen.texture if chosen else None,
            colour=chosen.colour if chosen else None,
            look=_judged(seen, chosen),
        )


def _followed(
    frames: Sequence[Frame],
    before: tuple[float, Landmarks],
    after: tuple[float, Landmarks],
    finder: FaceFinder,
    followers: Mapping[str, Follower],
) -> Iterator[Sampled]:
    """Follow the skin through frames between two faces; where it about is follows from these."""

    def landmarks_at(time_ms: float) -> Landmarks:
        share = (time_ms - before[0]) / (after[0] - before[0])
        return np.asarray(before[1] + share * (after[1] - before[1]))

    def close_up(frame: Frame) -> CloseUp:
        return tracker.close_up(frame.rgb(), landmarks_at(frame.time_ms))

    closes = [finder.submit(partial(close_up, frame)) for frame in frames]
    for frame, close in zip(frames, closes, strict=True):
        for follower in followers.values():
            follower.add(close.result(), landmarks_at(frame.time_ms))
        yield Sampled(index=frame.index, time_ms=frame.time_ms, is_extra=False)


def _looked(
    video: Video,
    finder: FaceFinder,
    sample_rate: int,
    is_followed: bool,
    on_progress: Callable[[int, int], None],
) -> Iterator[_Looked]:
    """
    Decode here, look for faces in threads, and hold no more pictures than keep them busy.

    Where a face comes or goes between two samples, the frames around that moment are samples too.
    """
    expected = video.frames_expected
    waiting: deque[tuple[Future[_Looked], list[Frame]]] = deque()
    turns = Turns(sample_rate)
    before: _Looked | None = None
    skipped: list[Frame] = []
    last: Frame | None = None
    taken = 0

    def next_looked() -> Iterator[_Looked]:
        nonlocal before
        future, between = waiting.popleft()
        looked = future.result()
        if before is not None and bool(before.candidates) != bool(looked.candidates):
            for seen in _edge(finder, between, is_followed, is_face_first=bool(before.candidates)):
                earlier = [frame for frame in between if frame.index < seen.frame[0]]
                between = [frame for frame in between if frame.index > seen.frame[0]]
                yield replace(seen, since=earlier)
        yield replace(looked, since=between)
        before = looked

    try:
        for frame in video.frames():
            on_progress(frame.index + 1, expected)
            last = None if turns.has_come(frame.time_ms) else frame
            if last is not None:
                room = _KEPT_BYTES // int(frame.width * frame.height * _BYTES_PER_PIXEL)
                while waiting and sum(len(between) for _, between in waiting) + len(skipped) >= room:
                    yield from next_looked()
                if len(skipped) < room:
                    skipped.append(frame)
                continue
            is_turned = taken in _TURNED
            waiting.append(
                (finder.submit(partial(_look, finder, frame, is_followed, is_turned=is_turned)), skipped)
            )
            taken += 1
            skipped = []
            if len(waiting) > 2 * finder.threads:
                yield from next_looked()
        if last is not None:
            # Where the clip leads, and whether that is where it began, only its last frame knows.
            look = partial(_look, finder, last, is_followed, is_extra=True)
            waiting.append((finder.submit(look), [frame for frame in skipped if frame is not last]))
        while waiting:
            yield from next_looked()
    finally:
        for future, _ in waiting:
            future.cancel()


def _edge(
    finder: FaceFinder, between: list[Frame], is_followed: bool, *, is_face_first: bool
) -> Iterator[_Looked]:
    """The frames on both sides of where a face comes or goes, by halving, in order of time."""
    looked: list[_Looked] = []
    first, last = -1, len(between)
    while last - first > 1:
        middle = (first + last) // 2
        look = finder.submit(partial(_look, finder, between[middle], is_followed)).result()
        insort(looked, look, key=lambda seen: seen.frame)
        if bool(look.candidates) == is_face_first:
            first = middle
        else:
            last = middle
    yield from looked


def _look(
    finder: FaceFinder,
    frame: Frame,
    is_followed: bool,
    *,
    is_extra: bool = False,
    is_turned: bool = False,
) -> _Looked:
    pixels = frame.rgb()
    faces = finder.find(pixels)
    return _Looked(
        frame=(frame.index, frame.time_ms),
        is_extra=is_extra,
        size=(frame.width, frame.height),
        # Every 8th pixel says enough about how light it is.
        brightness=float(pixels[::8, ::8].mean()),
        candidates=[
            _Candidate(
                face=face,
                close=(close := tracker.close_up(pixels, face.landmarks) if is_followed else None),
                clarity=tracker.clarity(close, face.landmarks) if close else None,
                texture=occlusion.texture(pixels, face.landmarks),
                colour=light.skin_colour(pixels, face.landmarks),
            )
            for face in faces
        ],
        stands=_stands(finder, pixels, faces) if is_turned else None,
    )


def _stands(finder: FaceFinder, pixels: NDArray[np.uint8], faces: Sequence[Face]) -> Stands:
    turned = np.ascontiguousarray(pixels[::-1, ::-1])
    return Stands(_stand(pixels, faces), _stand(turned, finder.find(turned)))


def _stand(pixels: NDArray[np.uint8], faces: Sequence[Face]) -> Stand | None:
    if not faces:
        return None
    tallest = max(faces, key=lambda face: face.height_px)
    seen = occlusion.texture(pixels, tallest.landmarks)
    likeness = sum(occlusion.likeness(seen, part) for part in PARTS)
    return Stand(likeness, tallest.height_px / pixels.shape[0])


def _judged(seen: _Looked, chosen: _Candidate | None) -> Look:
    time_ms = seen.frame[1]
    faces = len(seen.candidates)
    if chosen is None:
        return Look(time_ms=time_ms, brightness=seen.brightness, faces=faces, stands=seen.stands)
    width, height = seen.size
    low, high = chosen.face.landmarks.min(axis=0), chosen.face.landmarks.max(axis=0)
    return Look(
        time_ms=time_ms,
        brightness=seen.brightness,
        faces=faces,
        stands=seen.stands,
        height=chosen.face.height_px / height,
        margin=float(min(*low, width - high[0], height - high[1])) / chosen.face.height_px,
        face_brightness=float(chosen.colour.mean()),
        noise=chosen.clarity.noise if chosen.clarity else 0.0,
        sharpness=chosen.clarity.sharpness if chosen.clarity else np.inf,
        turn=chosen.face.pose[:2],
        roll=chosen.face.pose[2],
        mouth_open=chosen.face.signals[0],
        eyes=eyewear.eyes(chosen.texture),
    )
