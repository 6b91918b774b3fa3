"""Several places behind one face."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from anchord.errors import WorkerStartError
from anchord.settings import WorkerSettings
from anchord.worker.executor import Draft, Executor, Health
from anchord.worker.local import LocalExecutor
from anchord.worker.supervisor import Supervisor
from tests.worker import lying
from tests.worker.conftest import Bench, a_task


def test_a_local_executor_is_an_executor() -> None:
    """mypy holds it to the seam."""
    executor: Executor = LocalExecutor(WorkerSettings(), lambda message: None)
    assert (executor.places(), executor.restarts) == (1, 0)
    assert executor.health() == Health(state="down", healthy=True)
    executor.kill()
    assert executor.places() == 0


def test_places_add_up_and_one_in_trouble_is_named(
    bench: Callable[..., Bench], video: Path, tmp_path: Path
) -> None:
    """The state is the busiest place's; a place that can't start a worker makes all of it unhealthy."""
    (tmp_path / "marker").touch()
    made = bench("/nowhere/python")
    good = (sys.executable, str(Path(lying.__file__)), "", str(tmp_path / "marker"))
    made.executor._supervisors.append(
        Supervisor(settings=WorkerSettings(), report=made.said.put, command=good)
    )
    assert made.executor.places() == 2
    # Where the first has failed by then, it takes the second task too.
    for _ in range(2):
        made.executor.submit(a_task(), video.open("rb"))
    outcomes = [made.outcome(), made.outcome()]
    assert any(isinstance(outcome, WorkerStartError) for outcome in outcomes)
    assert not made.executor.health().healthy
    assert "No such file or directory (/nowhere/python)" in made.executor.health().detail
    del made.executor._supervisors[0]
    assert made.do(video) == Draft(lying.HONEST)
    assert made.executor.health() == Health(state="idle", healthy=True)
