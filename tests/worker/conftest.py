"""A film, tasks for it, and an executor whose messages are waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import pytest

from anchord.demo.film import encode, even_times_ms, film
from anchord.errors import AnchordError
from anchord.settings import Limits, PackSettings, WorkerSettings
from anchord.worker.child import COMMAND
from anchord.worker.executor import Draft, Finished, Progressed, Task
from anchord.worker.local import LocalExecutor

#: Longer than anything takes on a busy machine; only a failing test waits so long.
LIMIT_S = 60.0


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of the sample film."""
    return encode(tmp_path_factory.mktemp("film") / "idle.webm", film(times_ms=even_times_ms(30, 0.5)))


def a_task(owner: int = 0) -> Task:
    return Task(
        pack="ada",
        settings=PackSettings(),
        limits=Limits(),
        feed=(None, None, None, None),
        sha256="0" * 64,
        reason="timeline missing",
        owner=owner,
    )


@dataclass(slots=True)
class Bench:
    """An executor, and what it said."""

    command: Sequence[str] = COMMAND
    settings: WorkerSettings = field(default_factory=lambda: WorkerSettings(threads=2, processes=1))
    said: SimpleQueue[Progressed | Finished] = field(default_factory=SimpleQueue)
    executor: LocalExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.executor = LocalExecutor(self.settings, self.said.put, command=self.command)

    def do(self, video: Path, owner: int = 0) -> Draft | AnchordError:
        """Submit a task and wait for its end."""
        self.executor.submit(a_task(owner), video.open("rb"))
        return self.outcome()

    def outcome(self) -> Draft | AnchordError:
        while not isinstance(message := self.said.get(timeout=LIMIT_S), Finished):
            pass
        return message.outcome


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes benches, and kills what they started."""
    made: list[Bench] = []

    def make(*command: str, **settings: object) -> Bench:
        made.append(
            Bench(
                command=command or COMMAND,
                settings=WorkerSettings(**{"threads": 2, "processes": 1, **settings}),  # type: ignore[arg-type]
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.executor.kill()
