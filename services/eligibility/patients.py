"""Patients and their coverages: the newest word wins, whichever way it came."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from libs.common import outbox
from libs.common.db import Row, Transaction
from libs.common.events.eligibility import CoverageChanged, CoverageIdentity
from libs.common.http import NotFound
from libs.common.ids import derived_id
from services.eligibility import store
from services.eligibility import tables as t

IDENTITY: Final = ("first_name", "last_name", "middle_name", "dob", "sex", "address")
MEMBER: Final = (
    "member_id", "group_number", "relationship", "subscriber_first_name", "subscriber_last_name", "subscriber_dob",
    "effective_from", "effective_to",
)  # fmt: skip
ACTIVE: Final = "active"
SUPERSEDED: Final = "superseded"


def as_of(at: datetime, source: str) -> str:
    """Orders what is told of a person: by business time, then by where it came from."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}/{source}"


def by_hand(tx: Transaction) -> str:
    """What somebody enters now is newer than any message of the same moment."""
    return as_of(tx.now, "~")


def patient_id_of(tenant_id: str, practice_id: str, external_id: str) -> str:
    """The same id in every service."""
    return derived_id("pat", tenant_id, practice_id, external_id)


async def read(tx: Transaction, patient_id: str, *, lock: bool = False) -> Row:
    """The patient, or NotFound."""
    found = await store.find(tx, t.patient, patient_id, lock=lock)
    if found is None:
        raise NotFound
    return found


async def put(
    tx: Transaction,
    practice_id: str,
    external_id: str,
    identity: Mapping[str, Any],
    told: str,
    *,
    only_new: bool = False,
) -> tuple[str, bool]:
    """The patient is on record as newest told; the id, and whether they are new here. `only_new` changes nobody."""
    patient_id = patient_id_of(tx.tenant, practice_id, external_id)
    values = {name: identity.get(name) for name in IDENTITY}
    first = {"id": patient_id, "practice_id": practice_id, "external_id": external_id, "version": 1}
    if await store.insert(tx, t.patient, {**first, **values, "as_of": told, "created_at": tx.now}):
        return patient_id, True
    row = await read(tx, patient_id, lock=True)
    if row["as_of"] <= told and not only_new:
        changed = any(row[name] != value for name, value in values.items())
        version = row["version"] + changed
        await store.update(tx, t.patient, patient_id, {**values, "as_of": told, "version": version})
    return patient_id, False


async def put_coverage(tx: Transaction, practice_id: str, patient_id: str, values: Mapping[str, Any], told: str) -> str:
    """The coverage is on record as newest told, alone at its rank, and told if that changed it; its id."""
    coverage_id = derived_id("cov", tx.tenant, patient_id, values["payer_id"], values["member_id"])
    fields = {name: values.get(name) for name in MEMBER} | {"rank": values["rank"], "status": ACTIVE}
    first = {"id": coverage_id, "practice_id": practice_id, "patient_id": patient_id, "version": 1}
    new = {**first, **fields, "payer_id": values["payer_id"], "as_of": told, "created_at": tx.now}
    if await store.insert(tx, t.coverage, new):
        await tell(tx, coverage_id)
    else:
        row = await store.find(tx, t.coverage, coverage_id, lock=True)
        assert row is not None, "it could not be inserted, so it is there"
        if row["as_of"] > told:
            return coverage_id
        silent = {name for name in ("effective_from", "effective_to") if fields[name] is None}
        said = {name: value for name, value in fields.items() if name not in silent}  # dates entered by hand stay
        await change(tx, row, {**said, "as_of": told})
    await _supersede(tx, patient_id, coverage_id, values["rank"], told)
    return coverage_id


async def change(tx: Transaction, row: Row, values: Mapping[str, Any]) -> None:
    """The locked coverage has these values; told if anything but `as_of` changed."""
    changed = any(row[name] != value for name, value in values.items() if name != "as_of")
    await store.update(tx, t.coverage, row["id"], {**values, "version": row["version"] + changed})
    if changed:
        await tell(tx, row["id"])


async def _supersede(tx: Transaction, patient_id: str, coverage_id: str, rank: int, told: str) -> None:
    """Another coverage at the same rank, of which nothing newer was told, is no longer the patient's."""
    for row in await store.coverages(tx, patient_id):
        if row["rank"] == rank and row["id"] != coverage_id and row["status"] == ACTIVE and row["as_of"] <= told:
            await change(tx, row, {"status": SUPERSEDED})


async def tell_again(tx: Transaction, coverage_id: str) -> None:
    """What has been found out of the coverage is told, as its next version."""
    row = await store.find(tx, t.coverage, coverage_id, lock=True)
    assert row is not None, "a coverage is never deleted"
    await store.update(tx, t.coverage, coverage_id, {"version": row["version"] + 1})
    await tell(tx, coverage_id)


async def tell(tx: Transaction, coverage_id: str) -> None:
    row = await store.find(tx, t.coverage, coverage_id)
    assert row is not None, "it has just been written"
    routes = await store.routes_of(tx, coverage_id)
    event = CoverageChanged(
        coverage_id=row["id"],
        patient_id=row["patient_id"],
        practice_id=row["practice_id"],
        payer_id=row["payer_id"],
        bill_payer_id=routes[0]["administrator_id"] if routes else None,
        rank=row["rank"],
        status=row["status"],
        sealed=CoverageIdentity(**{name: row[name] for name in MEMBER}),
    )
    await outbox.add(tx, event, sequence=row["version"])


async def put_whole(
    tx: Transaction,
    practice_id: str,
    external_id: str,
    identity: Mapping[str, Any],
    coverages: Sequence[Mapping[str, Any]],
    told: str,
) -> tuple[str, list[str]]:
    """The patient with their coverages is on record; ids of patient and coverages, primary first."""
    patient_id, _ = await put(tx, practice_id, external_id, identity, told)
    ordered = sorted(coverages, key=lambda one: one["rank"])
    return patient_id, [await put_coverage(tx, practice_id, patient_id, one, told) for one in ordered]
