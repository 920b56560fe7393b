"""What a check means for its session: the outcome, who is billed, the estimate, the units it needs."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from libs import x12
from libs.codes import payers
from libs.common.db import Row, Transaction
from services.eligibility import authorize, later, store, tell
from services.eligibility import tables as t
from services.eligibility.benefits import Benefits
from services.eligibility.estimate import Estimate, estimate
from services.eligibility.fees import priced

NOBODY: Final[dict[str, Any]] = {"bill_payer_id": None, "need": "not_required"}


async def self_pay(tx: Transaction, session: Mapping[str, Any], check_id: str) -> None:
    """A session without coverage needs no payer's answer."""
    finding = {"check_id": check_id, "coverage_id": None, "payer_id": None, "outcome": "self_pay", **NOBODY}
    await _settle(tx, session["id"], check_id, finding, None)


async def waits_for(tx: Transaction, check: Row, following: str) -> None:
    """The session's answer is now expected from the check that follows."""
    encounter = await _current(tx, dict(check))
    if encounter is not None:
        await store.update(tx, t.encounter, encounter["id"], {"check_id": following})


async def refused(tx: Transaction, check: Mapping[str, Any], *, owner: str) -> None:
    """The payer would not say; nobody is billed before the owner has looked."""
    if await later.is_later(tx, check):
        await later.refused(tx, check, owner=owner)
        return
    encounter = await _current(tx, check)
    if encounter is None:
        return
    finding = {
        **_about(check),
        "outcome": check["outcome"],
        "reject_reasons": check["reject_reasons"],
        "owner": owner,
        **NOBODY,
        "need": "unknown",
    }
    await _settle(tx, encounter["id"], check["id"], finding, None)


async def answered(
    tx: Transaction, check: Mapping[str, Any], benefits: Benefits, answer: x12.EligibilityAnswer
) -> None:
    """The estimate is on the check, and the session knows where its claim goes and what it needs."""
    if await later.is_later(tx, check):
        await later.answered(tx, check)
        return
    found = await _estimate(tx, check, benefits)
    if found is not None:
        await store.update(tx, t.check, check["id"], {"estimate": _plain(found)})
    encounter = await _current(tx, check)
    if encounter is None:
        return
    active = check["outcome"] == "active"
    need, want = _need(check, encounter, benefits) if active else ("not_required", None)
    finding = {
        **_about(check),
        "outcome": check["outcome"],
        "bill_payer_id": check["payer_id"] if active else None,
        "carved_out": check["routed_from"] is not None,
        "need": need,
        "copay_cents": max(benefits.copays_cents, default=None),
        "estimate_cents": found.patient_cents if found and active else None,
        "deductible_left_cents": benefits.deductible.left_cents,
        "visits_left": benefits.visits_left,
        "identity": await _identity(tx, check, answer, benefits.plan_name),
    }
    await _settle(tx, encounter["id"], check["id"], finding, want)


async def _current(tx: Transaction, check: Mapping[str, Any]) -> Row | None:
    """The session that awaits this very check; None if it has been sent again changed since, or there is none."""
    if check["encounter_id"] is None:
        return None
    row = await store.find(tx, t.encounter, check["encounter_id"], lock=True)
    return row if row is not None and row["check_id"] == check["id"] else None


def _about(check: Mapping[str, Any]) -> dict[str, Any]:
    return {"check_id": check["id"], "coverage_id": check["coverage_id"], "asked_payer_id": check["payer_id"]}


async def _estimate(tx: Transaction, check: Mapping[str, Any], benefits: Benefits) -> Estimate | None:
    lines = await priced(tx, check["payer_id"], check["practice_id"], check["services"], check["service_date"])
    return estimate(benefits, lines, eap=check["eap"])


def _plain(found: Estimate) -> dict[str, Any]:
    return {
        "allowed_cents": found.allowed_cents,
        "patient_cents": found.patient_cents,
        "range_cents": [found.low_cents, found.high_cents],
        "confidence": float(found.confidence),
        "explain": list(found.steps),
    }


def _need(check: Mapping[str, Any], encounter: Row, benefits: Benefits) -> tuple[str, dict[str, Any] | None]:
    """Whether the session needs authorized units, and which: the payer's answer, else the payer's published rule.

    A number that the EHR names is looked for even where none is needed; unknown is not a no.
    """
    codes = _codes_that_need(check["payer_id"], check["service_date"], benefits)
    units: dict[str, int] = {}
    for one in check["services"]:
        units[one["procedure"]] = units.get(one["procedure"], 0) + one["units"]
    kind = "eap" if encounter["eap"] else "prior"
    named = encounter["authorization_number"]
    if kind == "eap" or codes["Y"]:
        wanted = units if kind == "eap" else {code: n for code, n in units.items() if code in codes["Y"]}
        return "required", {"kind": kind, "codes": wanted, "number": named, "otherwise": None}
    need = "unknown" if codes["U"] else "not_required"
    if named is None and need == "not_required":
        return need, None
    return need, {"kind": kind, "codes": units, "number": named, "otherwise": need}


def _codes_that_need(payer_id: str, on: date, benefits: Benefits) -> dict[str, set[str]]:
    """Procedures by Y, U or N."""
    published = set(payers.payer(payer_id, on).authorization_codes)
    found: dict[str, set[str]] = {"Y": set(), "U": set(), "N": set()}
    for said in benefits.authorization:
        by_rule = said.procedure in published and not (said.exact and said.required == "N")
        found["Y" if by_rule else said.required or "N"].add(said.procedure)
    return found


async def _identity(
    tx: Transaction, check: Mapping[str, Any], answer: x12.EligibilityAnswer, plan_name: str | None
) -> dict[str, Any]:
    """The subscriber as the claim must name them: as the payer spells them, else as the card does."""
    coverage = await store.find(tx, t.coverage, check["coverage_id"])
    patient = await store.find(tx, t.patient, check["patient_id"])
    assert coverage is not None, "a check has its coverage"
    assert patient is not None, "a check has its patient"
    own = coverage["relationship"] == "self"
    told = answer.subscriber or x12.Party()
    return {
        "member_id": told.id if told.id and told.id_qualifier == "MI" else coverage["member_id"],
        "group_number": coverage["group_number"],
        "relationship": coverage["relationship"],
        "subscriber_first_name": told.first_name or (patient if own else coverage)[_name(own, "first_name")],
        "subscriber_last_name": told.name or (patient if own else coverage)[_name(own, "last_name")],
        "subscriber_dob": told.birth_date or (patient["dob"] if own else coverage["subscriber_dob"]),
        "effective_from": coverage["effective_from"],
        "effective_to": coverage["effective_to"],
        "plan_name": plan_name,
    }


def _name(own: bool, name: str) -> str:
    return name if own else f"subscriber_{name}"


async def _settle(
    tx: Transaction, encounter_id: str, check_id: str, finding: Mapping[str, Any], want: Mapping[str, Any] | None
) -> None:
    """The finding stands, units are shared out anew among the patient's sessions, and what changed is told."""
    row = await store.find(tx, t.encounter, encounter_id)
    assert row is not None, "a session is never deleted"
    payer_id = finding.get("asked_payer_id")
    if finding.get("carved_out"):
        first = await store.find(tx, t.coverage, finding["coverage_id"])
        payer_id = first["payer_id"] if first else payer_id
    kept = {**finding, "payer_id": payer_id}
    wanted = None if want is None else {**want, "payer_id": finding["bill_payer_id"]}
    await store.update(tx, t.encounter, encounter_id, {"finding": _json(kept), "want": wanted, "check_id": check_id})
    changed = await authorize.share_out(tx, row["patient_id"])
    for one in sorted({encounter_id, *changed}):
        await tell.checked(tx, one)


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as text, so that they can rest as JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return _json(value)
        if isinstance(value, date):
            return value.isoformat()
        return float(value) if isinstance(value, Decimal) else value

    return {name: plain(value) for name, value in values.items()}
