"""What people read says what the code does."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import click
import msgspec
import pytest

from anchord import cli
from anchord.log import EVENTS
from anchord.service.report import metrics
from anchord.settings import Settings, read_settings

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("generate", HERE / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "events.md", "formats.md", "anchord.1"])
def test_a_page_that_follows_from_the_code_is_up_to_date(generate: ModuleType, page: str) -> None:
    """Where this fails: make docs."""
    assert (HERE / "docs" / page).read_text() == generate.pages()[page]


def test_the_settings_file_that_is_installed_holds_the_defaults_and_every_key(generate: ModuleType) -> None:
    assert msgspec.structs.replace(read_settings(HERE / "anchord.toml"), origins={}) == Settings()

    table = generate.example()
    for name, section in msgspec.to_builtins(Settings()).items():
        if isinstance(section, dict) and name not in ("packs", "origins"):
            assert set(table[name]) == set(section), f"[{name}]"
    assert all(generate.comments().values())


def commands(group: click.Group, prefix: str = "") -> list[tuple[str, click.Command]]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, f"{prefix}{name} ")
        else:
            found.append((f"{prefix}{name}", command))
    return found


@pytest.mark.parametrize(("name", "command"), commands(cli.anchord), ids=lambda value: str(value))
def test_the_manual_names_every_command_and_option(name: str, command: click.Command) -> None:
    manual = (HERE / "docs/anchord.1").read_text().replace("\\-", "-")
    section = re.search(rf"^\.SS anchord {name}\b(.*?)(?=^\.S[SH])", manual, re.DOTALL | re.MULTILINE)
    assert section

    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, f"{name} {param.opts}"
            for option in param.opts:
                assert option in section[1], option


def test_the_manual_is_good_troff() -> None:
    told = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "error", HERE / "docs/anchord.1"], capture_output=True
    )
    assert (told.returncode, told.stdout) == (0, b"")


@pytest.mark.parametrize("file", ["operations.md", "architecture.md", "cluster.md"])
def test_every_link_in_the_docs_leads_somewhere(file: str) -> None:
    page = HERE / "docs" / file
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_event_and_command_in_the_operations_page_exists() -> None:
    text = (HERE / "docs/operations.md").read_text()
    known = {name.split()[0] for name, _ in commands(cli.anchord)}

    assert set(re.findall(r"\banchord ([a-z]+)\b(?=[^`\n]*`)", text)) - {"anchord"} <= known | {"run"}
    assert {name for name in re.findall(r"`([a-z]+_[a-z_]+)`", text) if name in EVENTS}


def test_dashboard_and_alerts_ask_for_figures_that_exist(tmp_path: Path) -> None:
    from anchord.service.report.state import Part, State

    file = tmp_path / "anchord.prom"
    part = Part(state="inotify", healthy=True)
    metrics.Metrics(file).publish(
        State(pid=1, root="/", version="1", started_unix_s=0, loop_turned_unix_s=0,
              watch=part, worker=part, packs={}, counts={})
    )  # fmt: skip
    known = set(re.findall(r"^(anchord_\w+)", file.read_text(), re.MULTILINE))

    dashboard = (HERE / "deploy/grafana-dashboard.json").read_text()
    asked = set(re.findall(r"\banchord_\w+", dashboard + (HERE / "deploy/alerts.yml").read_text()))
    assert json.loads(dashboard)["panels"]
    assert asked <= known, asked - known
