"""The only SQL of credentialing: practices, locations, clinicians, credentials, enrollments, held claims."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common.db import Row, Stale, Transaction
from services.credentialing import tables as t
from services.credentialing.billability import Place, Setting
from services.credentialing.domain import Clinician, Credential, Enrollment, Status


async def insert(tx: Transaction, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """The row exists; False if one with the same key already did."""
    statement = pg.insert(table).values(tenant_id=tx.tenant, **values).on_conflict_do_nothing()
    return (await tx.execute(statement)).rowcount == 1


async def advance(tx: Transaction, table: sa.Table, key: str, row_id: str, values: Mapping[str, Any]) -> None:
    """The row has its next version, or Stale: somebody else wrote it first."""
    statement = (
        table.update()
        .where(table.c[key] == row_id, table.c.tenant_id == tx.tenant, table.c.version == values["version"] - 1)
        .values(**values)
    )
    if (await tx.execute(statement)).rowcount != 1:
        raise Stale(row_id)


def practices() -> sa.Select[Any]:
    return sa.select(t.practice, t.practice.c.practice_id.label("id"))


async def practice(tx: Transaction, practice_id: str, *, lock: bool = False) -> Row | None:
    found = practices().where(t.practice.c.practice_id == practice_id)
    return await tx.first(found.with_for_update() if lock else found)


def locations(practice_id: str | None = None) -> sa.Select[Any]:
    found = sa.select(t.location)
    return found if practice_id is None else found.where(t.location.c.practice_id == practice_id)


async def location(tx: Transaction, location_id: str, *, lock: bool = False) -> Row | None:
    found = sa.select(t.location).where(t.location.c.id == location_id)
    return await tx.first(found.with_for_update() if lock else found)


async def setting(tx: Transaction, practice_id: str) -> Setting | None:
    """The practice and its locations, as billability needs them."""
    found = await practice(tx, practice_id)
    if found is None:
        return None
    rows = await tx.all(locations(practice_id).order_by(t.location.c.id))
    return Setting(
        active=found["status"] == "active",
        home=Place(id=None, state=found["address"]["state"]),
        places=tuple(Place(id=r["id"], state=r["address"]["state"], active=r["status"] == "active") for r in rows),
    )


def clinicians(practice_id: str | None = None) -> sa.Select[Any]:
    """Clinicians of the practices that the caller may see (row-level security on `affiliation`)."""
    seen = sa.select(t.affiliation.c.provider_id)
    if practice_id is not None:
        seen = seen.where(t.affiliation.c.practice_id == practice_id)
    return sa.select(t.clinician).where(t.clinician.c.id.in_(seen))


async def clinician(tx: Transaction, provider_id: str, *, lock: bool = False) -> Clinician | None:
    found = clinicians().where(t.clinician.c.id == provider_id)
    row = await tx.first(found.with_for_update() if lock else found)
    return None if row is None else (await whole_clinicians(tx, [row]))[0]


async def clinician_by_npi(tx: Transaction, npi: str) -> Clinician | None:
    row = await tx.first(clinicians().where(t.clinician.c.npi == npi))
    return None if row is None else (await whole_clinicians(tx, [row]))[0]


async def whole_clinicians(tx: Transaction, rows: Sequence[Row]) -> list[Clinician]:
    """The clinicians of these rows with their practices and licences."""
    ids = [row["id"] for row in rows]
    belonging = await tx.all(
        sa.select(t.affiliation).where(t.affiliation.c.provider_id.in_(ids)).order_by(t.affiliation.c.practice_id)
    )
    licences = await tx.all(
        sa.select(t.credential)
        .where(t.credential.c.provider_id.in_(ids), t.credential.c.kind == "licence")
        .order_by(t.credential.c.state, t.credential.c.effective_from, t.credential.c.id)
    )
    names = ("id", "npi", "first_name", "last_name", "taxonomy", "credential", "status", "caqh_id", "caqh_attested_on")
    return [
        Clinician(
            **{name: row[name] for name in names},
            version=row["version"],
            practice_ids=tuple(b["practice_id"] for b in belonging if b["provider_id"] == row["id"]),
            licences=tuple(_credential(one) for one in licences if one["provider_id"] == row["id"]),
        )
        for row in rows
    ]


def _credential(row: Row) -> Credential:
    names = ("id", "provider_id", "kind", "state", "number", "type", "effective_from", "expires_on")
    return Credential(**{name: row[name] for name in names})


async def credential(tx: Transaction, credential_id: str) -> Credential | None:
    row = await tx.first(sa.select(t.credential).where(t.credential.c.id == credential_id))
    return None if row is None else _credential(row)


async def outlasted(tx: Transaction, one: Credential) -> bool:
    """Whether a newer credential of the same kind and state goes on when this one ends."""
    c = t.credential.c
    newer = sa.select(c.id).where(
        c.provider_id == one.provider_id, c.kind == one.kind, c.id != one.id, c.expires_on > one.expires_on
    )
    return await tx.first(newer.where(c.state.is_not_distinct_from(one.state)).limit(1)) is not None


async def save_clinician(tx: Transaction, clinician: Clinician, *, created: bool) -> bool:
    """The clinician's row is at their version; False if the NPI is taken."""
    names = ("npi", "first_name", "last_name", "taxonomy", "credential", "status", "caqh_id", "caqh_attested_on")
    values = {name: getattr(clinician, name) for name in names} | {"version": clinician.version}
    if created:
        if not await insert(tx, t.clinician, {"id": clinician.id, "created_at": tx.now, **values}):
            return False
    else:
        await advance(tx, t.clinician, "id", clinician.id, values)
    return True


async def works_elsewhere(tx: Transaction, provider_id: str) -> bool:
    """Whether the clinician also works for practices that the caller may not see."""
    return bool(await tx.scalar(sa.select(sa.func.works_elsewhere(provider_id))))


async def set_affiliations(tx: Transaction, provider_id: str, practice_ids: Sequence[str]) -> None:
    """The clinician works for these of the practices that the caller may see; others stay as they are."""
    gone = t.affiliation.delete().where(
        t.affiliation.c.provider_id == provider_id, t.affiliation.c.practice_id.not_in(practice_ids)
    )
    await tx.execute(gone)
    for practice_id in sorted(set(practice_ids)):
        await insert(tx, t.affiliation, {"provider_id": provider_id, "practice_id": practice_id})


async def put_credential(tx: Transaction, one: Credential) -> bool:
    """The credential is as given; False if it already was."""
    values = {"tenant_id": tx.tenant, **asdict(one)}
    statement = pg.insert(t.credential).values(values)
    changing = {"type": one.type, "expires_on": one.expires_on, "effective_from": one.effective_from}
    statement = statement.on_conflict_do_update(
        index_elements=[t.credential.c.id],
        set_=changing,
        where=sa.or_(*(t.credential.c[name] != value for name, value in changing.items())),
    )
    return (await tx.execute(statement)).rowcount == 1


async def drop_credentials(tx: Transaction, provider_id: str, kind: str, keep: Sequence[str]) -> list[str]:
    """Credentials of that kind which are not to be kept are gone; their ids."""
    c = t.credential.c
    statement = t.credential.delete().where(c.provider_id == provider_id, c.kind == kind, c.id.not_in(keep))
    return [row["id"] for row in await tx.all(statement.returning(c.id))]


async def count_notice(tx: Transaction, provider_id: str) -> int:
    """The number of this notice about a credential of the clinician."""
    c = t.clinician.c
    counted = t.clinician.update().where(c.id == provider_id).values(notices=c.notices + 1)
    return int(await tx.scalar(counted.returning(c.notices)))


_ENROLLMENT = tuple(Enrollment.__dataclass_fields__)


def enrollment_of(row: Row) -> Enrollment:
    values: dict[str, Any] = {name: row[name] for name in _ENROLLMENT}
    places = values["location_ids"]
    return Enrollment(**{
        **values,
        "status": Status(values["status"]),
        "location_ids": None if places is None else tuple(places),
    })  # fmt: skip


def enrollments(**where: str | None) -> sa.Select[Any]:
    """Enrollments whose columns equal what is given; None is not asked for."""
    found = sa.select(t.enrollment)
    for name, value in where.items():
        if value is not None:
            found = found.where(t.enrollment.c[name] == value)
    return found


async def enrollment_row(tx: Transaction, enrollment_id: str, *, lock: bool = False) -> Row | None:
    found = enrollments(id=enrollment_id)
    return await tx.first(found.with_for_update() if lock else found)


async def find_enrollments(tx: Transaction, **where: str | None) -> list[Enrollment]:
    rows = await tx.all(enrollments(**where).order_by(t.enrollment.c.id))
    return [enrollment_of(row) for row in rows]


async def save_enrollment(tx: Transaction, one: Enrollment, *, created: bool, step: str) -> None:
    """The enrollment is at its version, and its history says by which step."""
    values = {name: getattr(one, name) for name in _ENROLLMENT}
    values["location_ids"] = None if one.location_ids is None else list(one.location_ids)
    if created:
        await insert(tx, t.enrollment, {**values, "told": None, "told_sequence": 0, "created_at": tx.now})
    else:
        values.pop("id")
        await advance(tx, t.enrollment, "id", one.id, values)
    await insert(tx, t.enrollment_history, {
        "enrollment_id": one.id, "version": one.version, "practice_id": one.practice_id, "step": step,
        "status": one.status, "on": one.status_since, "reason": one.reason, "actor": tx.actor, "at": tx.now,
    })  # fmt: skip


async def tell(tx: Transaction, enrollment_id: str, told: Mapping[str, Any], sequence: int) -> None:
    """The enrollment's row remembers what was last told of it."""
    c = t.enrollment.c
    await tx.execute(t.enrollment.update().where(c.id == enrollment_id).values(told=told, told_sequence=sequence))


async def history(tx: Transaction, enrollment_id: str) -> Sequence[Row]:
    c = t.enrollment_history.c
    return await tx.all(sa.select(t.enrollment_history).where(c.enrollment_id == enrollment_id).order_by(c.version))


async def note_claim(tx: Transaction, values: Mapping[str, Any]) -> bool:
    """What is newest about a claim's waiting is kept; False if it is old news. The first day of waiting stays."""
    return (await tx.execute(_note_claim(), {"tenant_id": tx.tenant, **values})).rowcount == 1


@cache
def _note_claim() -> sa.Executable:
    new = pg.insert(t.held_claim)
    since = sa.case((sa.and_(t.held_claim.c.held, new.excluded.held), t.held_claim.c.held_since),
                    else_=new.excluded.held_since)  # fmt: skip
    names = ("practice_id", "provider_id", "payer_id", "charge_cents", "held", "sequence")
    return new.on_conflict_do_update(
        index_elements=[t.held_claim.c.tenant_id, t.held_claim.c.claim_id],
        set_={**{name: new.excluded[name] for name in names}, "held_since": since},
        where=t.held_claim.c.sequence < new.excluded.sequence,
    )


async def claim(tx: Transaction, claim_id: str) -> Row | None:
    """What is newest about a claim's waiting."""
    return await tx.first(sa.select(t.held_claim).where(t.held_claim.c.claim_id == claim_id))


async def held(tx: Transaction, provider_id: str, practice_id: str, payer_id: str) -> Row:
    """How many claims wait for the clinician's enrollment with the payer, their charges, and the oldest wait."""
    c = t.held_claim.c
    return await tx.one(
        sa.select(
            sa.func.count().label("claims"),
            sa.cast(sa.func.coalesce(sa.func.sum(c.charge_cents), 0), sa.BigInteger).label("charge_cents"),
            sa.func.min(c.held_since).label("oldest"),
        ).where(c.held, c.provider_id == provider_id, c.practice_id == practice_id, c.payer_id == payer_id)
    )


async def count_alone(tx: Transaction, *parts: str) -> None:
    """Nobody else counts the same until this transaction ends; what they committed before is then visible."""
    key = "/".join(("credentialing", "held", tx.tenant, *parts))
    await tx.execute(sa.text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
