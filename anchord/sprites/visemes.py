"""The shapes of speech, and a sentence that has them all. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from anchord.sprite_set import Viseme

#: Said once, clearly and not too fast, it has every viseme in it several times.
SENTENCE = (
    "The father saw two blue shoes on the beach, both far off; then he heard: oh, five more fish, please!"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    Lips of one viseme. Lengths are in widths of the relaxed mouth.

    Taken by eye from photographs of speakers; what it looks like on faces is on the contact sheet.

    Args:
        width: of the mouth over the relaxed one.
        opening: between the lips in the middle; 0 shuts them.
        lift: share of the opening by which the upper lip rises.
        bare: share of the lower lip's way that the jaw does not go: lower teeth show.
        reach: half width of the opening over that of the mouth: small for a round hole.
        thick: height of the lips over what it was, upper and lower.
        smile: share of the reference's smile that is left.
        tongue: how far up its tip stands in the opening, 0–1; None where it is not seen.
        teeth: how much of them is seen, 0–1: less where the lips stand out and shade them.
    """

    width: float = 1.0
    opening: float = 0.0
    lift: float = 0.25
    bare: float = 0.2
    reach: float = 0.96
    thick: tuple[float, float] = (1.0, 1.0)
    smile: float = 0.5
    tongue: float | None = None
    teeth: float = 1.0


SHAPES: dict[Viseme, Shape] = {
    "REST": Shape(smile=1.0),
    "AA": Shape(width=0.95, opening=0.36, lift=0.16, bare=0.15, smile=0.25, tongue=0.3),
    "EE": Shape(width=1.1, opening=0.15, lift=0.42, bare=0.75, thick=(0.85, 0.85), smile=1.0),
    "OH": Shape(
        width=0.82, opening=0.27, lift=0.22, reach=0.82, thick=(1.05, 1.0), smile=0.0, tongue=0.2, teeth=0.75
    ),
    "OO": Shape(width=0.72, opening=0.11, lift=0.4, reach=0.62, thick=(1.12, 1.0), smile=0.0, teeth=0.12),
    "FF": Shape(width=0.97, opening=0.08, lift=1.35, bare=0.0, thick=(0.85, 0.7), smile=0.3),
    "TH": Shape(width=0.92, opening=0.12, lift=0.3, bare=0.4, reach=0.88, smile=0.3, tongue=0.9),
}
