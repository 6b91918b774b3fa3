"""Tuned numbers in one record, with unit and origin; those not yet moved here stand in their rooms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """
    What was tuned rather than derived.

    Lengths on a face are in distances between the outer corners of its eyes unless they say otherwise.
    "Clips" are 20 of real people, 130 s, "pasted hands" 2,600 pictures of them with a hand, a finger or a
    thing drawn over a part, "films" those of ``testing.films``. Pasted hands were swept with 8 references and
    the best of them; the 16 of which two must agree were checked on films and clips alone.
    """

    # --- motion/occlusion.py: is something in front of a part? -------------------------------------
    #: Distance of the taps that read a landmark's surroundings. 5 x 5 at 0.012 tells no more than 3 x 3.
    texture_step: float = 0.02
    #: Points that are compared together, itself included. 9, 12, 16, 25 on clips and pasted hands: 25 misses
    #: hands over half of the eyes, 9 takes more of a word for foreign (0.28 at most, for 0.21).
    texture_neighbours: int = 16
    #: Contrast under which a surrounding is flat, as a share of the variance of the whole part. 0.01 to 0.06
    #: are alike.
    texture_flat: float = 0.03
    #: Likeness to every reference below which a point is foreign. Clips' largest share and that of one in
    #: twenty hands over half of a mouth: 0.4 gives 0.21 and 0.00, 0.5 0.24 and 0.10, 0.6 0.40 and 0.27.
    foreign: float = 0.5
    #: Samples that a texture is compared with. With 8 and 12 a grimace has a share of 0.31 and 0.45 on clips,
    #: with 16 of 0.24.
    texture_references: int = 16
    #: Samples with fewer foreign points than this share show the same. With 0.4 hands get among them.
    alike_share: float = 0.2
    #: And with fewer than this they are certain enough to be compared with. A guess below the other.
    same_share: float = 0.15
    #: From this share on, what is seen is not the part, however much it looks like one. On films open mouths
    #: have at most 0.47, a mug that looks like lips 0.83 and more.
    plain_share: float = 0.65
    #: Share of a part's points that are foreign while something is in front of it at all. A guess.
    touched_share: float = 0.2
    #: And on the whole, while it covers half of it. 0.25 finds 98 % of single pasted hands, 0.3 97 %; the
    #: clips' largest share is 0.27.
    covered_share: float = 0.28
    #: Samples that are compared with each other to find out which show the part itself. A guess.
    texture_compared: int = 24
    #: How much a group's likeness to a drawn part, -1 to 1, counts beside its share of the samples. Hands
    #: that stay for 65 % of a clip are then told from mouths (on 20 clips one is taken for the other).
    part_likeness: float = 2.0
    #: How much it counts that a group has the clip's first or last sample, beside its share of them. Without
    #: it two of 22 hands on films are not sure enough to be named.
    at_an_end: float = 0.25
    #: By how much the part itself must win over what looks different. A guess.
    sure: float = 0.3
    #: Surroundings this much narrower than usual are turned away, and tell nothing. No clip turns so far.
    foreshortened: float = 0.6
    #: A part must be covered for so long, ms; it then counts as hidden so much longer at both ends. Guesses:
    #: a word is shorter, and two samples of five frames are not.
    hidden_ms: float = 250.0
    hidden_fringe_ms: float = 121.0

    # --- motion/eyewear.py: are eyes behind something all the time? ---------------------------------
    # Found on 82 pictures of 53 people of every shade of skin, also lit from one side, with sunglasses and
    # hair painted over their eyes. A conjunction, since dark eye sockets and dark skin have one of the two.
    #: Likeness to drawn lids and brows below which eyes are not seen. Bare: 0.42 and more in three of four,
    #: 0.16 in one of twenty; sunglasses 0.22 at most in nineteen of twenty.
    eyes_drawn: float = 0.33
    #: Brightness around both eyes over the cheeks' (a logarithm) below which something dark is before them.
    #: Both together name 79 of 82 sunglasses, and none of the 164 others.
    eyes_shaded: float = -0.5
    #: Difference of that between the eyes from which one is hidden. Bare 0.28 at most, lit from one side
    #: 0.23; dark hair is over it in 38 of 82, mostly where the skin is light.
    eyes_uneven: float = 0.35

    # --- motion/regions.py: a head known by its static anchors alone --------------------------------
    #: Width of a manifest's eyes box over the distance of the eyes' outer corners: our own padding.
    eyes_box: float = 1.3
    #: Half axes of the surroundings that each part goes with. A face with landmarks has 0.90 x 0.75 and
    #: 0.75 x 0.20; the latter would be all behind the box.
    around_mouth: tuple[float, float] = (0.90, 0.75)
    around_eyes: tuple[float, float] = (0.80, 0.80)
    #: What is asked beside where these have hardly a feature, up to ears and hair. Without it a cartoon of
    #: thick lines slides by 0.49 and 0.56 px, with it by 0.03 and 0.20.
    widely_around_eyes: tuple[float, float] = (1.10, 0.75)
    #: Below the mouth's middle the neck begins, which stays behind when a head moves.
    chin: float = 0.5
    #: What is cut out with them, beside and above the eyes and below the mouth. So that all of these fit.
    head_around: tuple[float, float, float] = (1.15, 0.85, 0.95)
    #: Correlation with a head that is searched for, at least. A guess.
    searched_alike: float = 0.5

    # --- anchors.py: how high the eyes' box is ------------------------------------------------------
    #: Quantile of the openings in a clip that the box is as high as. Both eyes' width over height, median of
    #: 20 clips: 0.5 gives 9.6, 0.75 8.8, 0.9 8.4, 0.95 8.0; boxes drawn by people on 36 faces have 8.3.
    opened: float = 0.9
    #: From this share of that height on, eyes are open and say where their box is. A guess.
    opened_nearly: float = 0.8

    # --- trajectory.py: what is written ------------------------------------------------------------
    #: What the page may be off between written frames, target px. Wished for.
    read_px: float = 0.1
    #: How far written values go from the curve to what lies best for straight lines, 0–1. Eight films, px
    #: rms by straight lines and as the page reads: 0.7 gives .049 and .039.
    straight_share: float = 0.7


TUNING = Tuning()
