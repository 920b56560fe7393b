"""What the API answers about remittances, and what became of them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.common.db import Row


class RemittanceSummary(BaseModel):
    """One remittance (ST) of a file."""

    id: str
    status: str = Field(
        description="received, waiting (some of its claims do), posted, needs_decision, refused, duplicate, superseded"
    )
    reason: str | None
    payer_id: str | None
    payer_name: str
    practice_id: str | None
    payee_npi: str
    trace: str
    method: str
    amount_cents: int = Field(description="BPR02; negative where the payer debits.")
    paid_on: date
    difference_cents: int = Field(description="By how much the transaction does not balance.")
    deposit_id: str | None
    created_at: datetime


class AdjustmentView(BaseModel):
    group: str
    carc: str
    amount_cents: int


class AnsweredLine(BaseModel):
    line_ref: str = Field(description="Our line control number (REF*6R), where the payer returned it.")
    code: str
    modifiers: list[str]
    charge_cents: int
    paid_cents: int
    allowed_cents: int | None
    adjustments: list[AdjustmentView]
    rarcs: list[str]


class MatchView(BaseModel):
    method: str


class AnsweredClaim(BaseModel):
    """What the payer said of one claim, and what became of it."""

    id: str
    clp01: str
    clp02: str
    icn: str
    charge_cents: int
    paid_cents: int
    patient_responsibility_cents: int
    matched_claim_id: str | None
    match: MatchView | None
    adjustments: list[AdjustmentView]
    lines: list[AnsweredLine]
    result: str = Field(description="received, posted, waiting, dismissed, information (never posted)")
    reason: str | None
    difference: str | None = Field(description="What does not add up, in words.")
    posting_id: str | None
    entry: str | None
    outcome: str | None


class ProviderAdjustmentView(BaseModel):
    code: str
    amount_cents: int = Field(description="Positive takes from the provider.")
    ref: str
    account: str
    matched_claim: str | None


class BalanceCheck(BaseModel):
    """BPR02 = sum of the claims' payments less the provider adjustments."""

    sum_clp_cents: int
    sum_plb_cents: int
    difference_cents: int
    ok: bool


class Eft(BaseModel):
    matched: bool
    deposit_id: str | None


class UnpostedView(BaseModel):
    """An answer that waits, its money in suspense."""

    id: str
    era_id: str
    clp01: str
    clp02: str
    icn: str
    payer_id: str | None
    practice_id: str | None
    trace: str
    paid_on: date
    charge_cents: int
    paid_cents: int
    reason: str
    difference: str | None
    created_at: datetime


class RemittanceView(RemittanceSummary):
    """A remittance with its claims and provider adjustments."""

    eft: Eft
    balance_check: BalanceCheck
    plb: list[ProviderAdjustmentView]
    claims: list[AnsweredClaim]
    unposted: list[str] = Field(description="Ids of the answers that wait.")
    auto_post_rate: float | None = Field(description="Posted claims among those that can be posted.")


class TakenView(BaseModel):
    """The file is ours; its claims are posted next."""

    file_id: str
    remittance_ids: list[str]
    repeated: bool = Field(description="The same bytes had been taken before; nothing has changed.")


class DecisionBody(BaseModel):
    """What to do with a remittance that nobody could post."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "post", "reason": "the payer confirms the paid amount"}]},
    )

    decision: Literal["post", "refuse"]
    reason: str = Field(min_length=3, max_length=500)


class Dismissal(BaseModel):
    """Why a waiting answer is about nothing of ours."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "a claim of the practice across the street"}]}
    )

    reason: str = Field(min_length=3, max_length=500)


class NamedClaim(BaseModel):
    """The claim that a waiting answer is about."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"claim_id": "clm_0192f0a1"}]})

    claim_id: str = Field(max_length=64)


class NewReading(BaseModel):
    """How an adjustment code is read that no table knows."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "payer_id": "pay_harborbh",
                    "group": "CO",
                    "reason": "Z9",
                    "adjusts": "contractual",
                    "effective_from": "2026-01-01",
                    "effective_to": None,
                    "why": "the payer's manual, section 12",
                }
            ]
        },
    )

    payer_id: str | None = Field(None, max_length=64, description="Null: whoever sends it.")
    group: Literal["CO", "OA", "PI", "PR"]
    reason: str = Field(pattern=r"^[A-Z0-9]{1,5}$")
    adjusts: Literal["contractual", "patient", "denial", "prior_payer", "withhold", "information"]
    effective_from: date = Field(description="Dates of service from this day on.")
    effective_to: date | None = None
    why: str = Field(min_length=3, max_length=500)


class ReadingView(NewReading):
    """How this tenant reads an adjustment code."""

    id: str


def reading(row: Row) -> ReadingView:
    given = {name: row[name] for name in ("id", "payer_id", "adjusts", "effective_from", "effective_to", "why")}
    return ReadingView(group=row["group_code"], reason=row["reason_code"], **given)


def summary(row: Row) -> RemittanceSummary:
    return RemittanceSummary(**{name: row[name] for name in RemittanceSummary.model_fields})


def _adjustments(found: list[list[Any]]) -> list[AdjustmentView]:
    return [AdjustmentView(group=group, carc=carc, amount_cents=amount) for group, carc, amount in found]


def answered(row: Row) -> AnsweredClaim:
    kept = row["content"]
    return AnsweredClaim(
        id=row["id"],
        clp01=row["pcn"],
        clp02=row["clp02"],
        icn=row["icn"],
        charge_cents=row["charge_cents"],
        paid_cents=row["paid_cents"],
        patient_responsibility_cents=row["patient_responsibility_cents"],
        matched_claim_id=row["claim_id"],
        match=MatchView(method=row["match"]) if row["match"] else None,
        adjustments=_adjustments(kept["adjustments"]),
        lines=[
            AnsweredLine(
                line_ref=line["control"],
                code=line["procedure"],
                modifiers=line["modifiers"],
                charge_cents=line["charge_cents"],
                paid_cents=line["paid_cents"],
                allowed_cents=line["allowed_cents"],
                adjustments=_adjustments(line["adjustments"]),
                rarcs=line["remark_codes"],
            )
            for line in kept["lines"]
        ],
        result=row["status"],
        reason=row["reason"],
        difference=row["difference"],
        posting_id=row["posting_id"],
        entry=row["entry"],
        outcome=row["outcome"],
    )


def auto_post_rate(claims: list[AnsweredClaim]) -> float | None:
    """Posted claims among those that can be posted; None where there are none."""
    can_post = [claim for claim in claims if claim.result not in ("information", "dismissed")]
    posted = sum(claim.result == "posted" for claim in can_post)
    return round(posted / len(can_post), 4) if can_post else None


def remittance(row: Row, claims: list[AnsweredClaim], adjustments: list[ProviderAdjustmentView]) -> RemittanceView:
    return RemittanceView(
        **summary(row).model_dump(),
        eft=Eft(matched=row["deposit_id"] is not None, deposit_id=row["deposit_id"]),
        balance_check=BalanceCheck(
            sum_clp_cents=row["claims_cents"],
            sum_plb_cents=row["provider_adjustment_cents"],
            difference_cents=row["difference_cents"],
            ok=row["difference_cents"] == 0,
        ),
        plb=adjustments,
        claims=claims,
        unposted=[claim.id for claim in claims if claim.result == "waiting"],
        auto_post_rate=auto_post_rate(claims),
    )
