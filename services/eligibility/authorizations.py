"""Authorizations as people record them: what the payer allowed, changed, or refused."""

from libs.common.db import Row, Transaction
from libs.common.http import Conflict, FieldError, Invalid, NotFound, check_version
from libs.common.ids import new_id
from services.eligibility import authorize, store
from services.eligibility import tables as t
from services.eligibility.domain import USABLE, Authorization, Step
from services.eligibility.views import AuthorizationBody, AuthorizationStep

TAKEN = "The patient has an authorization with this number."


async def read(tx: Transaction, authorization_id: str, *, lock: bool = False) -> Row:
    """The authorization, or NotFound; to change it, its patient's lock is taken before its own."""
    found = await store.find(tx, t.authorization, authorization_id)
    if found is not None and lock:
        await store.lock_patient(tx, found["patient_id"])
        found = await store.find(tx, t.authorization, authorization_id, lock=True)
    if found is None:
        raise NotFound
    return found


async def create(tx: Transaction, body: AuthorizationBody) -> Row:
    """The authorization is on record and told, and sessions that wait for its units have them."""
    patient = await store.find(tx, t.patient, body.patient_id)
    if patient is None:
        raise Invalid([FieldError("/patient_id", "unknown", "There is no such patient.")])
    await store.lock_patient(tx, body.patient_id)
    one = Authorization(
        id=new_id("ath"),
        practice_id=patient["practice_id"],
        codes=tuple(sorted(set(body.codes))),
        **body.model_dump(exclude={"codes", "source"}),
    )
    if not await store.add_authorization(tx, one, body.source):
        raise Conflict("duplicate_resource", TAKEN)
    await authorize.settle(tx, one)
    return await read(tx, one.id)


async def change(tx: Transaction, row: Row, body: AuthorizationBody, expected: int | None) -> Row:
    """The authorization is as the payer changed it; never fewer units than its claims have used."""
    check_version(expected, row["version"])
    before = store.authorization_of(row)
    if body.approved_units < before.consumed_units:
        raise Invalid([FieldError("/approved_units", "used", "More units than that have been used.")])
    changed = Authorization(
        id=before.id,
        practice_id=before.practice_id,
        codes=tuple(sorted(set(body.codes))),
        reserved_units=before.reserved_units,
        consumed_units=before.consumed_units,
        version=before.version + 1,
        **body.model_dump(exclude={"codes", "source"}),
    )
    await store.save_authorization(tx, changed)
    await authorize.settle(tx, changed)
    return await read(tx, before.id)


async def step(tx: Transaction, row: Row, body: AuthorizationStep) -> Row:
    """The payer has decided; the sessions that this concerns are told."""
    moved = store.authorization_of(row).take(Step(body.step))
    decided = moved.decided(number=body.number, approved_units=body.approved_units)
    if decided.status in USABLE and decided.number is None:
        raise Invalid([FieldError("/number", "missing", "An approval has a number.")])
    await store.save_authorization(tx, decided)
    await authorize.settle(tx, decided)
    return await read(tx, decided.id)
