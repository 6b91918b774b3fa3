"""A worker that was taken over and was asked to show a clip costs that one call, whatever it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from anchord.errors import WorkerError
from anchord.settings import Limits
from anchord.worker import protocol
from anchord.worker.protocol import MAX_FILES, PreviewJob
from tests.worker import lying
from tests.worker.test_drawing import ignored, liar

JOB = PreviewJob(number=1, video="idle.webm", files=("video", "timeline"), wanted=("sheet",), limits=Limits())


@pytest.mark.parametrize("lie", lying.INSTEAD_OF_A_SHEET)
def test_what_is_no_sheet_ends_the_worker(lie: str, video: Path, tmp_path: Path) -> None:
    with liar(f"preview: {lie}", tmp_path) as worker, video.open("rb") as stream:
        with pytest.raises(WorkerError) as caught:
            worker.preview(JOB, [stream, stream], on_progress=ignored)
        assert type(caught.value) is WorkerError
        assert worker.is_gone


def test_a_job_arrives_as_it_was_sent_and_can_bring_every_file() -> None:
    assert protocol.decode_job(protocol.encode(JOB)[protocol.LENGTH_BYTES :]) == JOB
    assert MAX_FILES == 9
