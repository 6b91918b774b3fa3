"""What the doctor says of a machine's part in a cluster."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from anchord.cluster import certificates
from anchord.commands.cluster_premises import examine_cluster
from anchord.errors import SettingsError
from anchord.settings import ClusterSettings, read_settings
from tests.cluster.running import Cluster


def test_without_a_cluster_there_is_nothing_to_say() -> None:
    assert list(examine_cluster(ClusterSettings())) == []


def test_a_scheduler_that_answers_is_well_and_one_that_does_not_is_named(cluster: Cluster) -> None:
    settings = read_settings(cluster.settings("one")).cluster
    certificate, scheduler = examine_cluster(settings)
    assert (certificate.verdict, scheduler.verdict) == ("note", "bad")
    assert "holds for 2 more days" in certificate.text
    assert "refused" in scheduler.text
    with cluster.scheduler():
        assert [finding.verdict for finding in examine_cluster(settings)] == ["note", "ok"]


def test_a_certificate_of_another_cluster_is_not_let_in(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Cluster(tmp_path / "other", cluster.address)
    with cluster.scheduler():
        *_, scheduler = examine_cluster(read_settings(other.settings("one")).cluster)
        assert scheduler.verdict == "bad"
        assert "does not answer" in scheduler.text


def test_a_certificate_that_is_missing_is_named(cluster: Cluster) -> None:
    settings = read_settings(cluster.settings("one")).cluster
    Path(settings.key).unlink()
    (finding,) = examine_cluster(settings)
    assert finding.verdict == "bad"
    assert settings.key in finding.text


def test_days_are_counted_to_the_end_and_beyond(tmp_path: Path) -> None:
    list(certificates.make(tmp_path, ["one"], days=10))
    now = dt.datetime.now(dt.UTC)
    assert certificates.days_left(tmp_path / "one.pem", now=now) == pytest.approx(10, abs=0.01)
    later = now + dt.timedelta(days=11)
    assert certificates.days_left(tmp_path / "one.pem", now=later) == pytest.approx(-1, abs=0.01)
    with pytest.raises(SettingsError, match="as a certificate"):
        certificates.days_left(tmp_path / "one.key", now=now)
