"""Ways in which a file gets damaged, each repeatable from its seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A damaged film; its name ends in the number that its damage follows from."""

    name: str
    film: str
    kind: str
    content: bytes


def mutants(films: dict[str, bytes], count: int, *, seed: int = 1) -> Iterator[Mutant]:
    """*count* damaged films: every film in turn, every kind of damage in turn."""
    names = sorted(films)
    kinds = list(_KINDS)
    for index in range(count):
        film = names[index % len(names)]
        kind = kinds[index // len(names) % len(kinds)]
        chance = Random(f"{seed} {index}")
        content = _KINDS[kind](films[film], films[chance.choice(names)], chance)
        yield Mutant(name=f"{film}: {kind} {index}", film=film, kind=kind, content=content)


def _flipped(content: bytes, chance: Random, first: int, last: int) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        damaged[chance.randrange(first, last)] ^= chance.randrange(1, 256)
    return bytes(damaged)


def _flip(content: bytes, _other: bytes, chance: Random) -> bytes:
    return _flipped(content, chance, 0, len(content))


def _flip_front(content: bytes, _other: bytes, chance: Random) -> bytes:
    return _flipped(content, chance, 0, min(600, len(content)))


def _flip_back(content: bytes, _other: bytes, chance: Random) -> bytes:
    return _flipped(content, chance, max(0, len(content) - 900), len(content))


def _extreme(content: bytes, _other: bytes, chance: Random) -> bytes:
    """A number becomes the largest or smallest there is, where numbers mostly are."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 2, 4))):
        size = chance.choice((1, 2, 4, 8))
        value = chance.choice((b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01"))
        half = chance.choice((slice(0, 700), slice(-1000, None), slice(0, None)))
        at = chance.choice(range(len(content))[half])
        damaged[at : at + size] = (value + bytes([value[0] & 1] * 7))[:size]
    return bytes(damaged[: len(content)])


def _cut(content: bytes, _other: bytes, chance: Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def _cut_out(content: bytes, _other: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.choice((1, 16, 256, 2048)) :]


def _zeros(content: bytes, _other: bytes, chance: Random) -> bytes:
    """A hole, as an upload leaves that reserves the space first."""
    at, size = chance.randrange(len(content)), chance.choice((16, 256, 4096))
    hole = content[at : at + size]
    return content[:at] + bytes(len(hole)) + content[at + size :]


def _twice(content: bytes, _other: bytes, chance: Random) -> bytes:
    at, size = chance.randrange(len(content)), chance.choice((1, 16, 256, 2048))
    return content[: at + size] + content[at:]


def _splice(content: bytes, other: bytes, chance: Random) -> bytes:
    """The front of one file and the back of another."""
    return content[: chance.randrange(len(content))] + other[chance.randrange(len(other)) :]


def _insert(content: bytes, other: bytes, chance: Random) -> bytes:
    at, start = chance.randrange(len(content)), chance.randrange(len(other))
    return content[:at] + other[start : start + chance.choice((1, 64, 1024))] + content[at:]


def _append(content: bytes, other: bytes, chance: Random) -> bytes:
    return content + (other if chance.random() < 0.5 else chance.randbytes(chance.randrange(1, 2000)))


_KINDS: dict[str, Callable[[bytes, bytes, Random], bytes]] = {
    "flip": _flip,
    "flip in front": _flip_front,
    "flip at the back": _flip_back,
    "extreme": _extreme,
    "cut": _cut,
    "cut out": _cut_out,
    "zeros": _zeros,
    "twice": _twice,
    "splice": _splice,
    "insert": _insert,
    "append": _append,
}
