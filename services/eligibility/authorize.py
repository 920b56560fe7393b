"""Authorizations and their units: reserved for sessions in the order of their dates, consumed when claimed."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from libs.common import outbox, tasks, timers
from libs.common.db import Row, Transaction
from libs.common.events.claims import ClaimUpdated
from libs.common.events.eligibility import AuthorizationChanged, AuthorizationIdentity
from libs.common.events.envelope import Envelope
from libs.common.timers import Due, Work
from services.eligibility import store
from services.eligibility import tables as t
from services.eligibility import tell as told
from services.eligibility.domain import USABLE, Authorization, Share, Want, allocate

ENDING: Final = "eligibility.authorization_ending"
ENDS_SOON: Final = "authorization_ending"
NEARLY_USED: Final = "authorization_nearly_used"
MORNING: Final = time(8, tzinfo=UTC)
GONE: Final = frozenset({"void", "voided"})


async def share_out(tx: Transaction, patient_id: str) -> set[str]:
    """Every session of the patient has the units that are its due; ids of those for which that is news.

    Sessions get units by service date and external id, so arrival changes nothing; a claimed session keeps its own.
    """
    await store.lock_patient(tx, patient_id)
    grants = {one.id: one for one in await store.authorizations(tx, patient_id, lock=True)}
    rows = {row["id"]: row for row in await store.wanting(tx, patient_id)}
    shares = allocate(grants.values(), [_want(row) for row in rows.values() if _wants(row)])
    changed = set()
    for encounter_id, row in rows.items():
        share = shares.get(encounter_id)
        if await _give(tx, row, share):
            changed.add(encounter_id)
    await _count(tx, grants, patient_id)
    return changed


def _wants(row: Row) -> bool:
    kept = row["claim_state"] == "sent" and row["authorization_id"] is not None
    return row["claim_state"] != "void" and (row["want"] is not None or kept)


def _want(row: Row) -> Want:
    want = row["want"] or {"payer_id": "", "kind": "prior", "codes": {}, "number": None, "otherwise": None}
    return Want(
        encounter_id=row["id"],
        external_id=row["external_id"],
        practice_id=row["practice_id"],
        payer_id=want["payer_id"] or "",
        kind=want["kind"],
        service_date=row["service_date"],
        rendering_npi=row["rendering_npi"],
        units_by_code=want["codes"],
        number=want["number"],
        otherwise=want["otherwise"],
        fixed=row["claim_state"] == "sent",
        authorization_id=row["authorization_id"],
        units=row["units"],
    )


async def _give(tx: Transaction, row: Row, share: Share | None) -> bool:
    """The session has this share, the ledger says how it came to it; True if it is another than before."""
    new = share or Share(outcome="")
    before = (row["authorization"] or "", row["authorization_id"], row["units"])
    if before == (new.outcome, new.authorization_id, new.units):
        return False
    if row["authorization_id"] is not None:
        await _enter(tx, row, "release", row["authorization_id"], row["units"])
    if new.authorization_id is not None:
        await _enter(tx, row, "reserve", new.authorization_id, new.units)
    values = {"authorization": share.outcome if share else None, "authorization_id": new.authorization_id}
    await store.update(tx, t.encounter, row["id"], {**values, "units": new.units})
    return True


async def _enter(tx: Transaction, row: Row, kind: str, authorization_id: str, units: int) -> None:
    await store.enter_units(tx, row["practice_id"], authorization_id, row["id"], kind, units)


async def _count(tx: Transaction, grants: Mapping[str, Authorization], patient_id: str) -> None:
    """Each authorization's reserved and consumed units are what its sessions have; told where that is news."""
    reserved = dict.fromkeys(grants, 0)
    consumed = dict.fromkeys(grants, 0)
    for row in await store.wanting(tx, patient_id):
        if row["authorization_id"] in grants:
            column = consumed if row["claim_state"] == "sent" else reserved
            column[row["authorization_id"]] += row["units"]
    for one in grants.values():
        if (one.reserved_units, one.consumed_units) != (reserved[one.id], consumed[one.id]):
            counted = one.counted(reserved_units=reserved[one.id], consumed_units=consumed[one.id])
            await store.save_authorization(tx, counted)
            await tell(tx, counted)


async def tell(tx: Transaction, one: Authorization) -> None:
    """authorization.changed is out, and the tasks about its end stand as they should."""
    event = AuthorizationChanged(
        authorization_id=one.id,
        patient_id=one.patient_id,
        practice_id=one.practice_id,
        payer_id=one.payer_id,
        status=one.status,
        unit=one.unit,
        approved_units=one.approved_units,
        reserved_units=one.reserved_units,
        consumed_units=one.consumed_units,
        sealed=AuthorizationIdentity(
            number=one.number,
            codes=list(one.codes),
            effective_from=one.effective_from,
            effective_to=one.effective_to,
        ),
    )
    await outbox.add(tx, event, sequence=one.version)
    if one.status in USABLE and one.nearly_used:
        taken = one.reserved_units + one.consumed_units
        await _warn(tx, one, NEARLY_USED, f"{taken} of {one.approved_units} units are taken; ask for more in time")
    else:
        await tasks.close(tx, subject_id=one.id, reason=NEARLY_USED)


async def _warn(tx: Transaction, one: Authorization, reason: str, words: str) -> None:
    await tasks.open(
        tx,
        reason=reason,
        subject_type="authorization",
        subject_id=one.id,
        practice_id=one.practice_id,
        owner="billing",
        due_on=one.effective_to,
        detail=f"{one.id} of {one.patient_id}: {words}",
    )


async def settle(tx: Transaction, one: Authorization) -> None:
    """A new or changed authorization is told, watched for its end, and waiting sessions get its units."""
    await tell(tx, one)
    if one.status in USABLE:
        await timers.set(tx, ENDING, one.id, at=datetime.combine(one.ending_on, MORNING))
    else:
        await timers.clear(tx, ENDING, one.id)
        await tasks.close(tx, subject_id=one.id, reason=None)
    for encounter_id in sorted(await share_out(tx, one.patient_id)):
        await told.checked(tx, encounter_id)


async def ending(work: Work, due: Due) -> None:
    """Two weeks before an authorization ends somebody is asked to see to what follows; after its end, no more."""
    async with work.db.transaction(due.tenant_id) as tx:
        one = await store.authorization(tx, due.id)
        if one is None or one.status not in USABLE or one.available_units == 0:
            await timers.done(tx, due)
        elif due.at.date() > one.effective_to:
            await tasks.close(tx, subject_id=one.id, reason=ENDS_SOON, outcome="expired")
            await timers.done(tx, due)
        else:
            await _warn(tx, one, ENDS_SOON, f"it ends on {one.effective_to}; ask for what follows")
            after = datetime.combine(one.effective_to + timedelta(days=1), MORNING)
            await timers.set(tx, ENDING, one.id, at=after)


async def on_claim_updated(tx: Transaction, event: Envelope[ClaimUpdated]) -> None:
    """Units of a session are consumed once its claim has gone out, and free again once it is void."""
    claim = event.data
    if claim.rank != 1:
        return
    await store.lock_patient(tx, claim.patient_id)
    state = _state(claim)
    news: dict[str, Any] = {"claim_id": claim.claim_id, "practice_id": claim.practice_id, "state": state}
    if not await store.put(tx, t.claim_state, {**news, "sequence": event.sequence}, newer="sequence"):
        return
    row = await store.encounter_of_claim(tx, claim.claim_id)
    if row is not None and row["claim_state"] != state:
        await follow_claim(tx, row, state, event.sequence)


def _state(claim: ClaimUpdated) -> str:
    """open: units may still go to an earlier session; sent: they are used; void: the session takes none."""
    if claim.status in GONE or (claim.status == "closed" and claim.attempts == 0):
        return "void"
    return "sent" if claim.attempts > 0 else "open"


async def follow_claim(tx: Transaction, row: Row, state: str, sequence: int) -> None:
    """The session stands where its claim stands, and so do its units."""
    await store.update(tx, t.encounter, row["id"], {"claim_state": state, "claim_sequence": sequence})
    if row["authorization_id"] is not None and "sent" in (state, row["claim_state"]):
        kind = "consume" if state == "sent" else "give_back"
        await _enter(tx, row, kind, row["authorization_id"], row["units"])
    for encounter_id in sorted(await share_out(tx, row["patient_id"])):
        await told.checked(tx, encounter_id)
