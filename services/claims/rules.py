"""The rule pack: data with payer scope, dates, source and severity; evaluated as of the date of service."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SEVERITIES = ("error", "warning", "fixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: which edit it runs, for whom, when, and how grave a finding is."""

    id: str
    edit: str
    severity: str
    code: str
    """What a task, an event and a caller see as the reason."""
    payers: tuple[str, ...]
    """Empty: every payer."""
    params: Mapping[str, Any]
    effective_from: date
    effective_to: date | None
    source: str

    def applies(self, payer_id: str, on: date) -> bool:
        in_force = self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)
        return in_force and (not self.payers or payer_id in self.payers)


def _rule(row: Mapping[str, Any]) -> Rule:
    assert row["severity"] in SEVERITIES, f"{row['id']}: no such severity"
    return Rule(
        id=row["id"],
        edit=row["edit"],
        severity=row["severity"],
        code=row["code"],
        payers=tuple(row.get("payers", ())),
        params=row.get("params", {}),
        effective_from=row["effective_from"],
        effective_to=row.get("effective_to"),
        source=row["source"],
    )


@cache
def pack() -> tuple[Rule, ...]:
    """Every rule of `rules/*.yaml`, by id; two rules never share one."""
    files = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
    found = [_rule(row) for path in files for row in yaml.safe_load(path.read_bytes())["rules"]]
    assert len({rule.id for rule in found}) == len(found), "two rules share an id"
    return tuple(sorted(found, key=lambda rule: rule.id))


def in_force(payer_id: str, on: date) -> tuple[Rule, ...]:
    """The rules for this payer on this date of service."""
    return tuple(rule for rule in pack() if rule.applies(payer_id, on))
