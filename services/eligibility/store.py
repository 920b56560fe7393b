"""The only SQL of eligibility: people, sessions, checks, routes, authorizations and fees."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common import upserts
from libs.common.db import Row, Stale, Transaction
from services.eligibility import tables as t
from services.eligibility.domain import Authorization, Status


async def insert(tx: Transaction, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """The row exists; False if one with the same key already did."""
    statement = pg.insert(table).values(tenant_id=tx.tenant, **values).on_conflict_do_nothing()
    return (await tx.execute(statement)).rowcount == 1


async def put(tx: Transaction, table: sa.Table, values: Mapping[str, Any], *, newer: str | None = None) -> bool:
    """The row is as given; with `newer`, only if that column grows. False if nothing changed."""
    return await upserts.put(tx, table, tuple(column.name for column in table.primary_key), values, newer=newer)


async def update(tx: Transaction, table: sa.Table, row_id: str, values: Mapping[str, Any]) -> None:
    """The locked row has these values."""
    await tx.execute(table.update().where(table.c.id == row_id).values(**values))


async def advance(tx: Transaction, table: sa.Table, row_id: str, values: Mapping[str, Any]) -> None:
    """The row has its next version, or Stale: somebody else wrote it first."""
    done = await tx.execute(
        table.update().where(table.c.id == row_id, table.c.version == values["version"] - 1).values(**values)
    )
    if done.rowcount != 1:
        raise Stale(row_id)


async def find(tx: Transaction, table: sa.Table, row_id: str, *, lock: bool = False) -> Row | None:
    found = sa.select(table).where(table.c.id == row_id)
    return await tx.first(found.with_for_update() if lock else found)


def of_patient(table: sa.Table, patient_id: str | None) -> sa.Select[Any]:
    found = sa.select(table)
    return found if patient_id is None else found.where(table.c.patient_id == patient_id)


async def coverages(tx: Transaction, patient_id: str) -> Sequence[Row]:
    """The patient's coverages, primary first."""
    c = t.coverage.c
    return await tx.all(sa.select(t.coverage).where(c.patient_id == patient_id).order_by(c.rank, c.id))


async def affirmed(tx: Transaction, coverage: Row, on: date, still_open: Sequence[str]) -> bool:
    """Whether the coverage's payer has said that it holds in the month of that day, or is being asked."""
    c = t.check.c
    first = on.replace(day=1)
    found = sa.select(sa.literal(1)).where(
        c.patient_id == coverage["patient_id"],
        c.coverage_id == coverage["id"],
        c.service_date >= first,
        c.service_date < (first + timedelta(days=31)).replace(day=1),
        sa.or_(c.status.in_(still_open), c.outcome == "active"),
    )
    return await tx.scalar(found.limit(1)) is not None


async def practice(tx: Transaction, practice_id: str) -> Row | None:
    return await tx.first(sa.select(t.practice).where(t.practice.c.practice_id == practice_id))


async def next_control_number(tx: Transaction, submitter_id: str, receiver_id: str) -> int:
    """A number that these two have never used (ISA13)."""
    c = t.control_number.c
    statement = pg.insert(t.control_number).values(
        tenant_id=tx.tenant, submitter_id=submitter_id, receiver_id=receiver_id, last=1
    )
    counted = statement.on_conflict_do_update(
        index_elements=["tenant_id", "submitter_id", "receiver_id"], set_={"last": c.last + 1}
    )
    return int(await tx.scalar(counted.returning(c.last)))


async def claim_state(tx: Transaction, claim_id: str) -> Row | None:
    return await tx.first(sa.select(t.claim_state).where(t.claim_state.c.claim_id == claim_id))


async def encounter_of_claim(tx: Transaction, claim_id: str) -> Row | None:
    return await tx.first(sa.select(t.encounter).where(t.encounter.c.claim_id == claim_id))


async def lock_patient(tx: Transaction, patient_id: str) -> None:
    """Nobody else moves this patient's sessions or units until the transaction ends; taken before any row's lock."""
    key = f"eligibility/patient/{tx.tenant}/{patient_id}"
    await tx.execute(sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


async def wanting(tx: Transaction, patient_id: str) -> Sequence[Row]:
    """The patient's sessions that need units, or have some."""
    c = t.encounter.c
    wanted = sa.or_(c.want.is_not(None), c.authorization_id.is_not(None))
    return await tx.all(
        sa.select(t.encounter).where(c.patient_id == patient_id, wanted).order_by(c.id).with_for_update()
    )


async def routes_of(tx: Transaction, coverage_id: str | None) -> Sequence[Row]:
    c = t.benefit_route.c
    return await tx.all(sa.select(t.benefit_route).where(c.coverage_id == coverage_id).order_by(c.family))


async def routed_to(tx: Transaction, check_id: str) -> str | None:
    """The check that followed this one to the administrator."""
    c = t.check.c
    found = await tx.scalar(sa.select(c.id).where(c.routed_from == check_id).order_by(c.created_at.desc()).limit(1))
    return None if found is None else str(found)


_AUTHORIZATION = tuple(Authorization.__dataclass_fields__)


def authorization_of(row: Row) -> Authorization:
    values: dict[str, Any] = {name: row[name] for name in _AUTHORIZATION}
    return Authorization(**{**values, "status": Status(row["status"]), "codes": tuple(row["codes"])})


async def authorizations(tx: Transaction, patient_id: str, *, lock: bool = False) -> list[Authorization]:
    c = t.authorization.c
    found = sa.select(t.authorization).where(c.patient_id == patient_id).order_by(c.id)
    return [authorization_of(row) for row in await tx.all(found.with_for_update() if lock else found)]


async def authorization(tx: Transaction, authorization_id: str) -> Authorization | None:
    row = await find(tx, t.authorization, authorization_id)
    return None if row is None else authorization_of(row)


def _values(one: Authorization) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _AUTHORIZATION} | {"codes": list(one.codes)}


async def add_authorization(tx: Transaction, one: Authorization, source: str) -> bool:
    return await insert(tx, t.authorization, {**_values(one), "source": source, "created_at": tx.now})


async def save_authorization(tx: Transaction, one: Authorization) -> None:
    values = _values(one)
    values.pop("id")
    await advance(tx, t.authorization, one.id, values)


async def enter_units(
    tx: Transaction, practice_id: str, authorization_id: str, encounter_id: str, kind: str, units: int
) -> None:
    """One line of the units ledger."""
    values = {"authorization_id": authorization_id, "encounter_id": encounter_id, "kind": kind, "units": units}
    await insert(tx, t.unit_entry, {**values, "practice_id": practice_id, "at": tx.now})


async def unit_entries(tx: Transaction, authorization_id: str) -> Sequence[Row]:
    c = t.unit_entry.c
    return await tx.all(sa.select(t.unit_entry).where(c.authorization_id == authorization_id).order_by(c.id))


async def replace_fees(
    tx: Transaction, payer_id: str, practice_id: str | None, since: date, rows: Iterable[Mapping[str, Any]]
) -> int:
    """The schedule of a payer, from that date, is exactly these rows; how many."""
    c = t.fee.c
    await tx.execute(
        t.fee.delete().where(
            c.payer_id == payer_id, c.practice_id.is_not_distinct_from(practice_id), c.effective_from == since
        )
    )
    values = [
        {"tenant_id": tx.tenant, "practice_id": practice_id, "payer_id": payer_id, "effective_from": since, **row}
        for row in rows
    ]
    if values:
        await tx.execute(t.fee.insert(), values)
    return len(values)


async def fees(tx: Transaction, payer_id: str, practice_id: str, codes: Iterable[str], on: date) -> Sequence[Row]:
    """The fees on that day: those of the practice before those of all practices, the latest schedule first."""
    c = t.fee.c
    return await tx.all(
        sa.select(t.fee)
        .where(c.payer_id == payer_id, c.code.in_(list(codes)), c.effective_from <= on)
        .where(sa.or_(c.practice_id.is_(None), c.practice_id == practice_id))
        .order_by(c.practice_id.is_(None), c.effective_from.desc(), c.id)
    )
