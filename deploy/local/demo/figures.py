"""The figures at the close of the month, from the services' own APIs."""

from dataclasses import dataclass
from typing import Any

from deploy.local.demo.client import Client
from deploy.local.demo.practice import FIRST_DAY, LAST_DAY
from deploy.local.demo.quiet import look

BUCKETS = (
    "billed_cents", "credits_cents", "payer_paid_cents", "patient_paid_cents", "contractual_cents",
    "written_off_cents", "withheld_cents", "patient_cents", "denied_open_cents", "in_flight_cents",
)  # fmt: skip
_FACTS = (
    "encounter.created", "claim.submitted", "era.received", "payment.posted", "denial.raised", "denial.resolved",
    "deposit.matched", "credential.expiring",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What `.parity/demo.json` holds, and the figures for the page beside it."""

    kept: dict[str, Any]
    kpis: dict[str, Any]
    totals: dict[str, Any]
    tasks: list[dict[str, Any]]


async def gather(client: Client, seconds: float) -> Figures:
    """The month's figures; every cent from the ledger, every count from the tables that reporting projected."""
    kpis = await client.get("reporting", "/v1/kpis", **{"from": FIRST_DAY.isoformat(), "to": LAST_DAY.isoformat()})
    summary = await client.get("reporting", "/v1/summary")
    totals = await client.get("remittance", "/v1/ledger/totals")
    tasks = await client.everything("reporting", "/v1/worklist")
    seen = await look(client)
    events = {t.removesuffix(".v1"): n for t, n in summary["events_by_topic"].items()}
    kept = {
        "encounters": summary["encounters"],
        "claims": sum(kpis["claims_by_status"].values()),
        "claims_by_status": kpis["claims_by_status"],
        "events_by_topic": {topic: events[topic] for topic in _FACTS if topic in events},
        **{name: totals[name] for name in BUCKETS},
        "unbilled_cents": kpis["money"]["unbilled_cents"],
        "cash_cents": totals["cash_cents"],
        "ledger_imbalance_cents": totals["ledger_imbalance_cents"],
        "outbox_unsent": sum(part.get("outbox", 0) for part in seen.values()),
        "parked_keys": sum(part.get("parked", 0) for part in seen.values()),
        "tasks_by_reason": summary["tasks_by_reason"],
        "seconds": round(seconds, 1),
    }
    return Figures(kept=kept, kpis=kpis, totals=totals, tasks=tasks)


def unaccounted_cents(kept: dict[str, Any]) -> int:
    """By how much the identity of the ledger is off: zero."""
    rest = sum(kept[name] for name in BUCKETS[2:])
    return int(kept["billed_cents"] + kept["credits_cents"] - rest)
