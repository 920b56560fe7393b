"""A claim passes every gate, waits for what it lacks, or is held for a person; it goes on by itself when news come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from libs.codes import payers
from libs.common import timers
from libs.common.db import Transaction
from services.claims import disclosure, edits, overlaps, prior_payers, store
from services.claims.domain import Claim, Status, Step
from services.claims.lifecycle import WORDS, move

SCRUBBED = (Status.DRAFT, Status.WAITING, Status.HELD, Status.READY, Status.CORRECTING)
BY_PERSON = "held_by_person"
STOPPED_BY = {
    "inactive": "coverage_inactive",
    "not_found": "member_not_found",
    "rejected": "eligibility_rejected",
    "self_pay": "self_pay",
}
NEWS = {"practice_unknown", "practice_address", "provider_unknown", "location_unknown"}
"""What other services may tell at any moment, also between our look and our commit."""
LACKS_AUTHORIZATION = {"missing": "authorization_missing", "exhausted": "authorization_exhausted"}


@dataclass(slots=True, kw_only=True)
class Gates:
    """What a claim may lack: `waits` end by news from elsewhere, `stops` by a person."""

    payer_id: str | None = None
    provider: Mapping[str, Any] | None = None
    authorization_id: str | None = None
    file_from: date | None = None
    """The day from which a later payer counts, of the decision before it."""
    waits: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    words: str | None = None
    owner: str | None = None
    """Who can mend the first of `stops`, where eligibility named them."""


async def run(tx: Transaction, claim_id: str) -> Claim:
    """The claim stands where the gates and the rules put it; one that is past scrubbing is left alone."""
    claim = await store.load(tx, claim_id, lock=True)
    if claim.status not in SCRUBBED or BY_PERSON in claim.reasons:
        return claim
    return await stand(tx, claim, (await store.encounter(tx, claim.encounter_id))["detail"])


async def stand(tx: Transaction, claim: Claim, detail: Mapping[str, Any]) -> Claim:
    """As `run`, of a claim in hand that nobody else can be at, and its encounter as the EHR sent it."""
    gates = await _gates(tx, claim, detail)
    if NEWS.intersection(gates.waits):
        await store.await_news(tx, [("practice", claim.practice_id), ("provider", claim.provider_npi)])
        gates = await _gates(tx, claim, detail)
    provider_id = gates.provider["provider_id"] if gates.provider else None
    changes = {
        "provider_id": provider_id,
        "payer_id": gates.payer_id,
        "authorization_id": gates.authorization_id,
    }
    if gates.stops:
        owner = {"owner": gates.owner} if gates.owner else {}
        return await _to(tx, claim, Step.HOLD, gates.stops, gates.words, changes | owner)
    if gates.waits:
        return await _to(tx, claim, Step.WAIT, gates.waits, gates.words, changes)
    return await _rules(tx, claim, gates, detail, changes)


async def _rules(
    tx: Transaction, claim: Claim, gates: Gates, detail: Mapping[str, Any], changes: dict[str, Any]
) -> Claim:
    assert gates.payer_id is not None
    assert gates.provider is not None
    overlapping = await overlaps.of(tx, claim, detail)
    facts = edits.Facts(
        claim=replace(await priced(tx, claim), authorization_id=gates.authorization_id),
        payer=payers.payer(gates.payer_id, claim.service_date),
        today=tx.today,
        file_from=gates.file_from,
        documentation=detail["documentation"],
        eap=detail["billing_flags"]["eap"],
        taxonomy=(gates.provider.get("sealed") or {}).get("taxonomy"),
        others=await store.same_day(tx, claim),
        patient_has_address=detail["patient"].get("address") is not None,
        session_minutes=overlaps.minutes(detail),
        overlap_minutes=max((one.minutes for one in overlapping), default=0),
        at_home=(detail["service"]["patient_location"] or {}).get("home"),
    )
    content, found = edits.run(facts)
    findings = [finding.view() for finding in found]
    changes = {**changes, "content": content}
    accepted = claim.content.accepted
    errors = [finding for finding in found if finding.severity == "error" and finding.code not in accepted]
    if errors:
        reasons = list(dict.fromkeys(finding.code for finding in errors))
        if overlaps.REASON in reasons:
            await overlaps.hold_both(tx, overlapping)
        words = "; ".join(dict.fromkeys(f"{finding.rule_id}: {finding.message}" for finding in errors))
        return await _to(tx, claim, Step.HOLD, reasons, words, changes, findings)
    fixed = ", ".join(finding.code for finding in found if finding.severity == "fixed")
    return await _to(tx, claim, Step.PASS, [], fixed or None, changes, findings)


async def priced(tx: Transaction, claim: Claim) -> Claim:
    """Lines without a charge have the practice's own, where its charge master names one."""
    bare = [line.code for line in claim.content.lines if line.charge_cents is None]
    if not bare:
        return claim
    prices = await store.charge_for(tx, claim.practice_id, bare, claim.service_date)
    lines = tuple(
        replace(line, charge_cents=prices[line.code] * line.units)
        if line.charge_cents is None and line.code in prices
        else line
        for line in claim.content.lines
    )
    return replace(claim, content=replace(claim.content, lines=lines))


async def _to(
    tx: Transaction,
    claim: Claim,
    step: Step,
    reasons: list[str],
    words: str | None,
    changes: dict[str, Any],
    findings: list[dict[str, Any]] | None = None,
) -> Claim:
    """The claim after the step, or as it was where nothing is new."""
    target = {Step.PASS: Status.READY, Step.WAIT: Status.WAITING, Step.HOLD: Status.HELD}[step]
    same = all(getattr(claim, name) == value for name, value in changes.items())
    if claim.status is target and list(claim.reasons) == reasons and same:
        return claim
    if step is Step.PASS and claim.status is Status.READY:
        claim = await move(tx, claim, Step.WAIT, reasons=("rerouted",), words="looked at again")
    return await move(tx, claim, step, reasons=tuple(reasons), words=words, findings=findings, **changes)


async def _gates(tx: Transaction, claim: Claim, detail: Mapping[str, Any]) -> Gates:
    gates = Gates()
    await _coverage(tx, claim, detail, gates)
    await _people(tx, claim, detail, gates)
    if gates.payer_id is not None and not payers.knows(gates.payer_id):
        gates.stops.append("payer_unknown")
    elif gates.payer_id is not None and gates.provider is not None and not gates.stops:
        location_id = detail["providers"].get("facility_id")
        key = store.enrollment_key(gates.provider["provider_id"], claim.practice_id, gates.payer_id)
        await store.await_news(tx, [("enrollment", key)])  # also that it ends: what is ready is not looked at again
        if not await billable(tx, claim, gates.provider["provider_id"], gates.payer_id, location_id):
            gates.waits.append("enrollment")
            gates.words = WORDS["enrollment"]
    if not await disclosure.allowed(tx, claim.patient_id, detail, gates.payer_id or disclosure.first_payer(detail)):
        gates.stops, gates.waits, gates.words, gates.owner = [], [disclosure.HOLD], disclosure.WORDS, None
    return gates


async def _coverage(tx: Transaction, claim: Claim, detail: Mapping[str, Any], gates: Gates) -> None:
    """Who is billed, and whether the payer knows the patient on that day and wants an authorization."""
    if claim.rank > 1:
        await _prior_payers(tx, claim, gates)
        return
    answer = await store.known(tx, "eligibility", claim.encounter_id)
    if claim.content.route_payer_id is not None:
        gates.payer_id = claim.content.route_payer_id
        return
    if answer is None:
        gates.waits.append("eligibility")
        return
    gates.payer_id = answer["bill_payer_id"] or answer["payer_id"]
    gates.authorization_id = answer["authorization_id"]
    stopped = STOPPED_BY.get(answer["outcome"])
    if stopped is not None or gates.payer_id is None:
        gates.stops.append(stopped or "self_pay")
        codes = ", ".join(answer["reject_reasons"])
        gates.words = f"the payer answered {answer['check_id']}: {answer['outcome']}{f' ({codes})' if codes else ''}"
        gates.owner = answer.get("owner")
        return
    lacks = LACKS_AUTHORIZATION.get(answer["authorization"])
    own = claim.content.authorization_number
    sent = (detail.get("authorization") or {}).get("number")
    if lacks is not None and (own is None or own == sent):
        gates.waits.append(lacks)


async def _prior_payers(tx: Transaction, claim: Claim, gates: Gates) -> None:
    """A later payer is told what the ones before decided; it is not asked beforehand, and needs their answer only."""
    gates.payer_id = claim.content.route_payer_id or claim.payer_id
    gates.authorization_id = claim.authorization_id
    found = await prior_payers.decisions(tx, claim)
    gates.file_from = max((date.fromisoformat(one["decided_on"]) for one in found), default=None)
    lacks = prior_payers.lacks(claim, found)
    if lacks == prior_payers.UNBALANCED:
        gates.stops.append(lacks)
    elif lacks is not None:
        gates.waits.append(lacks)


async def _people(tx: Transaction, claim: Claim, detail: Mapping[str, Any], gates: Gates) -> None:
    """The practice, the clinician and the place are known, and active."""
    practice = await store.known(tx, "practice", claim.practice_id)
    if practice is None or practice["status"] != "active":
        gates.waits.append("practice_unknown")
    elif not full_postal_code(practice["sealed"]["address"]["zip"]):
        gates.waits.append("practice_address")
    found = await store.known_by(tx, "provider", claim.provider_npi)
    gates.provider = next(iter(found), None)
    if gates.provider is None:
        gates.waits.append("provider_unknown")
    location_id = detail["providers"].get("facility_id")
    if location_id is not None and await store.known(tx, "location", location_id) is None:
        gates.waits.append("location_unknown")


async def billable(tx: Transaction, claim: Claim, provider_id: str, payer_id: str, location_id: str | None) -> bool:
    """Whether the clinician may bill the payer that the claim goes to, for this practice, here, on the date."""
    found = await store.known_by(tx, "enrollment", store.enrollment_key(provider_id, claim.practice_id, payer_id))
    return any(
        covers(span, claim.service_date) and here(span.get("location_ids"), location_id)
        for enrollment in found
        if here(enrollment["location_ids"], location_id)
        for span in enrollment["billable"]
    )


def here(places: Sequence[str] | None, location_id: str | None) -> bool:
    """Whether something that holds at these places holds at this one; None is everywhere, or a place not named."""
    return places is None or location_id is None or location_id in places


def full_postal_code(code: str) -> bool:
    """Whether the code has all nine digits; payers return a billing provider's address without them.

    >>> full_postal_code("787010007"), full_postal_code("78701"), full_postal_code("787010000")
    (True, False, False)
    """
    return len(code) == 9 and code.isdigit() and not code.endswith("0000")


def covers(span: Mapping[str, Any], on: date) -> bool:
    """Whether the day is inside the span, both ends inclusive.

    >>> covers({"effective_from": "2026-01-01", "effective_to": None}, date(2026, 1, 1))
    True
    """
    start, end = span["effective_from"], span["effective_to"]
    assert start is not None
    return date.fromisoformat(start) <= on and (end is None or on <= date.fromisoformat(end))


async def again(work: timers.Work, due: timers.Due) -> None:
    """The claim has been scrubbed once more, after news that concern it.

    The timer goes first: news that come while this runs set it anew, also at the same business time.
    """
    async with work.db.transaction(due.tenant_id) as tx:
        await timers.done(tx, due)
        await run(tx, due.id)
