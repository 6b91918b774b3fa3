from __future__ import annotations

from pathlib import Path

from testing import budget

FOUND = {("sway", 3): {"lock": 0.05, "missed": 0.0, "lag": 0.0}}


def test_what_was_written_holds_what_was_measured(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    budget.write(FOUND, file)
    assert budget.left(FOUND, budget.read(file)) == []


def test_a_figure_that_grows_is_named_with_its_budget(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    budget.write(FOUND, file)
    (line,) = budget.left({("sway", 3): {"lock": 0.08, "missed": 0.0, "lag": 0.0}}, budget.read(file))
    assert line == "sway at rate 3: lock is 0.080, 0.067 is its budget"


def test_a_hand_that_is_missed_has_no_margin(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    budget.write(FOUND, file)
    assert budget.left({("sway", 3): {"lock": 0.05, "missed": 1.0, "lag": 0.0}}, budget.read(file))


def test_a_figure_that_vanished_or_is_new_is_named_too(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    budget.write(FOUND, file)
    said = budget.left({("sway", 3): {"lock": 0.05, "missed": 0.0, "roll": 0.1}}, budget.read(file))
    assert [line.split(": ")[1].split(" ")[0] for line in said] == ["lag", "roll"]


def test_only_what_was_measured_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    budget.write(FOUND | {("still", 1): {"lock": 0.02}}, file)
    budget.write({("still", 1): {"lock": 0.5}}, file)
    assert budget.read(file)["sway", 3, "lock"] == 0.067
    assert budget.read(file)["still", 1, "lock"] == 0.585


def test_a_sample_rate_that_no_line_names_is_not_judged_but_a_new_film_is(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    budget.write(FOUND, file)
    assert budget.left({("sway", 5): {"lock": 9.0}}, budget.read(file)) == []
    assert budget.left({("new", 3): {"lock": 0.01}}, budget.read(file)) == [
        "new at rate 3: lock is 0.010 and has no budget"
    ]
