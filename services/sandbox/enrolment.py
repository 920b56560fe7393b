"""Whom the payers know: members, clinicians on their rosters, authorizations, and the scenarios set for members."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from pydantic import TypeAdapter

from libs.common.db import Transaction
from services.sandbox.accumulators import Member
from services.sandbox.decisions import Authorization, Rostered
from services.sandbox.scenarios import Scenario

_MEMBER = TypeAdapter(Member)
_AUTHORIZATION = TypeAdapter(Authorization)
_ANY_DATE = date(1, 1, 1)


async def members(tx: Transaction, payer_id: str, member_ids: Iterable[str]) -> dict[str, Member]:
    """The members among these ids, and those of their families."""
    rows = await tx.all(
        sa.text(
            "select body from member where payer_id = :payer and family_id in "
            "(select family_id from member where payer_id = :payer and member_id = any(:ids))"
        ),
        {"payer": payer_id, "ids": list(member_ids)},
    )
    found = [_MEMBER.validate_python(row["body"]) for row in rows]
    return {member.member_id: member for member in found}


async def save_members(tx: Transaction, found: Sequence[Member]) -> None:
    """These enrolments are what the payer holds, whatever it held before."""
    await tx.execute(
        sa.text(
            "insert into member (payer_id, member_id, family_id, body) "
            "values (:payer, :id, :family, cast(:body as jsonb)) "
            "on conflict (payer_id, member_id) do update set family_id = excluded.family_id, body = excluded.body"
        ),
        [
            {
                "payer": member.payer_id,
                "id": member.member_id,
                "family": member.family_id or member.member_id,
                "body": _MEMBER.dump_json(replace(member, family_id=member.family_id or member.member_id)).decode(),
            }
            for member in found
        ],
    )


async def rosters(tx: Transaction, payer_id: str) -> tuple[Rostered, ...]:
    rows = await tx.all(
        sa.text(
            "select npi, billing_npi, effective_from, effective_to, taxonomy from roster where payer_id = :payer "
            "order by npi, billing_npi, effective_from"
        ),
        {"payer": payer_id},
    )
    return tuple(Rostered(**row) for row in rows)


async def save_rosters(tx: Transaction, payer_id: str, rows: Sequence[Rostered]) -> None:
    await tx.execute(
        sa.text(
            "insert into roster (payer_id, npi, billing_npi, effective_from, effective_to, taxonomy) "
            "values (:payer, :npi, :billing, :since, :until, :taxonomy) "
            "on conflict (payer_id, npi, billing_npi, effective_from) "
            "do update set effective_to = excluded.effective_to, taxonomy = excluded.taxonomy"
        ),
        [
            {
                "payer": payer_id,
                "npi": row.npi,
                "billing": row.billing_npi,
                "since": row.effective_from,
                "until": row.effective_to,
                "taxonomy": row.taxonomy,
            }
            for row in rows
        ],
    )


async def authorizations(tx: Transaction, payer_id: str, member_ids: Iterable[str]) -> dict[str, list[Authorization]]:
    """Authorizations by member."""
    rows = await tx.all(
        sa.text(
            "select member_id, body from payer_authorization where payer_id = :payer and member_id = any(:ids) "
            "order by number"
        ),
        {"payer": payer_id, "ids": list(member_ids)},
    )
    found: dict[str, list[Authorization]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(_AUTHORIZATION.validate_python(row["body"]))
    return found


async def save_authorization(tx: Transaction, payer_id: str, member_id: str, one: Authorization) -> None:
    await tx.execute(
        sa.text(
            "insert into payer_authorization (payer_id, number, member_id, body) "
            "values (:payer, :number, :member, cast(:body as jsonb)) "
            "on conflict (payer_id, number) do update set member_id = excluded.member_id, body = excluded.body"
        ),
        {
            "payer": payer_id,
            "number": one.number,
            "member": member_id,
            "body": _AUTHORIZATION.dump_json(one).decode(),
        },
    )


async def scenarios(tx: Transaction, member_ids: Iterable[str]) -> list[Scenario]:
    rows = await tx.all(
        sa.text("select * from scenario where member_id = any(:ids) order by member_id, fault, service_date, attempt"),
        {"ids": list(member_ids)},
    )
    return [
        Scenario(
            member_id=row["member_id"],
            fault=row["fault"],
            service_date=None if row["service_date"] == _ANY_DATE else row["service_date"],
            payer_id=row["payer_id"] or None,
            attempt=row["attempt"],
            params=row["params"],
        )
        for row in rows
    ]


async def save_scenario(tx: Transaction, one: Scenario) -> None:
    await tx.execute(
        sa.text(
            "insert into scenario (member_id, fault, service_date, payer_id, attempt, params) "
            "values (:member, :fault, :on, :payer, :attempt, :params) "
            "on conflict (member_id, fault, service_date, payer_id, attempt) do update set params = excluded.params"
        ).bindparams(sa.bindparam("params", type_=sa.JSON)),
        {
            "member": one.member_id,
            "fault": one.fault,
            "on": one.service_date or _ANY_DATE,
            "payer": one.payer_id or "",
            "attempt": one.attempt,
            "params": one.params,
        },
    )
