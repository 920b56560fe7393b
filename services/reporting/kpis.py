"""Key figures, each answered with its formula, its parts and what to mind.

Names and definitions follow the HFMA MAP keys where there is one. Periods are dates, both inclusive.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from libs.common.db import Transaction
from services.reporting.facts import BUCKETS

AGING = ((0, 30), (31, 60), (61, 90), (91, 120), (121, 180), (181, None))
"""Days since the first bill; the last bucket is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a figure is asked about; None means all."""

    first: date
    last: date
    practice_id: str | None = None
    payer_id: str | None = None

    def parameters(self) -> dict[str, Any]:
        return {"first": self.first, "last": self.last, "practice": self.practice_id, "payer": self.payer_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A figure with its parts. `value` is None where the denominator is zero: no figure is not zero."""

    name: str
    formula: str
    numerator: int
    denominator: int
    unit: str = "ratio"
    note: str | None = None

    @property
    def value(self) -> float | None:
        return round(self.numerator / self.denominator, 4) if self.denominator else None


_MINE = (
    "(cast(:practice as text) is null or {t}.practice_id = :practice) "
    "and (cast(:payer as text) is null or {t}.payer_id = :payer)"
)


def mine(table: str) -> str:
    """The condition that keeps to the scope's practice and payer."""
    return _MINE.format(t=table)


async def clean_claim_rate(tx: Transaction, scope: Scope) -> Ratio:
    """Of the claims first submitted in the period, those that no person had to touch before (MAP CL-1)."""
    row = await tx.one(
        sa.text(
            # A release that did not say it with the submission left it to the claim as it stands.
            "select count(*) filter (where coalesce(s.clean, (select c.clean from claim c "
            "where c.tenant_id = s.tenant_id and c.claim_id = s.claim_id))) as clean, count(*) as entered "
            "from submission s "
            f"where s.attempt = 1 and s.submitted_on between :first and :last and {mine('s')}"
        ),
        scope.parameters(),
    )
    return Ratio(
        name="clean_claim_rate",
        formula="claims first submitted in the period that passed every edit with no manual touch "
        "÷ claims first submitted in the period",
        numerator=row["clean"],
        denominator=row["entered"],
    )


async def first_pass_payment_rate(tx: Transaction, scope: Scope) -> Ratio:
    """Of the claims first adjudicated in the period, those paid or rightly left to the patient at once (FPRR)."""
    row = await tx.one(
        sa.text(
            "select count(*) filter (where f.outcome in ('paid', 'patient_responsibility')) as paid, count(*) as all_ "
            f"from first_decision f where f.paid_on between :first and :last and {mine('f')}"
        ),
        scope.parameters(),
    )
    return Ratio(
        name="first_pass_payment_rate",
        formula="claims paid, or left to the patient by the plan, at the payer's first decision in the period "
        "÷ claims with a first decision in the period",
        numerator=row["paid"],
        denominator=row["all_"],
        note="a claim paid in part with the rest denied counts as not paid",
    )


async def denial_rate(tx: Transaction, scope: Scope) -> Ratio:
    """Of the claims first adjudicated in the period, those with a denied line (initial denial rate by count)."""
    row = await tx.one(
        sa.text(
            "select count(*) filter (where f.denied_cents > 0) as denied, count(*) as all_ "
            f"from first_decision f where f.paid_on between :first and :last and {mine('f')}"
        ),
        scope.parameters(),
    )
    return Ratio(
        name="denial_rate",
        formula="claims with a denied line at the payer's first decision in the period "
        "÷ claims with a first decision in the period",
        numerator=row["denied"],
        denominator=row["all_"],
    )


async def denials_by_payer_and_reason(tx: Transaction, scope: Scope) -> list[dict[str, Any]]:
    """First-pass denials of the period by payer and reason, with each payer's share of its decided claims."""
    rows = await tx.all(
        sa.text(
            "with decided as materialized (select payer_id, count(*) as claims from first_decision "
            "where paid_on between :first and :last group by payer_id) "
            "select d.payer_id, d.group_code, d.reason_code, count(distinct d.claim_id) as claims, "
            "sum(d.denied_cents)::bigint as denied_cents, max(n.claims) as decided_claims "
            "from denial d left join decided n using (payer_id) "
            f"where d.first_pass and d.raised_on between :first and :last and {mine('d')} "
            "group by d.payer_id, d.group_code, d.reason_code order by denied_cents desc, 1, 2, 3"
        ),
        scope.parameters(),
    )
    return [
        dict(row) | {"rate": round(row["claims"] / row["decided_claims"], 4) if row["decided_claims"] else None}
        for row in rows
    ]


_OPEN = "(in_flight_cents <> 0 or denied_open_cents <> 0 or withheld_cents <> 0 or patient_cents <> 0)"
"""As the partial index `receivable_open` has it, so that a look at what is open does not pay for what is closed."""


async def days_in_ar(tx: Transaction, scope: Scope) -> Ratio:
    """Receivables now ÷ average charges a day over the period (gross days in A/R); credits are left out."""
    row = await tx.one(
        sa.text(
            "select coalesce((select sum(in_flight_cents + denied_open_cents + withheld_cents + patient_cents) "
            f" from receivable r where {_OPEN} and {mine('r')}), 0)::bigint as receivable, "
            "coalesce((select sum(charge_cents) from submission s where s.attempt = 1 and rank = 1 "
            f" and s.submitted_on between :first and :last and {mine('s')}), 0)::bigint as charged"
        ),
        scope.parameters(),
    )
    days = (scope.last - scope.first).days + 1
    return Ratio(
        name="days_in_ar",
        formula="(in flight + denied and open + withheld + patient) now "
        "÷ (charges first billed in the period ÷ its days)",
        numerator=row["receivable"] * days,
        denominator=row["charged"],
        unit="days",
        note=f"gross, over {days} days; credit balances are not netted",
    )


async def net_collection_rate(tx: Transaction, scope: Scope) -> Ratio:
    """Of what may be collected for the claims first billed in the period, what has been (payer and patient)."""
    row = await tx.one(
        sa.text(
            "select coalesce(sum(payer_paid_cents + patient_paid_cents), 0)::bigint as paid, "
            "coalesce(sum(billed_cents - contractual_cents), 0)::bigint as collectable "
            f"from receivable r where r.first_billed_on between :first and :last and {mine('r')}"
        ),
        scope.parameters(),
    )
    return Ratio(
        name="net_collection_rate",
        formula="payments ÷ (charges − contractual adjustments), claims first billed in the period",
        numerator=row["paid"],
        denominator=row["collectable"],
        note="low until the cohort has matured for 90 to 120 days",
    )


async def aging(tx: Transaction, scope: Scope, as_of: date) -> list[dict[str, Any]]:
    """Open receivables by days since the first bill, payer and patient apart."""
    rows = await tx.all(
        sa.text(
            "select cast(:as_of as date) - r.first_billed_on as days, "
            "sum(in_flight_cents + denied_open_cents + withheld_cents)::bigint as payer_cents, "
            "sum(patient_cents)::bigint as patient_cents "
            f"from receivable r where r.first_billed_on is not null and {_OPEN} and {mine('r')} group by 1"
        ),
        scope.parameters() | {"as_of": as_of},
    )
    found = []
    for low, high in AGING:
        inside = [r for r in rows if r["days"] >= low and (high is None or r["days"] <= high)]
        found.append(
            {
                "days": f"{low}-{high}" if high is not None else f"{low - 1}+",
                "payer_cents": sum(r["payer_cents"] for r in inside),
                "patient_cents": sum(r["patient_cents"] for r in inside),
            }
        )
    return found


async def money(tx: Transaction, scope: Scope) -> dict[str, int]:
    """Every charge accounted for, now: billed + credits = the sum of the rest; `difference_cents` says whether."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in BUCKETS)
    row = await tx.one(sa.text(f"select {sums} from receivable r where {mine('r')}"), scope.parameters())
    found = {name: int(row[name]) for name in BUCKETS}
    rest = sum(found[name] for name in BUCKETS[2:])
    return found | {"difference_cents": found["billed_cents"] + found["credits_cents"] - rest}


async def claims_by_status(tx: Transaction, scope: Scope) -> dict[str, int]:
    """How many claims stand where, now."""
    rows = await tx.all(
        sa.text(f"select status, count(*) as n from claim c where {mine('c')} group by status order by status"),
        scope.parameters(),
    )
    return {row["status"]: row["n"] for row in rows}


async def unbilled(tx: Transaction, scope: Scope) -> int:
    """Charges of claims that have never been sent."""
    found = await tx.scalar(
        sa.text(
            "select coalesce(sum(charge_cents), 0)::bigint from claim c "
            f"where c.attempts = 0 and c.status <> 'void' and {mine('c')}"
        ),
        scope.parameters(),
    )
    return int(found)


def this_month(today: date) -> tuple[date, date]:
    """The first day of the month, and today."""
    return today.replace(day=1), today
