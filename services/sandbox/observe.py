"""What a test or the demo may look at behind the scene: whether payers are quiet, the bank, files, claims."""

from datetime import date, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from libs.common.http import NotFound, Router, Tx
from services.sandbox import mailbox, store
from services.sandbox.plans import payers

router = Router(prefix="/v1", tags=["observe"], open_to="anyone", idempotent=False)


class Queue(BaseModel):
    """Adjudications and payments that are due and not done."""

    pending: int


@router.get("/queue", summary="Whether the payers are quiet")
async def queue(tx: Tx) -> Queue:
    return Queue(pending=await store.due_now(tx))


class Deposit(BaseModel):
    """Money that a payer put into a payee's bank account."""

    trace: str
    payer_id: str
    payer_name: str
    billing_npi: str
    method: str
    amount_cents: int
    date: date


class Deposits(BaseModel):
    data: list[Deposit]


@router.get("/bank", summary="What payers have deposited")
async def bank(
    tx: Tx,
    since: Annotated[date | None, Query(alias="from", description="First day of deposit.")] = None,
    until: Annotated[date | None, Query(alias="to", description="Last day of deposit; today when absent.")] = None,
    billing_npi: str | None = None,
) -> Deposits:
    """Deposits that have reached the bank by now, by date and trace; a check takes three banking days."""
    rows = await tx.all(
        sa.text(
            "select * from payment where amount_cents > 0 and deposited_on <= :until and deposited_on >= :since "
            "and (cast(:npi as text) is null or billing_npi = :npi) order by deposited_on, payer_id, trace"
        ),
        {
            "since": since or date(1, 1, 1),
            "until": min(until or tx.today, tx.today),
            "npi": billing_npi,
        },
    )
    return Deposits(
        data=[
            Deposit(
                trace=row["trace"],
                payer_id=row["payer_id"],
                payer_name=payers()[row["payer_id"]].name,
                billing_npi=row["billing_npi"],
                method=row["method"],
                amount_cents=row["amount_cents"],
                date=row["deposited_on"],
            )
            for row in rows
        ]
    )


class ClaimSeen(BaseModel):
    """A claim in a payer's files."""

    icn: str
    payer_id: str
    pcn: str
    service_from: date
    received_at: datetime
    status: str
    faults: dict[str, Any]


@router.get("/claims/{icn}", summary="Look into a payer's files")
async def read_claim(icn: str, tx: Tx) -> ClaimSeen:
    """What the payer has for a claim number."""
    one = (await store.claims_by_icn(tx, [icn])).get(icn)
    if one is None:
        raise NotFound
    return ClaimSeen(
        icn=one.icn,
        payer_id=one.payer_id,
        pcn=one.claim.pcn,
        service_from=one.claim.service_from,
        received_at=one.received_at,
        status=one.status,
        faults=one.faults,
    )


@router.get("/files/{file_id}", summary="A file as it came", response_class=Response)
async def read_file(file_id: str, tx: Tx) -> Response:
    """The bytes of a file that a submitter sent."""
    body = await mailbox.file_body(tx, file_id)
    if body is None:
        raise NotFound
    return Response(body, media_type="application/edi-x12")
