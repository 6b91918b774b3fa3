from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from anchord import __version__
from anchord.service.report.metrics import Metrics
from anchord.service.report.state import Component, PackState, PackStatus, State


def samples(file: Path) -> dict[tuple[str, str], float]:
    """(name, only label's value or "") -> value, as Prometheus' own parser reads the file."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(file.read_text())
        for sample in family.samples
    }


def state(states: dict[str, PackStatus] | None = None, **counts: int) -> State:
    return State(
        pid=1,
        root="/avatars",
        version="1",
        started_unix_s=0.0,
        loop_turned_unix_s=1_700_000_100.0,
        watch=Component(state="inotify", healthy=True),
        worker=Component(state="idle", healthy=True),
        packs={pack: PackState(state=name) for pack, name in (states or {}).items()},
        counts=counts,
    )


def test_what_was_counted_stands_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "anchord.prom"
    metrics = Metrics(file, clock=lambda: 1_700_000_000.0)

    metrics.extracted("written", elapsed_s=1.5, coverage=0.97)
    metrics.extracted("refused")
    counted = {"packs": 13, "rescans": 1, "missed_by_watch": 3, "overflows": 1, "rebuilds": 2}
    packs: dict[str, PackStatus] = {"a": "queued", "b": "queued", "c": "parked"}
    metrics.publish(state(packs, worker_restarts=4, **counted))

    expected = {
        ("anchord_extractions_total", "written"): 1,
        ("anchord_extractions_total", "refused"): 1,
        ("anchord_extractions_total", "failed"): 0,
        ("anchord_extraction_seconds_bucket", "1.0"): 0,
        ("anchord_extraction_seconds_bucket", "2.0"): 1,
        ("anchord_extraction_seconds_sum", ""): 1.5,
        ("anchord_coverage_ratio_bucket", "0.95"): 0,
        ("anchord_coverage_ratio_bucket", "0.99"): 1,
        ("anchord_queue_depth", ""): 2,
        ("anchord_packs", "up_to_date"): 10,
        ("anchord_packs", "queued"): 2,
        ("anchord_packs", "parked"): 1,
        ("anchord_packs", "retrying"): 0,
        ("anchord_watch_missed_changes_total", ""): 3,
        ("anchord_watch_healthy", ""): 1,
        ("anchord_watch_overflows_total", ""): 1,
        ("anchord_watch_rebuilds_total", ""): 2,
        ("anchord_worker_restarts_total", ""): 4,
        ("anchord_last_rescan_timestamp_seconds", ""): 1_700_000_100,
        ("anchord_last_success_timestamp_seconds", ""): 1_700_000_000,
    }
    found = samples(file)
    assert {key: found.get(key) for key in expected} == expected
    assert f'version="{__version__}"' in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644  # node_exporter is another user


def test_a_count_is_added_once_and_a_state_that_emptied_reads_zero(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "anchord.prom")
    metrics.publish(state({"a": "waiting"}, overflows=2))
    metrics.publish(state(overflows=2))
    metrics.publish(state(overflows=3))

    found = samples(tmp_path / "anchord.prom")
    assert found["anchord_watch_overflows_total", ""] == 3
    assert found["anchord_packs", "waiting"] == 0


def test_a_file_that_cannot_be_written_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    metrics = Metrics(folder / "anchord.prom")
    with structlog.testing.capture_logs() as logs:
        metrics.publish(state())
        metrics.publish(state())
        folder.mkdir()
        metrics.publish(state())
        (folder / "anchord.prom").unlink()
        folder.rmdir()
        metrics.publish(state())

    assert [line["event"] for line in logs] == ["metrics_unwritable"] * 2


@pytest.mark.parametrize("textfile", ["None", "Path('{}/anchord.prom')"])
def test_nothing_is_loaded_before_it_is_asked_for(textfile: str, tmp_path: Path) -> None:
    """And never a server: the daemon opens no socket and starts no thread for its figures."""
    script = f"""
import sys, threading
from pathlib import Path
from anchord.service.report.metrics import Metrics
from anchord.service.report.state import Component, State
metrics = Metrics({textfile.format(tmp_path)})
metrics.extracted("written", elapsed_s=1.0, coverage=1.0)
part = Component(state="", healthy=True)
metrics.publish(State(pid=1, root="", version="", started_unix_s=0.0, loop_turned_unix_s=0.0,
                      watch=part, worker=part, packs={{}}, counts={{}}))
print("prometheus_client" in sys.modules, threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(textfile != "None"), "1"]


def test_only_a_written_timeline_is_a_success(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "anchord.prom", clock=lambda: 1_700_000_000)
    metrics.extracted("refused")
    metrics.publish(state())
    assert samples(tmp_path / "anchord.prom")["anchord_last_success_timestamp_seconds", ""] == 0
