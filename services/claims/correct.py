"""A claim is put right by a person and goes out again: as a replacement where the payer takes one, else anew."""

from dataclasses import replace
from typing import Any

from libs.codes import payers, remarks
from libs.common.db import Row, Transaction
from libs.common.problems import Conflict, FieldError, Invalid
from services.claims import denials, scrub, store
from services.claims.changes import Changes, LineChange
from services.claims.domain import Claim, Content, Line, Status, Step
from services.claims.lifecycle import move

SENT_BACK = (Status.REJECTED, Status.HELD, Status.WAITING, Status.DRAFT, Status.READY)


async def correct_claim(tx: Transaction, claim_id: str, changes: Changes) -> Claim:
    """A claim that the payer has not decided on says what the changes say, and is scrubbed again."""
    claim = await store.load(tx, claim_id, lock=True)
    if claim.status not in SENT_BACK:
        raise Conflict("state_conflict", f"A claim that is {claim.status} is corrected through its denial.")
    content = changed(claim.content, changes)
    never_decided: dict[str, Any] = {"frequency": "1"} if claim.status is Status.REJECTED else {}
    claim = await move(
        tx, claim, Step.WAIT, reasons=("corrected",), content=content, clean=False, words=changes.why, **never_decided
    )
    return await scrub.run(tx, claim.id)


async def correct_denial(tx: Transaction, denial_id: str, changes: Changes) -> Claim:
    """The denied claim is corrected, and goes out again at the next cut; its open cases go with it."""
    case = await denials.load(tx, denial_id, lock=True)
    claim = await store.load(tx, case["claim_id"], lock=True)
    if case["status"] not in {"open", "appealed"}:
        raise Conflict("state_conflict", f"A case that is {case['status']} cannot be corrected.")
    if tx.today > case["correct_by"]:
        raise Conflict("too_late", f"The payer took corrections until {case['correct_by'].isoformat()}.")
    content = changed(claim.content, changes)
    rerouted = changes.route is not None and changes.route.payer_id != claim.payer_id
    frequency = _frequency(claim, case, rerouted=rerouted)
    if frequency == "1" and not rerouted and claim.status is Status.PARTIALLY_PAID:
        content = replace(content, only_lines=await _denied_lines(tx, claim))
    for row in await denials.of_claim(tx, claim.id, "open", "appealed"):
        await denials.set_status(tx, row, "correcting")
    claim = await move(tx, claim, Step.CORRECT, content=content, frequency=frequency, words=changes.why)
    return await scrub.run(tx, claim.id)


def _frequency(claim: Claim, case: Row, *, rerouted: bool) -> str:
    """7 where this payer takes a replacement of a claim that it keeps under a number that we know."""
    assert claim.payer_id is not None
    payer = payers.payer(claim.payer_id, claim.service_date)
    unprocessable = bool(set(case["remark_codes"]) & remarks.SEND_NEW)
    known = claim.payer_control_number is not None
    return "7" if payer.takes_replacement and known and not rerouted and not unprocessable else "1"


async def _denied_lines(tx: Transaction, claim: Claim) -> tuple[str, ...]:
    denied = {row["line_id"] for row in await denials.of_claim(tx, claim.id, "open", "appealed")}
    return tuple(line.id for line in claim.content.lines if line.id in denied)


def changed(content: Content, changes: Changes) -> Content:
    """The content with the changes on it. Raises Invalid where a change names no line of the claim."""
    lines = {line.id: line for line in content.lines}
    for index, change in enumerate(changes.lines):
        if change.line_id not in lines:
            raise Invalid([FieldError(f"/lines/{index}/line_id", "no_such_line", "The claim has no line by this id.")])
        lines[change.line_id] = _line(lines[change.line_id], change)
    found: dict[str, Any] = {"lines": tuple(lines.values())}
    if changes.diagnoses is not None:
        found["diagnoses"] = tuple(code.replace(".", "") for code in changes.diagnoses)
    if changes.authorization_number is not None:
        found["authorization_number"] = changes.authorization_number
    if changes.place_of_service is not None:
        found["place_of_service"] = changes.place_of_service
    if changes.modality is not None:
        found["modality"] = changes.modality
    if changes.route is not None:
        found["route_payer_id"] = changes.route.payer_id
        found["route_member_id"] = changes.route.member_id
    return replace(content, **found)


def _line(line: Line, change: LineChange) -> Line:
    given: dict[str, Any] = {
        "code": change.code,
        "modifiers": None if change.modifiers is None else tuple(change.modifiers),
        "units": change.units,
        "charge_cents": change.charge_cents,
        "pointers": None if change.dx_pointers is None else tuple(change.dx_pointers),
        "minutes": change.minutes,
    }
    return replace(line, **{name: value for name, value in given.items() if value is not None})


async def resubmitted(tx: Transaction, claim: Claim) -> None:
    """The corrected claim is known to have gone out: its cases are resubmitted, and everybody has been told."""
    for row in await denials.of_claim(tx, claim.id, "correcting"):
        await denials.resolve(tx, row, "resubmitted")


async def sent_back(tx: Transaction, claim: Claim) -> None:
    """The resubmission never got into adjudication: the cases that went with it are with a person again."""
    for row in await denials.of_claim(tx, claim.id, "resubmitted"):
        await denials.set_status(tx, row, "open")
        await denials.open_task(tx, row)
