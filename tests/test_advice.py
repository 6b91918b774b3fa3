"""Every warning has its advice, wherever it is told of."""

from __future__ import annotations

import re
from pathlib import Path

from anchord import timeline
from anchord.advice import WARNINGS

HOUSE = Path(__file__).parents[1] / "anchord"


def test_the_table_has_just_the_codes_that_are_warned_of() -> None:
    tracking = "".join(room.read_text() for room in (HOUSE / "tracking").rglob("*.py"))
    codes = set(re.findall(r'code="([a-z_]+)"', tracking))
    codes |= {
        code for pair in re.findall(r'code="([a-z_]+)" if .* else "([a-z_]+)"', tracking) for code in pair
    }
    assert codes == set(WARNINGS)


def test_the_schema_has_just_these_codes() -> None:
    schema = timeline.schema()["$defs"]["VideoWarning"]["properties"]["code"]
    assert schema["enum"] == list(WARNINGS)


def test_advice_is_a_part_of_a_sentence() -> None:
    for advice in WARNINGS.values():
        for text in advice:
            assert text[0].islower()
            assert not text.endswith(".")
