"""Thousands of damaged films through a real worker; ``make torture`` runs it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.torture.films import films
from tests.torture.mutations import mutants
from tests.torture.rig import Rig
from tests.torture.verdict import complaint

COUNT = 5_000


@pytest.mark.timeout(420)
def test_no_damaged_film_hangs_a_worker_or_becomes_a_wrong_timeline(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each is answered, or its worker's end is named; and the worker's memory stays where it was."""
    complaints: dict[str, str] = {}
    outcomes: Counter[str] = Counter()
    with Rig() as rig:
        for film in films().values():
            assert rig.put_through(film).timeline
        before = _resident_mb(rig)
        for number, mutant in enumerate(mutants(films(), COUNT)):
            outcome = rig.put_through(mutant.content)
            outcomes["timeline" if outcome.timeline else outcome.error or "ended"] += 1
            if found := complaint(mutant, outcome):
                complaints[mutant.name] = found
                # Encoders with threads do not make the same bytes every time: keep the evidence.
                (tmp_path / mutant.name).write_bytes(mutant.content)
            if number == COUNT // 5:
                before = _resident_mb(rig)
        after = _resident_mb(rig)
        with capsys.disabled():
            sys.stdout.write(f"\n{COUNT} damaged films: {dict(outcomes)}; ended by: {rig.ends};")
            sys.stdout.write(f" worker {before} -> {after} MB\n")
        assert complaints == {}, f"they lie in {tmp_path}"
        assert rig.ends or after < before * 1.2


def _resident_mb(rig: Rig) -> int:
    status = Path(f"/proc/{rig.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024
