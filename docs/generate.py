"""
Write the pages that follow from the code: `make docs`. A test holds that they are up to date.

formats.md has a line for each row of tests/formats.py, which makes the files. settings.md takes its
words from anchord.toml, whose comments are what people read first; types, limits and defaults come from
the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import getdoc as inspect_getdoc
from inspect import signature as inspect_signature
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, get_args, get_origin

import click
import msgspec
import tomli
from msgspec import inspect

import anchord
from anchord import __version__, cli, errors, library, timeline
from anchord.advice import WARNINGS
from anchord.log import EVENTS
from anchord.settings import PackSettings, Settings
from tests.formats import CODECS, ODDITIES, Row

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "anchord.toml"

_RECORDS = (
    timeline.Timeline,
    timeline.Sample,
    timeline.Anchor,
    timeline.Pose,
    timeline.Signals,
    timeline.Light,
    timeline.Source,
    timeline.Target,
    timeline.Loop,
    timeline.Quality,
    timeline.VideoWarning,
)

_MADE = "<!-- Made by `make docs` from the code; change it there. -->\n"


def pages() -> dict[str, str]:
    """File name -> content of each page."""
    return {
        "settings.md": settings_page(),
        "events.md": events_page(),
        "formats.md": formats_page(),
        "warnings.md": warnings_page(),
        "api.md": api_page(),
        "anchord.1": manual_page(),
    }


def settings_page() -> str:
    """Every key of anchord.toml, with its default, what it may be, and what it is for."""
    words = comments()
    lines = [
        "# Settings\n",
        _MADE,
        "Read from `/etc/anchord/anchord.toml`, or from the file that `--config` or `$ANCHORD_CONFIG`",
        "names. A later layer wins over an earlier one, key by key:\n",
        "```",
        'defaults < anchord.toml [extract] < anchord.toml [packs."<id>"] < <pack>/anchord.toml < flags',
        "```\n",
        "`systemctl reload anchord` reads them again; where they are wrong, the old ones stay and the log",
        "says why. `anchord check` shows what holds and which file said so; `anchord check PACK`, for one",
        "pack.\n",
    ]
    sections: dict[str, list[str]] = {"": []}
    for field in msgspec.structs.fields(Settings):
        if field.name in ("packs", "origins"):
            continue
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            sections[field.name] = [
                _row(key, f"{field.name}.{key.name}", words) for key in msgspec.structs.fields(field.type)
            ]
        else:
            sections[""].append(_row(field, field.name, words))
    for name, rows in sections.items():
        lines += [f"## {f'[{name}]' if name else 'At the top'}\n"]
        lines += ["| key | default | may be | |", "|---|---|---|---|", *rows, ""]
    pack = {field.name: field for field in msgspec.structs.fields(PackSettings)}
    lines += [
        '## [packs."ID"], and a pack\'s own anchord.toml\n',
        "Any key of `[extract]`, and these two. In the pack's own file they stand without a header.\n",
        "| key | default | |",
        "|---|---|---|",
        f"| `video` | what `manifest.json` names, else `{pack['video'].default}` | the idle video |",
        f"| `output` | `{pack['output'].default}` | the timeline's file name |",
    ]
    return "\n".join(lines) + "\n"


def _row(field: msgspec.structs.FieldInfo, path: str, words: dict[str, str]) -> str:
    default = msgspec.json.encode(field.default).decode().replace("|", "\\|")
    return f"| `{field.name}` | `{default}` | {_allowed(field.type)} | {words.get(path, '')} |"


def _allowed(kind: Any) -> str:
    """What a value may be, in words."""
    return _words(inspect.type_info(kind))


def _words(found: inspect.Type) -> str:
    match found:
        case inspect.LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case inspect.IntType() | inspect.FloatType():
            noun = "whole number" if isinstance(found, inspect.IntType) else "number"
            low = found.ge if found.ge is not None else found.gt
            least = f"{'from' if found.ge is not None else 'over'} {low:,}" if low is not None else ""
            most = f"to {found.le:,}" if found.le is not None else ""
            return " ".join(part for part in (noun, least, most) if part)
        case inspect.BoolType():
            return "`true`, `false`"
        case inspect.UnionType(types=types):
            return " or ".join(_words(each) for each in types)
        case inspect.VarTupleType(item_type=item):
            return f"a list of {_words(item)}"
        case inspect.StrType(pattern=str(pattern)):
            return f"text as `{pattern}`".replace("|", "\\|")
        case inspect.StrType(min_length=int(least)):
            return "text, not empty" if least == 1 else f"text of {least} letters or more"
        case _:
            return "text"


def comments() -> dict[str, str]:
    """Dotted key -> what anchord.toml says of it: the comment above it, and the one behind it."""
    found: dict[str, str] = {}
    section, above, is_used = "", "", False
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("#"):
            # A comment stands over all keys up to the next one.
            above, is_used = ("" if is_used else f"{above} ") + line.lstrip("# "), False
        elif header := re.fullmatch(r"\[(\w+)\]", line):
            section, above = f"{header[1]}.", ""
        elif key := re.match(r"(\w+) = [^#]*(?:#\s*(.*))?", line):
            found[section + key[1]] = " ".join(part for part in (above.strip(), key[2]) if part)
            is_used = True
        else:
            above = ""
    return found


def example() -> dict[str, Any]:
    """anchord.toml, as a program reads it."""
    return tomli.loads(EXAMPLE.read_text())


def events_page() -> str:
    """Every event that anchord logs."""
    lines = [
        "# Events\n",
        _MADE,
        "One JSON object a line on stderr: `time` (UTC), `level`, `event`, `pack` and `video` where it",
        "concerns one, then the keys below. On a terminal the same in colours. Under the journal each",
        "line has its priority, so that `journalctl -p err` shows what needs a person.\n",
        "Units stand in the names: `_s` seconds, `_ms` milliseconds, `_px` target pixels, `_hz` per second.",
        "`coverage` is the share of samples with a face, `face_height` the face's share of the frame,",
        "both 0 to 1; `bytes`, `frames`, `samples`, `faces`, `packs`, `jobs` are counts.\n",
        "| level | means |",
        "|---|---|",
        "| error | needs a person, or will mend itself once the machine does |",
        "| warning | a person may want to look |",
        "| info | it happened |",
        '| debug | the inner steps; `anchord run -v`, or `level = "debug"` |\n',
        "| event | level | when | keys |",
        "|---|---|---|---|",
    ]
    for name, (level, when, keys) in EVENTS.items():
        lines.append(f"| `{name}` | {level} | {when} | {', '.join(f'`{key}`' for key in keys)} |")
    return "\n".join(lines) + "\n"


def formats_page() -> str:
    """Every kind of file, and what happens to it."""
    lines = [
        "# Video files\n",
        _MADE,
        "What a player shows is what is tracked: the same track, turned and mirrored alike, in the same",
        "shape, colours and times. Each line is a test that makes such a file and looks at what is seen in",
        "it; where Chromium plays it, another holds its pictures against that.\n",
        "A file that ends too early, has a hole or is damaged is refused, whatever is in it: “ends after …",
        "bytes, in the middle”, “there is a hole in it”, “is damaged at …”. What a refusal or a warning asks",
        "for is mostly this:\n",
        "```sh",
        "ffmpeg -i FILE -an -c:v libvpx-vp9 -crf 28 -b:v 0 -pix_fmt yuv420p idle.webm",
        "```\n",
        "## Containers and codecs\n",
        "| container | codec | anchord | Chromium |",
        "|---|---|---|---|",
        *map(_format, CODECS),
        "",
        "## What players make of the rest\n",
        "| container | what is in it | anchord | Chromium |",
        "|---|---|---|---|",
        *map(_format, ODDITIES),
        "",
        "Of H.264, Chromium believes matrix and range only where primaries and transfer are named too, and",
        "guesses otherwise; anchord believes what is named. HDR (PQ, HLG) is not mapped to a screen's tones.",
        "",
        "What is warned of in a file, rather than refused, stands in [warnings](warnings.md):",
        "`not_for_browsers`, `trailing_bytes`, `size_changes`.",
    ]
    return "\n".join(lines) + "\n"


def warnings_page() -> str:
    """Every warning: what it means, what it looks like, what mends it."""
    lines = [
        "# Warnings\n",
        _MADE,
        "They stand in a timeline's `quality.warnings` with a number and a sentence of their own, in the",
        "log, on the terminal and in `anchord report`. A timeline with a warning is used all the same: it",
        "says what a person can mend in the *video*. The gravest come first.\n",
        "Pictures show what was found in films that were made for this page: green is the mouth's anchor,",
        "cyan the eyes', red what is hidden; dashed is bridged over a short gap.\n",
    ]
    for code, (meaning, remedy) in WARNINGS.items():
        lines += [f"## `{code}`\n", f"**{_sentence(meaning)}** {_sentence(remedy)}\n"]
        if (HERE / "warnings" / f"{code}.jpg").exists():
            lines.append(f"![Three frames of a film with the warning {code}](warnings/{code}.jpg)\n")
        else:
            lines.append("It is about the file; there is nothing to be seen of it.\n")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def api_page() -> str:
    """What a program can ask of anchord, from its docstrings."""
    lines = [
        "# The library\n",
        _MADE,
        f"{_docstring(anchord)}\n",
        "[examples/](../examples/README.md) has whole programs.\n",
    ]
    for name in ("extract", "Extractor", "read_timeline", "anchor_at"):
        lines += _documented(name, getattr(anchord, name), "##")
    lines += ["## Options\n", f"{_docstring(library.Options)}\n", "| option | type |", "|---|---|"]
    lines += [f"| `{name}` | {_kind(kind)} |" for name, kind in library.Options.__annotations__.items()]
    lines.append("")
    for record in _RECORDS:
        lines += [f"## {record.__name__}\n", f"{_docstring(record)}\n", "| field | type | |", "|---|---|---|"]
        lines += [_field(record, field) for field in msgspec.structs.fields(record)]
        lines.append("")
    lines += [
        "All records are frozen; `anchord schema timeline` prints every field of the file.\n",
        "## Errors\n",
    ]
    lines += [f"```\n{_tree()}\n```\n", "Every one is an `AnchordError`, and lies in `anchord.errors`."]
    return "\n".join(lines) + "\n"


def _documented(name: str, thing: Any, heading: str) -> list[str]:
    """A function's or a class's signature and docstring, and its methods'."""
    signature = (
        str(inspect_signature(thing)).replace("'", "").replace("collections.abc.", "").replace("os.", "")
    )
    lines = [f"{heading} {name}\n", f"```python\n{name}{signature}\n```\n", f"{_docstring(thing)}\n"]
    if isinstance(thing, type):
        for method, function in vars(thing).items():
            if callable(function) and not method.startswith("_"):
                lines += _documented(f"{name}.{method}", function, "###")
    return lines


def _docstring(thing: Any) -> str:
    """As Markdown: sections in bold, code in backquotes."""
    text = inspect_getdoc(thing) or ""
    text = re.sub(r":(?:func|class|meth|mod):`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    text = re.sub(
        r"^::$\n\n((?:    .*\n?|\n)+)",
        lambda found: f"```python\n{dedent(found[1]).strip()}\n```\n\n",
        text,
        flags=re.M,
    )
    text = re.sub(r"^(Args|Returns|Raises):$\n", r"**\1**\n\n", text, flags=re.M)
    # Of a section each entry begins four spaces in, and goes on further in.
    text = re.sub(r"\n +(?=[^ \n])(?<=\n {8})", " ", text)
    return re.sub(r"^    ([\w, ]+): ", r"* `\1`: ", text, flags=re.M).replace("\n    ", "\n")


def _field(record: type, field: msgspec.structs.FieldInfo) -> str:
    notes = get_args(field.type)[1:] if get_origin(field.type) is Annotated else ()
    note = next((str(found.description) for found in notes if getattr(found, "description", None)), "")
    return f"| `{field.name}` | {_kind(record.__annotations__[field.name])} | {note} |".replace("|  |", "| |")


def _kind(annotation: Any) -> str:
    """A type as it is written in the code, without its limits."""
    text = str(getattr(annotation, "__forward_arg__", annotation))
    text = re.sub(r"^Annotated\[(.*?), *Meta\(.*", r"\1", " ".join(text.split()))
    return "`" + text.replace(" | UnsetType", ", or UNSET").replace("|", "\\|") + "`"


def _tree() -> str:
    return dedent((errors.__doc__ or "").split("::")[1].split("Exit statuses")[0]).strip()


def _format(row: Row) -> str:
    plays = ("plays it" if row.refused else "the same") if row.is_played else "does not play it"
    return f"| {row.container} | {row.holds} | {row.happens} | {plays} |"


def manual_page() -> str:
    """anchord(1)."""
    group = cli.anchord
    parts = [
        '.\\" Made by "make docs" from the code; change it there.',
        f'.TH ANCHORD 1 "" "anchord {__version__}" "User Commands"',
        ".SH NAME",
        "anchord \\- pin mouth and eye overlays to the face of an avatar\\(aqs idle video",
        ".SH SYNOPSIS",
        ".B anchord",
        "[\\fB\\-\\-version\\fR] [\\fB\\-\\-help\\fR] \\fICOMMAND\\fR [\\fIOPTION\\fR]...",
        ".SH DESCRIPTION",
        "anchord watches a folder of avatar packs. When the idle video of a pack appears",
        "or changes, it finds the face in it and writes",
        ".I anchors_timeline.json",
        "beside it: where the mouth and the eyes are, sample by sample, for a web page",
        "to draw overlays there.",
        "It writes nothing else, and deletes nothing.",
        ".SH COMMANDS",
        *_commands(group, ""),
        ".SH EXIT STATUS",
        *(
            f".TP\n.B {number}\n{_man(text)}"
            for number, text in (
                (0, "all went well"),
                (1, "something did not: a pack failed, or the daemon is not well"),
                (2, "the command line is wrong"),
                (65, "the video can't be used, or fewer samples show a face than asked for"),
                (66, "what was asked for is not there"),
                (69, "the face model is missing or broken"),
                (70, "the process that worked on the video ended or was ended"),
                (74, "a file or the avatars root can't be read or written"),
                (75, "the video changed while it was read; try again"),
                (78, "the settings can't be obeyed"),
            )
        ),
        ".SH FILES",
        ".TP\n.I /etc/anchord/anchord.toml\nSettings; every key is explained there.",
        ".TP\n.I PACK/anchord.toml\nWhat differs for one pack.",
        ".TP\n.I /run/anchord/\nWhat the daemon is doing, for \\fBanchord health\\fR.",
        ".SH ENVIRONMENT",
        ".TP\n.B ANCHORD_CONFIG\nThe settings file, as \\fB\\-\\-config\\fR.",
        ".TP\n.B RUNTIME_DIRECTORY\nWhere the daemon\\(aqs state lies.",
        ".SH SIGNALS",
        ".TP\n.B SIGHUP\nRead the settings again. Where they are wrong, the old ones stay.",
        ".TP\n.BR SIGTERM ,\\  SIGINT\nTake no new work, give the running job its grace, and end.",
        "A second one ends at once.",
        ".SH SEE ALSO",
        ".BR systemctl (1),",
        ".BR journalctl (1),",
        ".BR sysctl (8)",
    ]
    return "\n".join(parts) + "\n"


def _commands(group: click.Group, prefix: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix}{name} ")
            continue
        context = click.Context(command)
        arguments = [param for param in command.params if isinstance(param, click.Argument)]
        shown = "".join(f" \\fI{_man(argument.make_metavar(context))}\\fR" for argument in arguments)
        yield f".SS anchord {prefix}{name}{shown} [\\fIOPTION\\fR]..."
        yield _man(" ".join((command.help or "").split()))
        for param in command.params:
            if isinstance(param, click.Option) and not param.hidden:
                names = ", ".join(f"\\fB{_man(option)}\\fR" for option in param.opts)
                value = "" if param.is_flag else f" \\fI{_man(param.make_metavar(context))}\\fR"
                yield f".TP\n{names}{value}\n{_man(param.help or '')}"


def _man(text: str) -> str:
    """Text in which troff finds no command."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{escaped}" if escaped[:1] in (".", "\\(aq") else escaped


if __name__ == "__main__":
    for name, content in pages().items():
        (HERE / name).write_text(content)
