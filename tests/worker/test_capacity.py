"""How many workers a machine carries: by cores, by memory, by what a unit or container leaves of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.settings import WorkerSettings
from anchord.worker import capacity
from anchord.worker.capacity import PLACE_MB, core_count, place_count, total_mb


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 cores and 32 GiB whose control groups are a folder of the test's."""
    (tmp_path / "meminfo").write_text(f"MemTotal: {32 << 20} kB\nMemFree: 1 kB\n")
    (tmp_path / "own").write_text("1:memory:/old\n0::/system.slice/anchord.service\n")
    (tmp_path / "cgroup/system.slice/anchord.service").mkdir(parents=True)
    monkeypatch.setattr(capacity, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(capacity, "_OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(capacity, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)))
    return tmp_path


def limit(machine: Path, group: str, name: str, value: str) -> None:
    (machine / "cgroup" / group / name).write_text(value + "\n")


def test_a_machine_has_a_place_for_each_two_cores_and_half_its_memory(machine: Path) -> None:
    assert core_count() == 16
    assert total_mb(WorkerSettings()) == 16 << 10
    assert place_count(WorkerSettings()) == 8


@pytest.mark.parametrize(("cores", "places"), [(1, 1), (2, 2), (3, 2), (4, 2), (6, 3), (32, 16), (400, 64)])
def test_cores_say_how_many(cores: int, places: int, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "meminfo").write_text(f"MemTotal: {1 << 30} kB\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)))
    assert place_count(WorkerSettings()) == places


def test_the_tightest_limit_of_the_unit_and_of_what_it_is_in_holds(machine: Path) -> None:
    limit(machine, "system.slice", "memory.max", str(2 << 30))
    limit(machine, "system.slice/anchord.service", "memory.max", str(4 << 30))
    limit(machine, "system.slice/anchord.service", "memory.high", "max")
    limit(machine, "system.slice/anchord.service", "cpu.max", "250000 100000")
    assert total_mb(WorkerSettings()) == 1536
    assert core_count() == 2  # two and a half
    assert place_count(WorkerSettings()) == 2
    limit(machine, "system.slice", "cpu.max", "50000 100000")
    assert core_count() == 1


def test_in_a_container_its_own_group_is_the_root(machine: Path) -> None:
    (machine / "own").write_text("0::/\n")
    limit(machine, "", "memory.max", str(1 << 30))
    assert total_mb(WorkerSettings()) == 768
    assert place_count(WorkerSettings()) == 1


def test_where_nothing_is_told_there_is_still_one_place(machine: Path) -> None:
    for name in ("meminfo", "own"):
        (machine / name).unlink()
    assert place_count(WorkerSettings()) >= 1


def test_settings_have_the_last_word(machine: Path) -> None:
    assert place_count(WorkerSettings(processes=3)) == 3
    assert total_mb(WorkerSettings(memory_total_mb=1300)) == 1300
    assert place_count(WorkerSettings(memory_total_mb=1300)) == 1300 // PLACE_MB


@given(memory_total_mb=st.integers(1, 1 << 24))
def test_more_memory_never_means_fewer_places(memory_total_mb: int) -> None:
    less = place_count(WorkerSettings(memory_total_mb=memory_total_mb))
    more = place_count(WorkerSettings(memory_total_mb=memory_total_mb + PLACE_MB))
    assert 1 <= less <= more
