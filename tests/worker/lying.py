"""
A worker that was taken over: speaks the protocol, and lies. ``python lying.py LIE MARKER``.

Only the first to be started with a marker's file lies; those after it are honest. It loads next to
nothing, since it is started a hundred times.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec

Message = dict[str, Any]

HONEST = b"honest"


def framed(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def ready(**other: Any) -> Message:
    return {"type": "Ready", "sandbox": {"limits": "on"}, **other}


def unfit(**other: Any) -> Message:
    return {"type": "Unfit", "error": "ModelError", "message": "no model", **other}


def progress(**other: Any) -> Message:
    return {"type": "Progress", "number": 1, "done": 10, "expected": 20, **other}


def extracted(**other: Any) -> Message:
    return {"type": "Extracted", "number": 1, "content": HONEST, **other}


def failed(**other: Any) -> Message:
    return {"type": "Failed", "number": 1, "error": "VideoError", "message": "is damaged", **other}


def drawn(**other: Any) -> Message:
    place = {"anchor": {"x": 1, "y": 1, "w": 9, "h": 9, "roll": 0}, "width": 64, "height": 64}
    made: dict[str, Any] = {
        "time_ms": 0, "mouth": place, "eyes": place, "light": [1, 1, 1], "visemes": {}, "lids": {},
        "noise": [1, 1], "sharpness": 1, "faults": [], "pictures": {}, "preview": b"",
    }  # fmt: skip
    return {"type": "Drawn", "number": 1, "made": made | other}


_SMALL = {"frames": 0, "step": 0, "texture": 0}

#: What is said instead of a pack's pictures, by name.
INSTEAD_OF_PICTURES: dict[str, Message] = {
    "a timeline": extracted(),
    "another job's number": drawn() | {"number": 2},
    "one thing more": drawn(more=1),
    "a picture with a path for a name": drawn(pictures={"../../evil.png": b""}),
    "a picture that no pack has": drawn(pictures={"index.html": b""}),
    "a picture that is text": drawn(pictures={"base_face.png": "text"}),
    "a viseme of its own": drawn(visemes={"XX": _SMALL}),
    "a lid of its own": drawn(lids={"winking": _SMALL}),
    "a cell without a width": drawn(mouth={"anchor": {}, "width": 0, "height": 64}),
    "a cell wider than a wall": drawn(
        eyes={"anchor": {"x": 1, "y": 1, "w": 9, "h": 9, "roll": 0}, "width": 1 << 20, "height": 64}
    ),
    "an anchor that is no number": drawn(
        mouth={"anchor": {"x": math.nan, "y": 1, "w": 9, "h": 9, "roll": 0}, "width": 64, "height": 64}
    ),
    "a fault as long as a book": drawn(faults=["x" * 301]),
    "more faults than sprites": drawn(faults=["x"] * 33),
    "more than all pictures have unpacked": drawn(preview=bytes(1 << 26)),
}

_PNG, _FILM = b"\x89PNG\r\n\x1a\n", b"\x1a\x45\xdf\xa3"


def previewed(**made: Any) -> Message:
    return {"type": "Previewed", "number": 1, "made": made}


#: What is said instead of a contact sheet, by name.
INSTEAD_OF_A_SHEET: dict[str, Message] = {
    "a timeline": extracted(),
    "a pack's pictures": drawn(),
    "nothing": previewed(),
    "a film": previewed(webm=_FILM),
    "a sheet and a film": previewed(sheet=_PNG, webm=_FILM),
    "a page": previewed(sheet=b"<!doctype html><script>alert(1)</script>"),
    "a picture in a picture's place of no kind": previewed(poster=_PNG),
    "a text": previewed(sheet="text"),
    "more than a sheet may have": previewed(sheet=_PNG + bytes(33 << 20)),
}


def nested(depth: int) -> bytes:
    """A list in a list in a list."""
    return b"\x91" * depth + b"\xc0"


_NOT_COUNTS = [-1, 1 << 41, (1 << 64) - 1, 0.5, math.nan, math.inf, "1", None, [1], {"a": 1}]
_NOT_TEXTS = ["x" * 2_001, 1, None, b"bytes", ["text"]]

_NOT_LAYERS: list[object] = [
    None,
    [],
    {"limits": 1},
    {"limits": "x" * 301},
    {"Limits\n": "on"},
    {1: "on"},
    {f"layer_{letter}": "on" for letter in "abcdefghijklmnopq"},
]

#: What is said instead of "ready", by name; "silence instead" is one too.
INSTEAD_OF_READY: dict[str, Message] = {
    "a job's answer": extracted(),
    "progress": progress(),
    "a failure": failed(),
    "unfit for a reason that is none": unfit(error="RootError"),
    **{f"unfit, with the text {text!r:.20}": unfit(message=text) for text in _NOT_TEXTS},
    **{f"ready, with the sandbox {layers!r:.20}": ready(sandbox=layers) for layers in _NOT_LAYERS},
    "ready, and one thing more": ready(more=1),
}

#: What is said instead of an answer, by name.
INSTEAD_OF_AN_ANSWER: dict[str, Message | bytes] = {
    "ready again": ready(),
    "unfit after all": unfit(),
    "no type": {"number": 1},
    "a type that is none": {"type": "Job", "number": 1},
    "a type that is a number": {"type": 1, "number": 1},
    "nil": b"\xc0",
    "nothing at all": b"",
    "half a map": b"\x82\xa4type",
    "two messages in one": msgspec.msgpack.encode(extracted()) * 2,
    "a text that is no UTF-8": b"\x81\xa4type\xa2\xff\xfe",
    "a text with half a surrogate pair": msgspec.msgpack.encode(failed(message="@@@")).replace(
        b"@@@", b"\xed\xa0\x80"
    ),
    "lists in lists": nested(200_000),
    "a message of lists in lists": b"\x82\xa4type\xa8Progress\xa6number" + nested(10_000),
    "a map with four billion keys": b"\xdf\xff\xff\xff\xff",
    "a binary of four billion bytes": b"\x81\xa4type\xc6\xff\xff\xff\xff",
    "another job's number": extracted(number=2),
    "progress of another job": progress(number=0),
    "more frames than allowed": progress(done=1 << 39),
    **{f"an error that is {name!r:.20}": failed(error=name) for name in (
        "SettingsError", "RootError", "ModelError", "WorkerStartError", "AnchordError", "SystemExit",
        "__builtins__", "", 1, None,
    )},
    **{f"a failure with the text {text!r:.20}": failed(message=text) for text in _NOT_TEXTS},
    **{f"an answer with the content {value!r:.20}": extracted(content=value) for value in (1, None, ["a"])},
    **{f"done: {value!r:.20}": progress(done=value) for value in _NOT_COUNTS},
    **{f"expected: {value!r:.20}": progress(expected=value) for value in _NOT_COUNTS},
    **{f"number: {value!r:.20}": extracted(number=value) for value in _NOT_COUNTS},
    **{f"one thing more: {message['type']}": message | {"more": 1} for message in (
        progress(), extracted(), failed())},
    "more than a timeline of so many frames": extracted(content=bytes(8 << 20)),
}  # fmt: skip


class Liar:
    """The conversation with the parent."""

    def __init__(self) -> None:
        self.channel = socket.socket(fileno=os.dup(0))

    def say(self, message: Message | bytes) -> None:
        self.channel.sendall(
            framed(message if isinstance(message, bytes) else msgspec.msgpack.encode(message))
        )

    def take_job(self) -> int:
        """The next job's number; its video is not looked at."""
        head, descriptors, _flags, _address = socket.recv_fds(self.channel, 4, 1)
        if not head:
            raise SystemExit(0)
        os.close(descriptors[0])
        content = self.channel.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
        number: int = msgspec.msgpack.decode(content)["number"]
        return number

    def be_honest(self) -> NoReturn:
        self.say(ready())
        while True:
            self.say(extracted(number=self.take_job()))


def forever() -> NoReturn:
    while True:
        time.sleep(3600)


def two_answers(liar: Liar) -> None:
    message = framed(msgspec.msgpack.encode(extracted()))
    liar.channel.sendall(message * 2)
    forever()


def a_second_answer_later(liar: Liar) -> None:
    liar.say(extracted())
    time.sleep(0.2)
    liar.say(extracted())
    forever()


def flood_of_progress(liar: Liar) -> None:
    flood = framed(msgspec.msgpack.encode(progress())) * 1000
    while True:
        liar.channel.sendall(flood)


def flood_of_prints(liar: Liar) -> None:
    while True:
        os.write(2, b"a line that does not end " * 4000)


def flood_of_lines(liar: Liar) -> None:
    while True:
        os.write(2, b"\x1b[31m\xff\n" * 16000)


def endless_message(liar: Liar) -> None:
    liar.channel.sendall(b"\xff\xff\xff\xff")
    while True:
        liar.channel.sendall(bytes(1 << 20))


def message_as_long_as_can_be(liar: Liar) -> None:
    liar.channel.sendall((4 << 20).to_bytes(4, "big"))
    while True:
        liar.channel.sendall(bytes(1 << 10))
        time.sleep(0.02)


def half_a_message(liar: Liar) -> None:
    liar.channel.sendall(framed(msgspec.msgpack.encode(extracted()))[:9])
    forever()


def silence(liar: Liar) -> None:
    forever()


def silence_and_no_signal(liar: Liar) -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    forever()


def stopped(liar: Liar) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def closed_channel_but_stays(liar: Liar) -> None:
    liar.channel.close()
    os.close(0)
    forever()


def closed_channel_and_burns(liar: Liar) -> None:
    liar.channel.close()
    os.close(0)
    os.close(2)
    while True:
        pass


def burns(liar: Liar) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def ends_without_an_answer(liar: Liar) -> None:
    raise SystemExit(0)


def raises(liar: Liar) -> None:
    raise ValueError("\x1b]0;title\x07 of mine")


def thousands_of_threads(liar: Liar) -> None:
    threading.stack_size(64 << 10)
    for _ in range(3000):
        threading.Thread(target=forever, daemon=True).start()
    forever()


def _leave_children(liar: Liar) -> None:
    """Three that ignore what can be ignored: in the group, in a session of its own, and a grandchild."""
    stays = "import os, signal, time\n[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\ntime.sleep(600)"
    subprocess.Popen([sys.executable, "-c", stays], stdin=liar.channel.fileno())
    subprocess.Popen([sys.executable, "-c", stays], start_new_session=True, stdin=liar.channel.fileno())
    twice = f"import os\nos.fork() and os._exit(0)\nos.setsid()\n{stays}"
    subprocess.Popen([sys.executable, "-c", twice], start_new_session=True).wait()


def children_and_an_answer(liar: Liar) -> None:
    _leave_children(liar)
    liar.say(extracted())
    forever()


def children_that_hold_the_channel(liar: Liar) -> None:
    _leave_children(liar)
    os._exit(0)


def killed_by_itself(liar: Liar) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


#: What is done instead of an answer, by name.
DEEDS: dict[str, Callable[[Liar], None]] = {
    deed.__name__: deed
    for deed in (
        two_answers, a_second_answer_later, flood_of_progress, flood_of_prints, flood_of_lines,
        endless_message, message_as_long_as_can_be, half_a_message, silence, silence_and_no_signal, stopped,
        closed_channel_but_stays, closed_channel_and_burns, burns, ends_without_an_answer, raises,
        thousands_of_threads, children_and_an_answer, children_that_hold_the_channel, killed_by_itself,
    )
}  # fmt: skip


def main() -> None:
    lie, marker = sys.argv[1], Path(sys.argv[2])
    liar = Liar()
    if marker.exists():
        liar.be_honest()
    marker.write_text(str(os.getpid()))
    if lie == "silence instead":
        forever()
    if lie in INSTEAD_OF_READY:
        liar.say(INSTEAD_OF_READY[lie])
        forever()
    if lie == "an answer before the job":
        both = (msgspec.msgpack.encode(ready()), msgspec.msgpack.encode(extracted()))
        liar.channel.sendall(b"".join(map(framed, both)))
        forever()
    liar.say(ready())
    liar.take_job()
    if lie.startswith("pictures: "):
        liar.say(INSTEAD_OF_PICTURES[lie.removeprefix("pictures: ")])
        forever()
    if lie.startswith("preview: "):
        liar.say(INSTEAD_OF_A_SHEET[lie.removeprefix("preview: ")])
        forever()
    if lie == "pictures instead of a timeline":
        liar.say(drawn())
        forever()
    if lie in INSTEAD_OF_AN_ANSWER:
        liar.say(INSTEAD_OF_AN_ANSWER[lie])
        forever()
    DEEDS[lie](liar)


if __name__ == "__main__":
    main()
