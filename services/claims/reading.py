"""Claims and encounters as callers see them, put together from what is on record."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from libs.codes import payers
from libs.common.db import Row, Transaction
from services.claims import prior_payers, store, tables
from services.claims.charge_capture import MINUTES_NOT_BILLABLE, coded
from services.claims.claim_views import (
    AcknowledgementView,
    AckView,
    ClaimSummary,
    ClaimView,
    Deadlines,
    LineView,
    SubmissionView,
    Totals,
)
from services.claims.domain import Claim, Status
from services.claims.intake import Received
from services.claims.views import CheckResult, Checks, EncounterIn, EncounterView, Timeline, TimelineEntry

M = TypeVar("M", bound=BaseModel)
_OF_ENCOUNTER: Final = tuple(EncounterView.model_fields)


def shown(model: type[M], row: Mapping[str, Any], **more: Any) -> M:
    """The row's fields that the view has."""
    return model(**{name: row[name] for name in model.model_fields if name in row and name not in more}, **more)


def summary(row: Row) -> ClaimSummary:
    return shown(ClaimSummary, dict(row))


def acknowledgement(row: Row) -> AcknowledgementView:
    return shown(AcknowledgementView, dict(row), id=row["mail_id"], answers=row["summary"]["applied_to"])


async def claim_view(tx: Transaction, claim_id: str) -> ClaimView:
    """The claim with its lines, submissions, acknowledgements, denials and deadlines. Raises NotFound."""
    claim = await store.load(tx, claim_id)
    row = dict(await tx.one(sa.select(tables.claim).where(tables.claim.c.id == claim_id)))
    submissions = await tx.all(
        sa.select(tables.submission)
        .where(tables.submission.c.claim_id == claim_id)
        .order_by(tables.submission.c.attempt)
    )
    acks = await tx.all(
        sa.select(tables.claim_ack)
        .where(tables.claim_ack.c.claim_id == claim_id)
        .order_by(tables.claim_ack.c.at, tables.claim_ack.c.id)
    )
    cases = await tx.all(
        sa.select(tables.denial).where(tables.denial.c.claim_id == claim_id).order_by(tables.denial.c.created_at)
    )
    content = claim.content
    return shown(
        ClaimView,
        row,
        place_of_service=content.place_of_service,
        modality=content.modality,
        diagnoses=list(content.diagnoses),
        lines=[_line(line) for line in content.lines],
        authorization_number=content.authorization_number,
        next_cut_at=claim.cut_at if claim.status is Status.READY else None,
        checks=row["findings"],
        submissions=[shown(SubmissionView, dict(one), patient_control_number=one["pcn"]) for one in submissions],
        acks=[shown(AckView, dict(one)) for one in acks],
        denials=[case["id"] for case in cases],
        deadlines=await _deadlines(tx, claim, [case for case in cases if case["status"] == "open"]),
        totals=await _totals(tx, claim),
        links={
            "self": f"/v1/claims/{claim.id}",
            "encounter": f"/v1/encounters/{claim.encounter_id}",
            "timeline": f"/v1/claims/{claim.id}/timeline",
        },
    )


def _line(line: Any) -> LineView:
    return LineView(
        id=line.id,
        code=line.code,
        modifiers=list(line.modifiers),
        units=line.units,
        charge_cents=line.charge_cents,
        dx_pointers=list(line.pointers),
        minutes=line.minutes,
        reason=line.reason,
    )


async def _deadlines(tx: Transaction, claim: Claim, open_cases: list[Row]) -> Deadlines:
    """A later payer counts from the decision of the one before it."""
    payer = payers.payer(claim.payer_id, claim.service_date) if claim.payer_id else None
    before = await prior_payers.decisions(tx, claim) if claim.rank > 1 else []
    since = max((date.fromisoformat(one["decided_on"]) for one in before), default=claim.service_date)
    return Deadlines(
        timely_filing=since + timedelta(days=payer.timely_filing_days) if payer else None,
        correction=min((case["correct_by"] for case in open_cases), default=None),
        appeal=min((case["appeal_by"] for case in open_cases), default=None),
    )


async def _totals(tx: Transaction, claim: Claim) -> Totals:
    last = await tx.first(
        sa.select(tables.posting.c.data)
        .where(tables.posting.c.claim_id == claim.id)
        .order_by(tables.posting.c.sequence.desc(), tables.posting.c.posting_id.desc())
        .limit(1)
    )
    buckets = last["data"]["buckets"] if last else {}
    return shown(Totals, buckets, charge_cents=claim.charge_cents)


async def encounter_fields(tx: Transaction, row: Row) -> dict[str, Any]:
    """The fields of an encounter's view."""
    claims = await tx.all(
        sa.select(tables.claim.c.id, tables.claim.c.status, tables.claim.c.findings)
        .where(tables.claim.c.encounter_id == row["id"])
        .order_by(tables.claim.c.rank)
    )
    return _fields(row, claims)


def _fields(row: Row, claims: Sequence[Row]) -> dict[str, Any]:
    found = [CheckResult(**_result(one)) for claim in claims for one in claim["findings"]]
    if row["status"] == MINUTES_NOT_BILLABLE:
        found.append(_no_code(EncounterIn.model_validate(row["detail"])))
    return {
        **{name: row[name] for name in _OF_ENCOUNTER if name in row},
        "status": claims[0]["status"] if claims and row["status"] == "charge_ready" else row["status"],
        "claims": [claim["id"] for claim in claims],
        "checks": Checks(
            errors=sum(one.severity == "error" for one in found),
            warnings=sum(one.severity == "warning" for one in found),
            results=found,
        ),
        "links": {
            "self": f"/v1/encounters/{row['id']}",
            "timeline": f"/v1/encounters/{row['id']}/timeline",
        },
    }


def _no_code(sent: EncounterIn) -> CheckResult:
    """Why the documented session supports no code, in words."""
    _content, status, words = coded(sent)
    pointer = "/service/psychotherapy_minutes"
    return CheckResult(rule_id="BH-TIME-000", severity="error", code=status, message=words, pointer=pointer)


def _result(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: finding.get(name) for name in CheckResult.model_fields}


async def received_view(tx: Transaction, received: Received) -> EncounterView:
    """What has just come in, as it stands; what is new need not be read back."""
    if received.row is None:
        return await encounter_view(tx, received.encounter_id)
    claim = received.claim
    claims: list[Row] = [] if claim is None else [{"id": claim.id, "status": claim.status.value, "findings": []}]
    return EncounterView(**_fields(received.row, claims))


async def encounter_view(tx: Transaction, encounter_id: str) -> EncounterView:
    return EncounterView(**await encounter_fields(tx, await store.encounter(tx, encounter_id)))


async def timeline(tx: Transaction, *, encounter_id: str) -> Timeline:
    """Everything that happened to the encounter and its claims, in order."""
    revisions = await tx.all(
        sa.select(tables.encounter_revision).where(tables.encounter_revision.c.encounter_id == encounter_id)
    )
    steps = await tx.all(
        sa.select(tables.history)
        .where(tables.history.c.encounter_id == encounter_id)
        .order_by(tables.history.c.at, tables.history.c.claim_id, tables.history.c.version)
    )
    claim_ids = sorted({step["claim_id"] for step in steps})
    acks = await tx.all(
        sa.select(tables.claim_ack)
        .where(tables.claim_ack.c.claim_id.in_(claim_ids))
        .order_by(tables.claim_ack.c.at, tables.claim_ack.c.id)
    )
    entries = [
        TimelineEntry(
            at=one["received_at"],
            what="encounter.received" if one["revision"] == 1 else "encounter.revised",
            subject_id=encounter_id,
        )
        for one in revisions
    ]
    entries += [
        TimelineEntry(
            at=one["at"],
            what=f"claim.{one['step']}",
            status=one["status"],
            reasons=one["reasons"],
            words=one["words"],
            actor=one["actor"],
            subject_id=one["claim_id"],
        )
        for one in steps
    ]
    entries += [
        TimelineEntry(at=one["at"], what=f"ack.{one['kind']}", words=one["words"], subject_id=one["claim_id"])
        for one in acks
    ]
    return Timeline(data=sorted(entries, key=lambda entry: entry.at))
