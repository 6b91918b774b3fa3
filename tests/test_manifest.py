"""Static anchors out of manifests as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord.manifest import Box, Statics, statics_in

GOOD = {"x": 176, "y": 400, "w": 160, "h": 120}


def test_anchors_of_the_documents_manifest_are_read() -> None:
    found = statics_in({"mouth": {"anchor": GOOD}, "eyes": {"anchor": GOOD | {"roll": 3}}})
    assert found == Statics(mouth=Box(x=176, y=400, w=160, h=120), eyes=Box(x=176, y=400, w=160, h=120))


@pytest.mark.parametrize("bad", [{}, {"w": 0}, {"x": "176"}, {"h": True}, {"y": 1e9}])
def test_what_no_head_can_be_followed_by_counts_as_none(bad: dict[str, Any]) -> None:
    broken = GOOD | bad if bad else None
    assert statics_in({"mouth": {"anchor": GOOD}, "eyes": {"anchor": broken}}) is None


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda inner: st.dictionaries(st.sampled_from(["mouth", "eyes", "anchor", "x", "w"]), inner),
    )
)
def test_any_manifest_has_anchors_or_none(manifest: Any) -> None:
    assert isinstance(statics_in(manifest), Statics | None)
