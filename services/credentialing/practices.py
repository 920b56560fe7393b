"""Practices and their locations: who bills, and where patients are seen."""

from collections.abc import Mapping
from typing import Any

from libs.common import outbox
from libs.common.db import Row, Transaction
from libs.common.events.credentialing import (
    Address,
    LocationChanged,
    LocationIdentity,
    PracticeChanged,
    PracticeIdentity,
)
from libs.common.http import Conflict, FieldError, Invalid, NotFound, check_version
from libs.common.ids import new_id
from services.credentialing import enroll, store, tables


async def create(tx: Transaction, values: Mapping[str, Any]) -> Row:
    """A new practice is on record and told; Conflict if its NPI or external id is taken."""
    practice_id = new_id("prc")
    row = {"practice_id": practice_id, "version": 1, "created_at": tx.now, **values}
    if not await store.insert(tx, tables.practice, row):
        raise Conflict("duplicate_resource", "A practice with this NPI or external_id exists.")
    return await _tell(tx, practice_id)


async def change(tx: Transaction, practice: Row, values: Mapping[str, Any], expected: int | None) -> Row:
    """The practice is as given, told, and every enrollment whose truth that changes is told too."""
    check_version(expected, practice["version"])
    changed = {**values, "version": practice["version"] + 1}
    await store.advance(tx, tables.practice, "practice_id", practice["id"], changed)
    found = await _tell(tx, practice["id"])
    await enroll.tell_all(tx, practice_id=practice["id"])
    return found


async def read(tx: Transaction, practice_id: str, *, lock: bool = False) -> Row:
    """The practice, or NotFound."""
    found = await store.practice(tx, practice_id, lock=lock)
    if found is None:
        raise NotFound
    return found


async def _tell(tx: Transaction, practice_id: str) -> Row:
    row = await read(tx, practice_id)
    identity = PracticeIdentity(
        name=row["name"],
        npi=row["npi"],
        tin=row["tin"],
        taxonomy=row["taxonomy"],
        address=Address(**row["address"]),
        pay_to=Address(**row["pay_to"]) if row["pay_to"] else None,
        contact_name=row["contact_name"],
        phone=row["phone"],
    )
    event = PracticeChanged(practice_id=row["id"], status=row["status"], sealed=identity)
    await outbox.add(tx, event, sequence=row["version"])
    return row


async def add_location(tx: Transaction, values: Mapping[str, Any]) -> Row:
    """The practice has another location; Conflict if its external id is taken."""
    if await store.practice(tx, values["practice_id"]) is None:
        raise Invalid([FieldError("/practice_id", "unknown", "There is no such practice.")])
    location_id = new_id("loc")
    row = {"id": location_id, "version": 1, "created_at": tx.now, **values}
    if not await store.insert(tx, tables.location, row):
        raise Conflict("duplicate_resource", "The practice has a location with this external_id.")
    return await _tell_location(tx, location_id)


async def change_location(tx: Transaction, location: Row, values: Mapping[str, Any], expected: int | None) -> Row:
    """The location is as given and told, and so is every enrollment whose truth that changes."""
    check_version(expected, location["version"])
    changed = {**values, "version": location["version"] + 1}
    await store.advance(tx, tables.location, "id", location["id"], changed)
    return await _tell_location(tx, location["id"])


async def read_location(tx: Transaction, location_id: str, *, lock: bool = False) -> Row:
    """The location, or NotFound."""
    found = await store.location(tx, location_id, lock=lock)
    if found is None:
        raise NotFound
    return found


async def _tell_location(tx: Transaction, location_id: str) -> Row:
    row = await read_location(tx, location_id)
    event = LocationChanged(
        location_id=row["id"],
        practice_id=row["practice_id"],
        status=row["status"],
        place_of_service=row["place_of_service"],
        sealed=LocationIdentity(name=row["name"], npi=row["npi"], address=Address(**row["address"])),
    )
    await outbox.add(tx, event, sequence=row["version"])
    await enroll.tell_all(tx, practice_id=row["practice_id"])
    return row
