"""What the work lists and answers of the API read."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.common.db import Row, Transaction
from services.remittance import tables as t
from services.remittance.store.bank import ANNOUNCED
from services.remittance.store.remittances import WAITING


def _of_a_practice(tx: Transaction, table: sa.Table) -> sa.ColumnElement[bool]:
    """A remittance whose payee nobody knows may be any practice's: who may see some only is not shown it."""
    return tx.of_a_practice(table.c.practice_id)


def is_shown(tx: Transaction, practice_id: str | None) -> bool:
    """The same of one that has been read."""
    return tx.practice_ids is None or practice_id is not None


def remittances(tx: Transaction, status: str | None) -> sa.Select[Any]:
    found = sa.select(t.era).where(t.era.c.tenant_id == tx.tenant, _of_a_practice(tx, t.era))
    return found if status is None else found.where(t.era.c.status == status)


async def remittance(tx: Transaction, era_id: str) -> Row | None:
    return await tx.first(
        sa.select(t.era).where(t.era.c.tenant_id == tx.tenant, t.era.c.id == era_id, _of_a_practice(tx, t.era))
    )


async def shown_of_file(tx: Transaction, file_id: str) -> int:
    """How many of the file's remittances the caller may see."""
    found = sa.select(sa.func.count()).where(t.era.c.tenant_id == tx.tenant, t.era.c.file_id == file_id)
    return int(await tx.scalar(found.where(_of_a_practice(tx, t.era))))


async def claims_of(tx: Transaction, era_id: str) -> Sequence[Row]:
    """The claims of a remittance in the order of the file, with what was posted of them."""
    joined = t.era_claim.outerjoin(
        t.posting,
        sa.and_(t.posting.c.tenant_id == t.era_claim.c.tenant_id, t.posting.c.era_claim_id == t.era_claim.c.id),
    )
    return await tx.all(
        sa.select(t.era_claim, t.posting.c.id.label("posting_id"), t.posting.c.outcome, t.posting.c.entry)
        .select_from(joined)
        .where(t.era_claim.c.tenant_id == tx.tenant, t.era_claim.c.era_id == era_id)
        .order_by(t.era_claim.c.position)
    )


async def adjustments_of(tx: Transaction, era_id: str) -> Sequence[Row]:
    return await tx.all(
        sa.select(t.provider_adjustment)
        .where(t.provider_adjustment.c.tenant_id == tx.tenant, t.provider_adjustment.c.era_id == era_id)
        .order_by(t.provider_adjustment.c.position)
    )


def unposted(tx: Transaction, reason: str | None) -> sa.Select[Any]:
    """Answers that wait for a person or for more to become known."""
    found = (
        sa.select(t.era_claim, t.era.c.payer_id, t.era.c.trace, t.era.c.paid_on)
        .join(t.era, sa.and_(t.era.c.tenant_id == t.era_claim.c.tenant_id, t.era.c.id == t.era_claim.c.era_id))
        .where(t.era_claim.c.tenant_id == tx.tenant, t.era_claim.c.status == WAITING, _of_a_practice(tx, t.era_claim))
    )
    return found if reason is None else found.where(t.era_claim.c.reason == reason)


async def received_from_payers(tx: Transaction) -> int:
    """The sum of BPR02 over all remittances that the caller may see whose money is in clearing or beyond."""
    found = await tx.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(t.era.c.amount_cents), 0)).where(
            t.era.c.tenant_id == tx.tenant, t.era.c.status.in_(ANNOUNCED), _of_a_practice(tx, t.era)
        )
    )
    return int(found)


async def raw_file(tx: Transaction, file_id: str) -> str:
    return str(
        await tx.scalar(
            sa.select(t.era_file.c.body_sealed).where(t.era_file.c.tenant_id == tx.tenant, t.era_file.c.id == file_id)
        )
    )
