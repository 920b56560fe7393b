"""How patients, checks and authorizations look to a caller."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from fastapi import Response
from pydantic import BaseModel

from libs.common.db import Row, Transaction
from libs.common.http import set_etag
from services.eligibility import store
from services.eligibility.refusals import refusal
from services.eligibility.views import (
    AuthorizationView,
    CheckView,
    CoverageFields,
    CoverageView,
    EntryView,
    PatientBody,
    PatientView,
    RefusalView,
    RouteView,
    UsageView,
)

ALLOWED = {"Y": "yes", "N": "no", "U": "unknown", "": "not_stated"}


def _named(row: Row | Mapping[str, Any], view: type[BaseModel]) -> dict[str, Any]:
    return {name: row[name] for name in view.model_fields}


async def patient(tx: Transaction, row: Row, response: Response | None = None) -> PatientView:
    if response is not None:
        set_etag(response, row["version"])
    found = [await coverage(tx, one) for one in await store.coverages(tx, row["id"])]
    return PatientView(id=row["id"], version=row["version"], coverages=found, **_named(row, PatientBody))


async def coverage(tx: Transaction, row: Row, response: Response | None = None) -> CoverageView:
    if response is not None:
        set_etag(response, row["version"])
    names = ("id", "practice_id", "patient_id", "status", "version")
    return CoverageView(
        **{name: row[name] for name in names},
        **_named(row, CoverageFields),
        benefit_routes=await _routes(tx, row["id"]),
    )


async def _routes(tx: Transaction, coverage_id: str | None, check_id: str | None = None) -> list[RouteView]:
    """Where the coverage's benefits are administered; for one check, only what it found itself."""
    following = await store.routed_to(tx, check_id) if check_id else None
    return [
        RouteView(
            family=row["family"],
            administrator={
                "payer_id": row["administrator_id"],
                "evidence": row["evidence"],
                "phone": row["phone"],
            },
            next_check_id=following,
        )
        for row in await store.routes_of(tx, coverage_id)
        if check_id is None or following is not None
    ]


async def check(tx: Transaction, row: Row) -> CheckView:
    """A check as the conventions shape it: status, coverage, benefits, errors with their owner, estimate, raw."""
    benefits = row["benefits"]
    answered = row["status"] in ("completed", "failed")
    return CheckView(
        id=row["id"],
        status=row["status"] if answered else "pending",
        outcome=row["outcome"],
        encounter_id=row["encounter_id"],
        coverage_id=row["coverage_id"],
        practice_id=row["practice_id"],
        patient_id=row["patient_id"],
        as_of_date=row["service_date"],
        checked_at=row["checked_at"],
        attempt=row["attempt"],
        payer={"id": row["payer_id"]} if row["payer_id"] else None,
        routed_from=row["routed_from"],
        coverage=_coverage_said(row, benefits) if benefits else None,
        benefit_routes=await _routes(tx, row["coverage_id"], row["id"]),
        benefits=[_benefits_said(row, benefits)] if benefits else [],
        other_payers=list(benefits["other_payers"]) if benefits else [],
        errors=[_refused(code) for code in row["reject_reasons"]],
        warnings=list(benefits["warnings"]) if benefits else [],
        messages=list(benefits["messages"]) if benefits else [],
        estimate=row["estimate"],
        raw={"x12_271_ref": f"/v1/eligibility-checks/{row['id']}/x12"} if row["answer_sealed"] else None,
        valid_until=_month_end(row["service_date"]) if row["status"] == "completed" else None,
    )


def _coverage_said(row: Row, benefits: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "active": row["outcome"] == "active",
        "plan": benefits["plan_name"],
        "group": benefits["group_number"],
        "effective": benefits["begins"],
        "termination": benefits["ends"],
        "network": "in",
    }


def _benefits_said(row: Row, benefits: Mapping[str, Any]) -> dict[str, Any]:
    said = benefits["authorization"]
    return {
        "family": "mental_health",
        "setting": "telehealth" if row["place_of_service"] in ("02", "10") else "office",
        "covered": benefits["mental_health_covered"],
        "network": "in",
        "copay_cents": max(benefits["copays_cents"], default=None),
        "coinsurance": max(benefits["coinsurances"], default=None),
        "deductible": {
            "applies": benefits["deductible_applies"],
            "individual": _left(benefits["deductible"]),
            "family": _left(benefits["family_deductible"]),
        },
        "oop_max": {
            "individual": _left(benefits["out_of_pocket"]),
            "family": _left(benefits["family_out_of_pocket"]),
        },
        "limits": [
            {
                "kind": "visits",
                "period": benefits["visits_period"],
                "total": benefits["visits"],
                "remaining": benefits["visits_left"],
            }
        ]
        if benefits["visits"] is not None or benefits["visits_left"] is not None
        else [],
        "authorization": [
            {"code": one["procedure"], "required": ALLOWED[one["required"]], "source": f"EB11={one['required']}"}
            for one in said
        ],
        "telehealth": {"covered": benefits["telehealth"]},
    }


def _left(amounts: Mapping[str, Any]) -> dict[str, Any]:
    return {"total_cents": amounts["total_cents"], "remaining_cents": amounts["left_cents"]}


def _refused(code: str) -> RefusalView:
    found = refusal(code)
    return RefusalView(
        aaa=code, field=found.field, owner=found.owner, retryable=found.outcome == "retry", suggestion=found.words
    )


def _month_end(day: date) -> date:
    """Plans change with the month: an answer is good until the end of the month that it is about."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


async def authorization(tx: Transaction, row: Row, response: Response | None = None) -> AuthorizationView:
    one = store.authorization_of(row)
    if response is not None:
        set_etag(response, one.version)
    names = ("id", "number", "status", "kind", "patient_id", "practice_id", "unit", "approved_units", "version")
    return AuthorizationView(
        **{name: getattr(one, name) for name in names},
        payer={"id": one.payer_id},
        codes=list(one.codes),
        period={"start": one.effective_from, "end": one.effective_to},
        providers={"rendering_npi": one.rendering_npi},
        usage=UsageView(reserved=one.reserved_units, used=one.consumed_units, available=one.available_units),
        source=row["source"],
        history=[EntryView(**_named(entry, EntryView)) for entry in await store.unit_entries(tx, one.id)],
    )
