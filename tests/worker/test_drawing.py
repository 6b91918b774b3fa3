"""A worker that was taken over and was asked for pictures costs that one call, whatever it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from anchord.errors import WorkerError
from anchord.settings import ExtractSettings, Limits, WorkerSettings
from anchord.sprite_set import VISEMES
from anchord.worker import protocol
from anchord.worker.client import Worker
from anchord.worker.protocol import Job, SpriteJob
from tests.worker import lying

JOB = SpriteJob(
    number=1,
    video="idle.webm",
    speech=None,
    settings=ExtractSettings(),
    limits=Limits(),
    visemes=("REST",),
    preview=False,
)


def liar(lie: str, folder: Path) -> Worker:
    command = (sys.executable, str(Path(lying.__file__)), lie, str(folder / "marker"))
    return Worker(WorkerSettings(threads=2), command=command)


def ignored(_done: int, _expected: int) -> None:
    """Nobody looks on."""


@pytest.mark.parametrize("lie", lying.INSTEAD_OF_PICTURES)
def test_what_are_no_pictures_ends_the_worker(lie: str, video: Path, tmp_path: Path) -> None:
    with liar(f"pictures: {lie}", tmp_path) as worker, video.open("rb") as stream:
        with pytest.raises(WorkerError) as caught:
            worker.draw(JOB, [stream], on_progress=ignored)
        assert type(caught.value) is WorkerError
        assert worker.is_gone


def test_pictures_are_no_timeline(video: Path, tmp_path: Path) -> None:
    job = Job(number=1, video="idle.webm", settings=ExtractSettings(), limits=Limits())
    with liar("pictures instead of a timeline", tmp_path) as worker, video.open("rb") as stream:
        with pytest.raises(WorkerError, match="what it was not asked"):
            worker.work(job, stream, on_progress=ignored)
        assert worker.is_gone


def test_a_job_for_pictures_arrives_as_it_was_sent() -> None:
    assert protocol.decode_job(protocol.encode(JOB)[protocol.LENGTH_BYTES :]) == JOB


def test_an_answer_with_every_picture_at_its_largest_is_not_too_long() -> None:
    """And is still far from what a machine of 2 GiB has."""
    longest = protocol.longest_answer(
        SpriteJob(
            number=1, video="a", speech="b", settings=ExtractSettings(), limits=Limits(), visemes=VISEMES,
            preview=True,
        )
    )  # fmt: skip
    assert 32 << 20 < longest < 256 << 20
