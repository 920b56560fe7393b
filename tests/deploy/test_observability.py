"""Whoever is woken or looks at a dashboard is shown metrics that exist, and finds a page that says what to do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.common import metrics
from libs.common.readings import Readings
from services.claims.app import create_service as claims
from services.remittance.app import create_service as remittance
from tests.conftest import ROOT, TestDatabase

FOLDER = ROOT / "deploy" / "observability"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
NAME = re.compile(r"\b(?:parity|process)_[a-z_]+")
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]


def asked(path: Path) -> Iterator[str]:
    """Every metric that a dashboard asks for."""
    for panel in json.loads(path.read_text())["panels"]:
        for target in panel["targets"]:
            yield from NAME.findall(target["expr"])


class Quiet:
    async def lag(self, _group: str, _topics: list[str]) -> dict[Any, int]:
        return {}


@pytest.fixture(scope="module")
async def printed(module_database: TestDatabase) -> set[str]:
    """The names of all samples that `/metrics` of some process prints, once each thing has happened."""
    for name in ("applied", "failed"):
        metrics.EVENT_SECONDS.labels("claim.updated", name).observe(0.01)
        metrics.TIMER_SECONDS.labels("claims.cut", name).observe(0.01)
    metrics.DUPLICATES.labels("claim.updated").inc(0)
    metrics.PARKED.labels("claim.updated").inc(0)
    metrics.request("GET", "/v1/claims", 200, 0.01)
    text = metrics.text()
    for service in (claims(), remittance()):
        text += await Readings(service, module_database.open(service.name), Quiet()).text()  # type: ignore[arg-type]
    lines = text.decode().splitlines()
    return {re.split(r"[ {]", line)[0] for line in lines if not line.startswith("#")}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_shows_metrics_that_exist(path: Path, printed: set[str]) -> None:
    names = set(asked(path))
    assert names
    assert not names - printed


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_looks_at_metrics_that_exist_and_has_its_section(rule: dict[str, Any], printed: set[str]) -> None:
    names = set(NAME.findall(rule["expr"]))
    assert names or "up{" in rule["expr"]
    assert not names - printed
    assert rule["for"]
    page = (ROOT / "docs" / "operate.md").read_text()
    assert f"### {rule['alert']}\n" in page
    assert rule["annotations"]["runbook"] == f"docs/operate.md#{rule['alert'].lower()}"


def test_no_section_stands_for_an_alert_that_is_gone() -> None:
    page = (ROOT / "docs" / "operate.md").read_text()
    section = page.partition("## When an alert wakes you\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", section, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


def test_every_process_of_every_service_is_looked_at_where_it_listens() -> None:
    from libs.common.settings import PORTS  # noqa: PLC0415

    (job,) = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    found = {(one["labels"]["service"], one["labels"]["process"], one["targets"][0]) for one in job["static_configs"]}
    expected = {
        (service, process, f"127.0.0.1:{port + (100 if process == 'worker' else 0)}")
        for service, port in PORTS.items()
        if service != "sandbox"
        for process in ("api", "worker")
    }
    assert found == expected


def test_no_metric_has_a_label_that_could_name_somebody(printed: set[str]) -> None:
    assert printed
    labels = {label for family in metrics.REGISTRY.collect() for sample in family.samples for label in sample.labels}
    labels |= {label for one in (*claims().readings, *remittance().readings) for label in one.labels}
    assert labels <= {"topic", "outcome", "kind", "method", "route", "status", "le", "group"}
