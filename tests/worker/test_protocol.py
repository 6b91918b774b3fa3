"""What is on the wire is whole, short, and of the one shape; or it is nothing."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchord import timeline
from anchord.errors import IncompleteVideoError, VideoError, WorkerError
from anchord.settings import ExtractSettings, Limits
from anchord.timeline import Anchor, Light, Pose, Sample, Signals
from anchord.worker import protocol
from anchord.worker.protocol import Assembler, Extracted, Failed, Job, Progress, Ready, Unfit

ANSWERS: list[protocol.Answer] = [
    Ready(sandbox={"limits": "on", "landlock": "off: no such call"}),
    Unfit(error="ModelError", message="it is missing"),
    Progress(number=3, done=10, expected=0),
    Extracted(number=3, content=b"{}"),
    Failed(number=3, error="IncompleteVideoError", message="ends at frame 7"),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)
def test_what_is_said_is_what_is_heard(answer: protocol.Answer) -> None:
    content = protocol.encode(answer)
    assert protocol.decode_answer(content[protocol.LENGTH_BYTES :]) == answer


def test_a_job_arrives_as_it_was_sent() -> None:
    job = Job(number=1, video="idle.webm", settings=ExtractSettings(include=("pose",)), limits=Limits())
    assert protocol.decode_job(protocol.encode(job)[protocol.LENGTH_BYTES :]) == job


@given(st.binary(max_size=200))
def test_bytes_from_anywhere_are_an_answer_or_a_worker_error(content: bytes) -> None:
    with contextlib.suppress(WorkerError):
        protocol.decode_answer(content)


SCALARS = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text() | st.binary()
)
KEYS = st.sampled_from(["type", "number", "done", "limits"])


@given(
    st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)),
    st.sampled_from(["number", "done", "expected", "content", "error", "message", "sandbox", "type", "x"]),
    st.sampled_from(ANSWERS),
)
def test_any_value_in_any_field_is_allowed_or_a_worker_error(
    value: object, field: str, answer: protocol.Answer
) -> None:
    """And what is allowed has the type that the field has."""
    message = msgspec.to_builtins(answer, builtin_types=(bytes,)) | {field: value}
    try:
        decoded = protocol.decode_answer(msgspec.msgpack.encode(message))
    except WorkerError:
        return
    assert type(getattr(decoded, field, "a type")) is type(value) or value == type(decoded).__name__


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 30))
def test_pieces_of_any_size_make_the_same_messages(messages: list[bytes], size: int) -> None:
    stream = b"".join(len(message).to_bytes(4, "big") + message for message in messages)
    assembler, popped = Assembler(max_bytes=50), []
    for start in range(0, len(stream), size):
        assembler.feed(stream[start : start + size])
        while (message := assembler.pop()) is not None:
            popped.append(message)
    assert popped == messages
    assert assembler.is_empty


def test_a_length_alone_is_refused_or_waited_for() -> None:
    """Nothing is set aside for what has only been announced."""
    assembler = Assembler(max_bytes=1 << 30)
    assembler.feed((1 << 30).to_bytes(4, "big"))
    assert assembler.pop() is None
    assert not assembler.is_empty
    assembler = Assembler(max_bytes=100)
    assembler.feed((101).to_bytes(4, "big"))
    with pytest.raises(WorkerError, match="its answer has 101 bytes, and 100 are the most allowed"):
        assembler.pop()


@pytest.mark.parametrize("precision", [0, 2, 6])
@pytest.mark.parametrize("include", [(), ("pose", "signals", "light", "left_eye", "right_eye")])
def test_no_honest_timeline_is_too_long(precision: int, include: tuple[timeline.Extra, ...]) -> None:
    """Every number as long as can be, a gap after every second sample, every extra there."""
    settings = ExtractSettings(precision=precision, include=include, sample_rate=1)
    limits = Limits(max_frames=1000)
    box = Anchor(x=-1234567.123457, y=-1234567.123457, w=1234567.123457, h=1234567.123457,
                 cx=-1234567.123457, cy=-1234567.123457, roll=-179.123457)  # fmt: skip
    extras = {
        "pose": Pose(yaw=-179.123, pitch=-179.123, roll=-179.123),
        "signals": Signals(mouth_open=0.1234, eye_open_left=0.1234, eye_open_right=0.1234),
        "light": Light(r=-1.1234, g=-1.1234, b=-1.1234),
        "left_eye": box,
        "right_eye": box,
    }
    frames = [
        Sample(
            frame=number + 35_000,
            time_ms=599_999.123 - number,
            status="interpolated",
            mouth=box,
            eyes=box,
            hidden=["mouth", "eyes"],
            **{name: extras[name] for name in include},  # type: ignore[arg-type]
        )
        for number in range(1000)
    ]
    content = msgspec.json.encode(
        {
            "frames": [timeline._rounded_sample(frame, precision) for frame in frames],
            "gaps": [[599_999.123, 599_999.456]] * 500,
        }
    )
    longest = protocol.longest_answer(Job(number=1, video="idle.webm", settings=settings, limits=limits))
    assert len(content) + (8 << 10) < longest
    assert longest < 2 * len(content) + (64 << 10)


def test_an_error_comes_back_as_what_it_was() -> None:
    error = Failed(number=1, error="IncompleteVideoError", message="ends\n\x1b[2J").as_error()
    assert type(error) is IncompleteVideoError
    assert str(error) == r"ends\n\x1b[2J"
    assert type(Failed(number=1, error="VideoError", message="").as_error()) is VideoError
