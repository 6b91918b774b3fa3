"""The films: one row each, with what it asks of a tracker."""

from __future__ import annotations

from testing.bending import Grimace, Words
from testing.hands import Hand
from testing.making import Film

_BLINKS = (0.6, 1.7, 2.9)

#: A known motion, and nothing in front of the face.
MOTION = (
    Film(name="still", asks="does it stand still in a camera's grain", motion="still", is_quick=True),
    Film(name="breath", asks="small motion", is_quick=True),
    Film(name="breath_60", asks="small motion, many frames", fps=60),
    Film(name="sway_25", asks="large motion", motion="sway", fps=25, who="dark"),
    Film(name="sway_60", asks="large motion, many frames", motion="sway", fps=60),
    Film(name="fast", asks="nine pixels from frame to frame", motion="fast", is_quick=True),
    Film(name="drift", asks="a loop that does not close", motion="drift", who="admiral", is_quick=True),
    Film(
        name="uneven", asks="frames of uneven length", motion="sway", uneven=True, who="lisa", is_quick=True
    ),
    Film(name="gap", asks="nobody there for 0.4 s", motion="sway", fps=25, gap_s=(1.2, 1.6), is_quick=True),
    Film(name="blinks", asks="three blinks", blinks_s=_BLINKS, is_quick=True),
    Film(name="blinks_dark", asks="three blinks, dark skin", blinks_s=_BLINKS, who="dark"),
    Film(name="blinks_glasses", asks="three blinks behind glasses", blinks_s=_BLINKS, who="spectacled"),
    Film(name="compressed", asks="a starved encoder", motion="sway", crf=52),
    Film(name="noise", asks="a dark room's noise", motion="sway", grain=14, who="admiral"),
    Film(name="blurred", asks="out of focus", motion="sway", blur=2.5, who="beard"),
    Film(name="dims", asks="light that goes and comes", light="dims", who="dark_spectacled"),
    Film(name="wanders", asks="light from one side, then the other", motion="sway", light="wanders"),
    Film(name="zoom", asks="a face that grows by a third", motion="zoom", who="brown"),
    Film(name="tilt", asks="a head laid on both shoulders", motion="tilt", who="bearded_admiral"),
    Film(name="beard", asks="large motion of a beard", motion="sway", who="beard"),
    Film(name="glasses", asks="large motion of glasses", motion="sway", who="spectacled"),
    Film(name="painting", asks="large motion, hardly a feature", motion="sway", who="lisa"),
)

# Who, how the head moves, how strong the words are.
_TALKERS = (
    ("astronaut", "breath", 1.0),
    ("admiral", "sway", 1.3),
    ("lisa", "breath", 1.2),
    ("dark", "sway", 1.2),
    ("brown", "breath", 1.0),
    ("beard", "sway", 1.4),
    ("spectacled", "breath", 1.4),
    ("bearded_admiral", "breath", 1.2),
    ("dark_spectacled", "sway", 1.0),
)

#: Faces that talk, laugh and yawn: no hand is anywhere.
SPEECH = (
    *(
        Film(
            name=f"speech_{who}",
            asks="words, breath and blinks",
            who=who,
            motion=motion,
            seconds=8.0,
            fps=25.0,
            words=Words(spans_s=((0.5, 3.4), (4.2, 7.4)), seed=seed, strength=strength),
            blinks_s=(1.1, 4.0, 6.3),
            is_quick=who == "beard",
        )
        for seed, (who, motion, strength) in enumerate(_TALKERS)
    ),
    Film(
        name="speech_fast",
        asks="quick words in a quick head",
        who="astronaut",
        motion="fast",
        seconds=8.0,
        fps=25.0,
        words=Words(spans_s=((0.5, 7.5),), seed=31, strength=1.3, per_s=11),
    ),
    Film(
        name="speech_compressed",
        asks="words in a starved encoder",
        who="admiral",
        motion="sway",
        seconds=8.0,
        fps=25.0,
        words=Words(spans_s=((0.5, 7.5),), seed=32, strength=1.2),
        crf=48,
    ),
    Film(
        name="smile",
        asks="a smile that comes and stays, twice",
        who="astronaut",
        seconds=8.0,
        fps=25.0,
        grimaces=(
            Grimace(shape="REST", start_s=0.5, stay_s=1.5),
            Grimace(shape="SMILE", start_s=4.0, stay_s=2.0),
        ),
        is_quick=True,
    ),
    Film(
        name="smile_admiral",
        asks="a smile in wrinkles",
        who="admiral",
        motion="sway",
        seconds=8.0,
        fps=25.0,
        grimaces=(
            Grimace(shape="SMILE", start_s=1.0, stay_s=1.5),
            Grimace(shape="OO", start_s=4.5, stay_s=1.5),
        ),
    ),
    Film(
        name="yawn",
        asks="a mouth wide open for two seconds",
        who="admiral",
        seconds=8.0,
        fps=25.0,
        grimaces=(
            Grimace(shape="WIDE", start_s=1.0, stay_s=1.5),
            Grimace(shape="YAWN", start_s=4.0, stay_s=2.0, change_s=0.5),
        ),
    ),
    Film(
        name="yawn_dark",
        asks="a mouth wide open, dark skin",
        who="dark",
        motion="sway",
        seconds=8.0,
        fps=25.0,
        grimaces=(
            Grimace(shape="YAWN", start_s=1.0, stay_s=1.0, change_s=0.4),
            Grimace(shape="WIDE", start_s=4.5, stay_s=2.0, change_s=0.2),
        ),
    ),
    Film(
        name="open_at_once",
        asks="a mouth that is open from one frame to the next",
        who="beard",
        seconds=6.0,
        fps=25.0,
        grimaces=(Grimace(shape="WIDE", start_s=2.0, stay_s=1.5, change_s=0.08),),
    ),
)

#: Heads that turn and nod, mute and talking: no hand is anywhere.
TURNS = tuple(
    Film(
        name=f"{motion}_{who}",
        asks=asks,
        who=who,
        motion=motion,
        seconds=8.0,
        fps=25.0,
        words=Words(spans_s=((0.8, 7.2),), seed=40 + number) if number % 2 else None,
        blinks_s=(1.4, 5.1),
        is_quick=(motion, who) == ("look_around", "astronaut"),
    )
    for number, (motion, who, asks) in enumerate(
        (
            ("look_around", "astronaut", "turns by 12 degrees"),
            ("look_around", "admiral", "turns by 12 degrees, words"),
            ("look_around", "dark", "turns by 12 degrees"),
            ("look_around", "brown", "turns by 12 degrees, words"),
            ("turn_away", "spectacled", "a turn by 25 degrees, a nod by 15"),
            ("turn_away", "beard", "a turn by 25 degrees, a nod by 15, words"),
            ("turn_away", "lisa", "a turn by 25 degrees, a nod by 15"),
            ("turn_away", "astronaut", "a turn by 25 degrees, a nod by 15, words"),
            ("raise_head", "admiral", "a raised head"),
            ("raise_head", "dark_spectacled", "a raised head, words"),
            ("raise_head", "beard", "a raised head"),
        )
    )
)

_MOUTH, _EYE, _EYES = (0.0, 0.75), (-0.33, 0.02), (0.0, 0.05)


def _hand(name: str, asks: str, *hands: Hand, **keys: object) -> Film:
    return Film(name=f"hand_{name}", asks=asks, hands=hands, **({"seconds": 5.0, "fps": 25.0} | keys))  # type: ignore[arg-type]


#: Hands in front of the face.
HANDS = (
    _hand(
        "lips",
        "two fingers on the lips alone for a second",
        Hand(kind="two", at=(0.02, 0.72), angle_deg=72, start_s=1.5, stay_s=1.0),
        is_quick=True,
    ),
    _hand(
        "hush",
        "a finger on the lips",
        Hand(kind="finger", at=(0.0, 0.78), size=1.35, start_s=1.2, stay_s=1.5, colour="rosy"),
        who="admiral",
    ),
    _hand(
        "half_mouth",
        "half of the mouth for 0.5 s",
        Hand(kind="flat", at=(-0.3, 0.8), angle_deg=20, start_s=2.0, enter_s=0.3, stay_s=0.5, leave_s=0.3),
    ),
    _hand(
        "short",
        "a quick hand: the mouth is covered for 0.4 s",
        Hand(kind="fist", at=_MOUTH, start_s=2.0, enter_s=0.16, stay_s=0.36, leave_s=0.16, colour="rosy"),
        who="admiral",
        is_quick=True,
    ),
    _hand(
        "creeps",
        "a hand that creeps over the mouth within 1.5 s and stays",
        Hand(kind="flat", at=(0.05, 0.85), angle_deg=62, start_s=0.8, enter_s=1.5, stay_s=1.5, leave_s=0.6),
        seconds=6.0,
        who="lisa",
    ),
    _hand(
        "dark_on_dark",
        "a dark hand on dark skin",
        Hand(kind="flat", at=(0.1, 0.8), angle_deg=-55, start_s=1.5, stay_s=1.2, colour="dark"),
        who="dark",
        motion="sway",
    ),
    _hand(
        "tan_on_brown",
        "a hand of the skin's own colour on a beard",
        Hand(kind="fist", at=(0.05, 0.85), start_s=1.2, stay_s=1.6, colour="tan", goes_with=1.0),
        who="brown",
        motion="sway",
    ),
    _hand(
        "goes_with",
        "a chin in a hand: lips covered for long, hand and head move as one",
        Hand(kind="fist", at=(0.0, 0.82), start_s=1.0, enter_s=0.5, stay_s=4.0, leave_s=0.5, goes_with=1.0),
        seconds=7.0,
        motion="sway",
        who="beard",
    ),
    _hand(
        "eye",
        "a hand on one eye",
        Hand(kind="flat", at=(-0.28, 0.08), angle_deg=38, start_s=1.5, stay_s=1.2),
        is_quick=True,
    ),
    _hand(
        "eyes",
        "both eyes rubbed",
        Hand(kind="flat", at=(-0.34, 0.05), angle_deg=34, start_s=1.5, stay_s=1.4, seed=2),
        Hand(kind="flat", at=(0.34, 0.05), angle_deg=-34, start_s=1.5, stay_s=1.4, seed=3),
        motion="sway",
    ),
    _hand(
        "all",
        "the whole face in two hands",
        Hand(kind="spread", at=(-0.2, 0.3), angle_deg=18, size=1.25, start_s=1.5, stay_s=1.2, seed=2),
        Hand(kind="spread", at=(0.2, 0.3), angle_deg=-18, size=1.25, start_s=1.5, stay_s=1.2, seed=3),
        who="admiral",
    ),
    _hand(
        "mug",
        "a drink: a mug in front of the mouth",
        Hand(kind="mug", at=(0.1, 0.98), start_s=1.2, enter_s=0.6, stay_s=1.4, leave_s=0.6, size=0.8),
        who="spectacled",
        motion="sway",
    ),
    _hand(
        "phone",
        "a phone in front of the mouth",
        Hand(
            kind="phone",
            at=(0.0, 0.9),
            angle_deg=55,
            start_s=1.2,
            enter_s=0.5,
            stay_s=1.4,
            colour="brown",
            size=0.8,
        ),
        who="dark_spectacled",
    ),
    _hand(
        "glove",
        "a blue glove",
        Hand(kind="flat", at=(0.0, 0.8), angle_deg=-80, start_s=1.5, stay_s=1.0, colour="glove"),
        who="bearded_admiral",
        motion="sway",
    ),
    _hand(
        "blurred",
        "a hand out of focus, near the camera",
        Hand(kind="flat", at=(0.0, 0.8), angle_deg=30, size=1.4, start_s=1.2, stay_s=1.4, blur=(1.0, 6.0)),
        motion="sway",
    ),
    _hand(
        "speech",
        "words, then a hand, then words",
        Hand(kind="flat", at=(0.0, 0.8), angle_deg=70, start_s=3.0, stay_s=1.5),
        seconds=8.0,
        words=Words(spans_s=((0.4, 2.9), (5.6, 7.6)), seed=21, strength=1.2),
        blinks_s=(1.0, 6.0),
        motion="sway",
        who="admiral",
    ),
    _hand(
        "turn",
        "a hand in front of a head that turns",
        Hand(kind="two", at=(0.0, 0.76), angle_deg=-65, start_s=4.0, stay_s=1.5, colour="tan"),
        seconds=8.0,
        motion="look_around",
        who="beard",
    ),
    _hand(
        "from_start",
        "a hand that is there from the first frame on, for long",
        Hand(kind="flat", at=(0.05, 0.8), angle_deg=58, start_s=-2.0, enter_s=0.5, stay_s=3.8, leave_s=0.5),
        seconds=6.0,
        who="astronaut",
    ),
    _hand(
        "twice",
        "two hands one after the other",
        Hand(kind="flat", at=(0.0, 0.8), angle_deg=-60, start_s=0.8, stay_s=0.8, seed=2, colour="rosy"),
        Hand(kind="fist", at=(0.0, 0.8), angle_deg=15, start_s=3.6, stay_s=0.8, seed=3, colour="rosy"),
        seconds=6.0,
        who="admiral",
        motion="sway",
    ),
    _hand(
        "chin",
        "a hand on the chin that covers nothing: no alarm",
        Hand(kind="fist", at=(0.0, 1.42), start_s=1.0, stay_s=2.0),
    ),
    _hand(
        "cheek",
        "a hand on the cheek that covers nothing: no alarm",
        Hand(kind="flat", at=(-0.85, 0.6), angle_deg=10, start_s=1.0, stay_s=2.0),
        motion="sway",
        who="admiral",
    ),
    _hand(
        "waves",
        "a hand that waves beside the face: no alarm",
        Hand(kind="spread", at=(-1.4, 0.2), start_s=0.8, stay_s=0.4),
        Hand(kind="spread", at=(-1.35, 0.1), start_s=2.2, stay_s=0.4, seed=2),
        who="dark",
    ),
)

#: Drawn avatars, whose static anchors are known and whose landmarks need not be.
DRAWN = (
    Film(
        name="girl",
        asks="an anime loop: fringe over blinking eyes",
        who="girl",
        swing=5,
        blinks_s=_BLINKS,
        grain=0,
    ),
    Film(
        name="girl_sway",
        asks="an anime loop with large motion",
        who="girl",
        motion="sway",
        swing=8,
        blinks_s=(1.1, 2.6),
        grain=0,
        is_quick=True,
    ),
    Film(
        name="girl_speech",
        asks="an anime loop that talks",
        who="girl",
        seconds=6.0,
        swing=5,
        blinks_s=(1.2, 4.1),
        words=Words(spans_s=((0.5, 5.5),), seed=51),
        grain=0,
    ),
    Film(
        name="girl_compressed",
        asks="an anime loop, starved",
        who="girl",
        swing=5,
        blinks_s=(1.5,),
        grain=0,
        crf=48,
    ),
    Film(name="boy", asks="thick lines, hardly a feature", who="boy", swing=3, blinks_s=_BLINKS, grain=0),
    Film(
        name="boy_sway", asks="thick lines, large motion", who="boy", motion="sway", blinks_s=(1.4,), grain=0
    ),
    Film(name="cat", asks="a mascot's face", who="cat", swing=4, blinks_s=_BLINKS, grain=0),
    Film(
        name="cat_fast",
        asks="a mascot that jumps",
        who="cat",
        motion="fast",
        swing=6,
        blinks_s=(2.0,),
        grain=0,
    ),
    Film(name="cat_drift", asks="a mascot whose loop does not close", who="cat", motion="drift", grain=0),
)

FILMS = MOTION + SPEECH + TURNS + HANDS + DRAWN
