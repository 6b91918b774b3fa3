"""One page for many packs: nothing in it runs but its own script, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

import pytest

from anchord.preview.page import Card, Table, badness, joined, page, stretches
from anchord.timeline import Timeline
from tests.preview.conftest import swaying

EVIL = '"><script>alert(1)</script>\u202e'


def html(*cards: Card, tables: tuple[Table, ...] = ()) -> str:
    return joined(page(EVIL, EVIL, cards, tables)).decode()


def test_names_and_messages_are_text_wherever_they_stand(eventful: Timeline) -> None:
    made = html(
        Card(EVIL, eventful, b"\xff\xd8\xff", EVIL),
        Card(EVIL, None, fault=EVIL),
        tables=(Table(EVIL, [EVIL], [[EVIL]]),),
    )
    assert made.count("<script") == 1
    assert "<b>" not in made
    assert "\u202e" not in made
    assert made.count(r"\u202e") >= 6


def test_its_policy_allows_its_own_style_and_script_and_pictures_in_it_and_nothing_else() -> None:
    made = html(Card("ada", swaying(), b"\xff\xd8\xff"))
    policy = re.search(r'Policy content="([^"]+)"', made)
    assert policy
    assert policy[1].startswith("default-src 'none'; img-src data:; ")
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", made, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert not re.search(r'(src|href)=(?!"data:)', made.split("<main>")[1])
    assert " style=" not in made
    assert " on" not in re.sub(r">[^<]*<", "><", made.split("<main>")[1].split("<script>")[0])


def test_what_was_seen_covers_the_clip_but_for_its_gaps(eventful: Timeline) -> None:
    found = stretches(eventful)
    assert [word for word, _, _ in found] == ["tracked", "hidden", "tracked", "bridged", "tracked"]
    assert all(first < last for _, first, last in found)
    dark = [(a[2], b[1]) for a, b in pairwise(found) if a[2] != b[1]]
    assert dark == [pytest.approx((0.35, 0.5))]


def test_the_worst_comes_first(eventful: Timeline) -> None:
    cards = [Card("good", swaying()), Card("gap", eventful), Card("none", None)]
    assert [card.name for card in sorted(cards, key=badness)] == ["none", "gap", "good"]


def test_without_packs_there_are_no_controls() -> None:
    assert "<form" not in html()
