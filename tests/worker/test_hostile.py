"""Bad and hostile videos, each through a real worker: an answer or a named end, never more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from anchord.settings import Limits
from tests.torture.films import films
from tests.torture.hostile import hostile
from tests.torture.mutations import mutants
from tests.torture.rig import Rig
from tests.torture.verdict import complaint

#: What must be said of each; None where the pictures are whole and only a claim about them is not.
ANSWERS = {
    "an HLS playlist": "is neither a WebM nor an MP4 video",
    "an ffconcat script": "is neither a WebM nor an MP4 video",
    "a WebM header of 30000x30000": None,
    "an MP4 header of 30000x30000": None,
    "a VP8 picture of 16383x16383": "is damaged at frame 0",
    "a VP9 picture of 30000x30000": "is damaged at frame 0",
    "a million tiny frames": "over the limit max_frames = 500",
    "a WebM of 30,000 years": "over the limit max_duration_s",
    "an MP4 of 25 days": None,
    "a frame a month late": "over the limit max_duration_s",
    "tags within tags": None,
    "an element of 2^56 bytes": "ends after 190 of at least 720",
    "clusters within clusters": "has no video track",
    "boxes within boxes": "cannot be opened as a video",
    "pictures in another file": "has no frames",
    "2^28 frames in eight bytes": "has no frames",
    "2^32 frames, listed": "cannot be opened as a video",
    "2^31 frames of one length": None,
    "2^32 frames in a fragment": "cannot be opened as a video",
    "an index packed 1000 times": "has no video track",
}


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Half a thousand frames at most, so that a million takes no minute."""
    with Rig(limits=Limits(max_frames=500)) as rig:
        yield rig


@pytest.fixture(scope="module")
def makings() -> dict[str, bytes]:
    return hostile()


def test_every_hostile_video_is_named_here(makings: dict[str, bytes]) -> None:
    assert set(makings) == set(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_video_is_answered_by_a_worker_that_stays(
    name: str, rig: Rig, makings: dict[str, bytes]
) -> None:
    """And the next good one is worked off by the same."""
    assert rig.put_through(films()["vp9.webm"]).timeline
    pid = rig.pid
    outcome = rig.put_through(makings[name])
    answer = ANSWERS[name]
    if answer is None:
        assert outcome.timeline, outcome
    else:
        assert outcome.error in ("VideoError", "IncompleteVideoError"), outcome
        assert re.search(re.escape(answer), outcome.message), outcome
    assert rig.put_through(films()["vp9.webm"]).timeline
    assert rig.pid == pid, rig.ends


def test_damaged_films_become_right_timelines_or_clear_errors() -> None:
    """A few of those that ``make torture`` puts through."""
    with Rig() as rig:
        complaints = {
            mutant.name: found
            for mutant in mutants(films(), 264, seed=7)
            if (found := complaint(mutant, rig.put_through(mutant.content)))
        }
        assert complaints == {}
        assert rig.ends == []
