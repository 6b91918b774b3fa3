"""The alerts fire on what they are for, and on nothing else: Prometheus' own tool says so."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.deploy.conftest import SOURCE, built, run

PROMTOOL = "anchord-test-promtool:12"


def test_each_alert_fires_on_what_it_is_for_and_on_nothing_else(base: str, tmp_path: Path) -> None:
    rules = (SOURCE / "deploy/alerts.yml").read_text()
    # The tool compares annotations too; what they say is for people to judge.
    bare = re.sub(r"\n        annotations:\n(?: {10}.*\n?)+", "\n", rules)
    assert "annotations" not in bare
    (tmp_path / "alerts.yml").write_text(bare)
    (tmp_path / "full.yml").write_text(rules)
    shutil.copy(SOURCE / "tests/deploy/alerts.test.yml", tmp_path)
    (tmp_path / "Dockerfile").write_text(
        f"FROM {base}\n"
        "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "
        "--no-install-recommends prometheus >/dev/null\n"
        "COPY *.yml /rules/\nWORKDIR /rules\n"
    )
    image = built(PROMTOOL, tmp_path)
    promtool = ("docker", "run", "--rm", "--network", "none", image, "promtool")

    assert "3 rules found" in run(*promtool, "check", "rules", "full.yml").stdout
    run(*promtool, "test", "rules", "alerts.test.yml")
