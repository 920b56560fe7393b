"""Claims in the database: load, save with compare-and-set, and what stands beside them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from libs.common.db import Row, Stale, Transaction
from libs.common.problems import NotFound
from services.claims import tables
from services.claims.domain import Claim, Content, Line, Status

_PLAIN = (
    "id",
    "practice_id",
    "encounter_id",
    "patient_id",
    "external_id",
    "service_date",
    "provider_npi",
    "provider_id",
    "payer_id",
    "rank",
    "version",
    "owner",
    "clean",
    "attempts",
    "frequency",
    "submission_id",
    "payer_control_number",
    "authorization_id",
    "cut_at",
    "traceparent",
)


def claim_of(row: Row) -> Claim:
    """The claim that a row holds."""
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Claim(
        **plain,
        status=Status(row["status"]),
        reasons=tuple(row["reasons"]),
        content=content_of(row["content"]),
    )


def content_of(data: Mapping[str, Any]) -> Content:
    """The content as it was written."""
    lines = tuple(
        Line(**{**line, "modifiers": tuple(line["modifiers"]), "pointers": tuple(line["pointers"])})
        for line in data["lines"]
    )
    sequences = {name: tuple(data[name]) for name in ("diagnoses", "only_lines", "accepted")}
    return Content(**{**data, **sequences, "lines": lines})


def _columns(claim: Claim) -> dict[str, Any]:
    return {
        **{name: getattr(claim, name) for name in _PLAIN},
        "status": claim.status.value,
        "reasons": list(claim.reasons),
        "content": claim.content,
        "code_family": claim.code_family,
        "charge_cents": claim.charge_cents,
    }


_INSERT_CLAIM = tables.claim.insert()
_REMEMBER = tables.history.insert()


async def load(tx: Transaction, claim_id: str, *, lock: bool = False) -> Claim:
    """The claim as it stands; locked until the end of the transaction where asked. Raises NotFound."""
    select = sa.select(tables.claim).where(tables.claim.c.id == claim_id)
    row = await tx.first(select.with_for_update() if lock else select)
    if row is None:
        raise NotFound("There is no such claim.")
    return claim_of(row)


async def save(tx: Transaction, claim: Claim, findings: list[dict[str, Any]] | None = None) -> None:
    """Write the next version, or refuse if somebody else already did. The first version is a new row."""
    if claim.version == 1:
        kept = {"tenant_id": tx.tenant, "findings": findings or [], "created_at": tx.now, "updated_at": tx.now}
        tx.later(_INSERT_CLAIM, {**_columns(claim), **kept})
        return
    extra = {} if findings is None else {"findings": findings}
    done = await tx.execute(
        tables.claim.update()
        .where(tables.claim.c.id == claim.id, tables.claim.c.version == claim.version - 1)
        .values(**_columns(claim), **extra, updated_at=tx.now)
    )
    if done.rowcount != 1:
        raise Stale(claim.id)


async def remember(tx: Transaction, claim: Claim, step: str, words: str | None) -> None:
    """The step is in the claim's history."""
    tx.later(
        _REMEMBER,
        {
            "tenant_id": tx.tenant,
            "claim_id": claim.id,
            "version": claim.version,
            "practice_id": claim.practice_id,
            "encounter_id": claim.encounter_id,
            "step": step,
            "status": claim.status.value,
            "reasons": list(claim.reasons),
            "words": words,
            "actor": tx.actor,
            "at": tx.now,
        },
    )


async def learn(
    tx: Transaction,
    kind: str,
    id: str,
    sequence: int,
    data: Mapping[str, Any],
    *,
    practice_id: str | None = None,
    lookup: str | None = None,
) -> bool:
    """Our copy of somebody else's state, if this is newer than what we know; returns whether it was."""
    tx.known = {}
    new = {
        "practice_id": practice_id,
        "lookup": lookup,
        "sequence": sequence,
        "data": dict(data),
        "updated_at": tx.now,
    }
    written = await tx.scalar(
        pg.insert(tables.known)
        .values(tenant_id=tx.tenant, kind=kind, id=id, **new)
        .on_conflict_do_update(
            index_elements=["tenant_id", "kind", "id"], set_=new, where=tables.known.c.sequence < sequence
        )
        .returning(tables.known.c.id)
    )
    return written is not None


async def known(tx: Transaction, kind: str, id: str) -> dict[str, Any] | None:
    """What we were told last of that thing, None when we were told nothing."""
    if (kind, id) not in tx.known:
        tx.known[kind, id] = await tx.scalar(
            sa.select(tables.known.c.data).where(tables.known.c.kind == kind, tables.known.c.id == id)
        )
    found: dict[str, Any] | None = tx.known[kind, id]
    return found


async def known_by(tx: Transaction, kind: str, lookup: str) -> list[dict[str, Any]]:
    """Everything of that kind under one lookup value, in the order of ids."""
    if (kind, "by", lookup) not in tx.known:
        rows = await tx.all(
            sa.select(tables.known.c.data)
            .where(tables.known.c.kind == kind, tables.known.c.lookup == lookup)
            .order_by(tables.known.c.id)
        )
        tx.known[kind, "by", lookup] = [row["data"] for row in rows]
    found: list[dict[str, Any]] = tx.known[kind, "by", lookup]
    return found


def enrollment_key(provider_id: str, practice_id: str, payer_id: str) -> str:
    """The lookup value of a clinician's enrollment with a payer for a practice."""
    return f"{provider_id}/{practice_id}/{payer_id}"


async def await_news(tx: Transaction, names: Sequence[tuple[str, str]]) -> None:
    """What was told of these is read anew; who tells more of them waits, until what this writes can be found.

    Without it news that come between our look and our commit would meet no claim that waits for them.
    """
    await tx.execute(_AWAIT_NEWS, {"names": sorted(f"{tx.tenant}/{kind}/{name}" for kind, name in names)})
    kinds = {kind for kind, _ in names}
    for key in [key for key in tx.known if isinstance(key, tuple) and key[0] in kinds]:
        del tx.known[key]


async def tell_news(tx: Transaction, kind: str, name: str) -> None:
    """Nobody is between a look at this and their commit any more; the next statement finds all who wait for it."""
    await tx.execute(_TELL_NEWS, {"name": f"{tx.tenant}/{kind}/{name}"})


_AWAIT_NEWS = sa.text(
    "select pg_advisory_xact_lock_shared(hashtextextended(name, 2)) from unnest(cast(:names as text[])) name"
)
_TELL_NEWS = sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 2))")


async def next_number(tx: Transaction, name: str, count: int = 1) -> int:
    """The first of `count` numbers that nobody has been given before; they are never given again."""
    last = await tx.scalar(
        pg.insert(tables.counter)
        .values(tenant_id=tx.tenant, name=name, last=count)
        .on_conflict_do_update(index_elements=["tenant_id", "name"], set_={"last": tables.counter.c.last + count})
        .returning(tables.counter.c.last)
    )
    assert isinstance(last, int)
    return last - count + 1


async def encounter(tx: Transaction, encounter_id: str) -> Row:
    """The encounter's row. Raises NotFound."""
    row = await tx.first(sa.select(tables.encounter).where(tables.encounter.c.id == encounter_id))
    if row is None:
        raise NotFound("There is no such encounter.")
    return row


async def claims_of_encounter(tx: Transaction, encounter_id: str) -> list[str]:
    rows = await tx.all(
        sa.select(tables.claim.c.id).where(tables.claim.c.encounter_id == encounter_id).order_by(tables.claim.c.rank)
    )
    return [row["id"] for row in rows]


async def same_day(tx: Transaction, claim: Claim) -> list[Claim]:
    """The patient's other claims of that day which stand, in the order in which the EHR named them."""
    rows = await tx.all(
        sa.select(tables.claim)
        .where(
            tables.claim.c.patient_id == claim.patient_id,
            tables.claim.c.service_date == claim.service_date,
            tables.claim.c.encounter_id != claim.encounter_id,
            tables.claim.c.status != Status.VOID.value,
        )
        .order_by(tables.claim.c.external_id)
    )
    return [claim_of(row) for row in rows]


async def charge_for(tx: Transaction, practice_id: str, codes: Iterable[str], on: date) -> dict[str, int]:
    """The practice's own charge for one unit of each code on that day, where it has one."""
    wanted = ("charge", practice_id, on, *sorted(set(codes)))
    if wanted not in tx.known:
        tx.known[wanted] = await _charges(tx, practice_id, codes, on)
    found: dict[str, int] = tx.known[wanted]
    return found


async def _charges(tx: Transaction, practice_id: str, codes: Iterable[str], on: date) -> dict[str, int]:
    rows = await tx.all(
        sa.select(tables.charge.c.code, tables.charge.c.charge_cents)
        .where(
            tables.charge.c.practice_id == practice_id,
            tables.charge.c.code.in_(sorted(set(codes))),
            tables.charge.c.effective_from <= on,
            sa.or_(tables.charge.c.effective_to.is_(None), tables.charge.c.effective_to >= on),
        )
        .order_by(tables.charge.c.effective_from)
    )
    return {row["code"]: row["charge_cents"] for row in rows}


async def submission(tx: Transaction, submission_id: str | None) -> Row | None:
    if submission_id is None:
        return None
    return await tx.first(sa.select(tables.submission).where(tables.submission.c.id == submission_id))


async def last_member_id(tx: Transaction, claim_id: str, rank: int) -> str | None:
    """The patient's number with which the claim went last to the payer of that rank; None where we did not send it."""
    table = tables.submission
    found: str | None = await tx.scalar(
        sa.select(table.c.member_id)
        .where(table.c.claim_id == claim_id, table.c.rank == rank)
        .order_by(table.c.attempt.desc())
        .limit(1)
    )
    return found


async def submissions_of_batch(tx: Transaction, batch_id: str) -> Sequence[Row]:
    return await tx.all(
        sa.select(tables.submission).where(tables.submission.c.batch_id == batch_id).order_by(tables.submission.c.pcn)
    )
