"""
Tuned numbers in one record, with unit and origin.

What bounds memory, and what a sum needs to end, is not tuned and stands in its room. What each number is
worth, which is which figures of the films leave their budget when it is doubled or halved, tells
``python -m bench.mutate anchord.tracking.tuning TUNING``.
"""

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

    # --- motion/tracker.py: the skin around a part ---------------------------------------------------
    #: Outer corners of the eyes in a patch are this far apart at most, px: a 512x640 target shows a good
    #: face at 100 to 150. Half of it doubles most figures of motion, twice is worse on turns and costs time.
    eyes_px: float = 90.0
    #: A close-up keeps this much of the face's size around it, and a patch this much beyond the skin that is
    #: followed. Guesses; more costs memory and time.
    close_up_margin: float = 0.25
    patch_margin: float = 0.2
    #: Light that changes slowly across the face is taken out by a mean over this share; what is left is
    #: strengthened so much. Guesses.
    light_share: float = 0.25
    contrast: float = 3.0
    #: Features of a patch at most, the fewest that tell something, and as many as hold a part in spite of
    #: those that go astray. A face with fewer of these around both parts is drawn: 21 clips of real people
    #: have 48 and more around one at least, in the median of their keyframes, a flat cartoon 12 to 26.
    features: int = 100
    fewest_features: int = 8
    enough_features: int = 33
    #: Around static anchors: with fewer, all of the head speaks for a part. A guess.
    plenty_features: int = 24
    #: Side of the window that Lucas and Kanade compare, px of a patch.
    window_px: int = 25
    #: Halvings of the picture: to a keyframe, which may look from elsewhere, as far as landmarks err; to the
    #: last sample, which is near; and to a head whose landmarks nobody knows, and which may have jumped.
    keyframe_levels: int = 2
    neighbour_levels: int = 1
    far_levels: int = 3
    #: A part is seen where such a share of features agrees with a keyframe, or as a face changes, with the
    #: sample before. Only what is seen is worth a keyframe.
    seen: float = 0.35
    still_seen: float = 0.6
    #: A new keyframe where the part is seen but fewer agree than this, and the face has really changed its
    #: shape, by so much.
    agree_well: float = 0.75
    shape_changed: float = 0.008
    #: A keyframe that so many features know again says it all: the sample before would add nothing.
    plainly_seen: float = 0.95
    #: Keyframes at most: they bound memory and time.
    keyframes: int = 16
    #: Lids that are this much further open or shut have pulled at the skin within the second.
    blink: float = 0.02
    blink_clearance: float = 0.25
    #: Half a side of what is looked at of a cheek, and the blurs between which lines are fine and coarse.
    cheek: float = 0.06
    sigmas: tuple[float, float, float] = (0.008, 0.02, 0.04)

    # --- motion/linking.py, similarity.py: features into a motion ------------------------------------
    #: Residuals below this are noise, px of the patch; above the second features begin to disagree.
    residual_floor_px: float = 0.15
    residual_fine_px: float = 1.0
    #: Movements that differ by less, px of the patch, are averaged, others counted.
    agreed_px: float = 0.3
    #: Where Tukey's weight reaches zero, in robust standard deviations.
    tukey_reach: float = 3.0

    # --- motion/pose_graph.py, registration.py: links into a course ----------------------------------
    #: A link's own standard deviation at its best, and how it grows with the residuals of its features.
    link_best: float = 0.0003
    link_per_sigma: float = 0.2
    #: A turning face hides skin and bends what it shows: so much a link loses per turn beyond the second.
    link_per_turn: float = 1.0
    turned_freely: float = 0.015
    #: How far landmarks are off, and how much that changes from one sample to the next.
    landmarks_off: float = 0.03
    landmarks_change: float = 0.005
    #: Links that fewer features agree on are nothing; links and samples are trusted fully from the second on,
    #: and never less than the third.
    agree_least: float = 0.15
    agree_fully: float = 0.5
    trusted_least: float = 0.1
    #: Lever by which turn and scale count in the distance between links: half a face.
    lever: float = 0.35
    #: Squared distance, in standard deviations, from which a link is doubted (Cauchy's weights).
    cauchy: float = 6.0
    #: Share of the eyes in what is taken for the face's size: alone they would shrink with every blink.
    eyes_say: float = 0.8

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
    #: Width of the thumbnails by which keyframes are chosen, px, and how much more alike a picture must be to
    #: be compared closely, too: else one after the other would be. Guesses.
    thumbnail_px: int = 24
    liker: float = 0.002
    #: Px across the head as it is searched for in a whole picture, and the sizes that are tried. Guesses.
    searched_px: int = 60
    searched_scales: tuple[float, ...] = (1.0, 0.9, 1.11, 0.8, 1.25, 0.7, 1.4)
    #: Correlation with a head that is searched for, at least. A guess.
    searched_alike: float = 0.5

    # --- anchors.py: how high the eyes' box is ------------------------------------------------------
    #: Quantile of the openings in a clip that the box is as high as. Both eyes' width over height, median of
    #: 20 clips: 0.5 gives 9.6, 0.75 8.8, 0.9 8.4, 0.95 8.0; boxes drawn by people on 36 faces have 8.3.
    opened: float = 0.9
    #: From this share of that height on, eyes are open and say where their box is. A guess.
    opened_nearly: float = 0.8

    # --- sampling.py, faces/selection.py: which frames, which face -----------------------------------
    #: So much later than usual a frame on a varying rate is a sample out of turn. A guess.
    late: float = 1.25
    #: How far the face may get from where it was last seen, in its own height: at once, and per second after;
    #: and how much larger or smaller it may be when it comes back. Guesses.
    near: float = 0.5
    near_per_s: float = 1.0
    resized: float = 1.6

    # --- curves: noise, outliers, the loop's end -----------------------------------------------------
    #: Noise of neighbouring samples is alike in compressed video, which makes a narrow bell look better than
    #: it is: the widest whose prediction error is within this factor of the least is taken.
    nearly: float = 1.05
    #: Below this share of a sample's value coming from others, leaving it out says nothing.
    least_from_others: float = 0.08
    #: An outlier is this many robust standard deviations off, and further than this: a pixel on a good face.
    outlier: float = 6.0
    outlier_least: float = 0.01
    #: A loop's jump that nobody sees, and one that no motion explains: half a pixel and one and a half.
    unseen: float = 0.005
    unexplained: float = 0.015
    #: Beyond this, three pixels, no cut or cross-fade makes a loop of it.
    almost: float = 0.03

    # --- trajectory.py: what is written ------------------------------------------------------------
    #: What the page may be off between written frames, target px. Wished for.
    read_px: float = 0.1
    #: How far written values go from the curve to what lies best for straight lines, 0–1. Eight films, px
    #: rms by straight lines and as the page reads: 0.7 gives .049 and .039.
    straight_share: float = 0.7

    # --- quality.py: what a person is told -----------------------------------------------------------
    #: Height of a face over the frame's: the detector's own floor; the user's document asks for 30 to 50 %.
    small_share: float = 0.20
    #: Mean of the picture, 0-255, under which faces are lost, and of the face, under which noise drowns it.
    dark_level: float = 40.0
    dark_face: float = 50.0
    #: A face this near to an edge, as a share of its own height, was on its way out.
    edge_share: float = 0.05
    #: Sharpness of the eyes: 22 clips have 0.66 to 1.36; blurred by 6 px at 150 to 215 px between the eyes'
    #: corners five of them have 0.40 to 0.54, by 3 px 0.54 to 0.72.
    blurred: float = 0.6
    #: Noise of the cheeks, grey levels: the same clips have 0.5 to 5.3; with noise of 25 levels 45.
    noisy: float = 12.0
    #: Head turns, degrees from how it is mostly held. What lies a tenth of the eyes' distance deeper than the
    #: overlay then slides by 2 % of it, about two pixels of a 512x640 target.
    large_turn_deg: float = 10.0
    #: A head this far from upright, degrees, is in a video that lies on its side.
    tilted_deg: float = 30.0
    #: A second face in fewer samples than this share is one that the detector made up. A guess.
    several_share: float = 0.1
    #: The mouth's opening, 0-1, between its shut and its open moments, that is speech and no longer breath.
    mouth_moves: float = 0.15
    #: A jump that is seen, target px. A guess.
    seen_jump_px: float = 1.0


TUNING = Tuning()
