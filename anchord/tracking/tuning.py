"""Every tuned number of this wing, in one record: its unit, where it comes from, what is lost without it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """
    What was tuned rather than derived.

    Lengths on a face are in distances between the outer corners of its eyes unless they say otherwise.
    """

    # --- motion/occlusion.py: is something in front of a part? -------------------------------------
    #: Distance of the taps that read a landmark's surroundings.
    texture_step: float = 0.02
    #: Points that are compared together, itself included.
    texture_neighbours: int = 16
    #: Contrast under which a surrounding is flat, as a share of the variance of the whole part.
    texture_flat: float = 0.03
    #: Likeness to every reference below which a point is foreign.
    foreign: float = 0.5
    #: Samples that a texture is compared with.
    texture_references: int = 16
    #: Samples with fewer foreign points than this share show the same.
    alike_share: float = 0.2
    #: And with fewer than this they are certain enough to be compared with.
    same_share: float = 0.15
    #: From this share on, what is seen is not the part, however much it looks like one.
    plain_share: float = 0.65
    #: Share of a part's points that are foreign while something is in front of it at all.
    touched_share: float = 0.2
    #: And on the whole, while it covers half of it.
    covered_share: float = 0.28
    #: Samples that are compared with each other to find out which show the part itself.
    texture_compared: int = 24
    #: How much a group's likeness to a drawn part, -1 to 1, counts beside its share of the samples.
    part_likeness: float = 2.0
    #: How much it counts that a group has the clip's first or last sample, beside its share of them.
    at_an_end: float = 0.25
    #: By how much the part itself must win over what looks different.
    sure: float = 0.3
    #: Surroundings this much narrower than usual are turned away, and tell nothing.
    foreshortened: float = 0.6
    #: A part must be covered for so long, ms; it then counts as hidden so much longer at both ends.
    hidden_ms: float = 250.0
    hidden_fringe_ms: float = 121.0

    # --- trajectory.py: what is written ------------------------------------------------------------
    #: What the page may be off between written frames, target px.
    read_px: float = 0.1
    #: How far written values go from the curve to what lies best for straight lines, 0–1.
    straight_share: float = 0.7


TUNING = Tuning()
