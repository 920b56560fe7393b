"""Routes: remittances come in, what waits in the queues is decided, codes that nobody knows are read."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel

from libs.common import audit, clearinghouse
from libs.common.db import Row
from libs.common.http import (
    BULK_BYTES,
    X12,
    Cursor,
    FieldError,
    Invalid,
    Limit,
    NotFound,
    Page,
    RawBody,
    Router,
    Tx,
    again,
    paginate,
)
from services.remittance import classify, decisions, figures, ledger_routes, pull, receive, views, write_off_routes
from services.remittance.read import eras
from services.remittance.store import cases, queue, remittances

router = Router(prefix="/v1", tags=["remittance"])
Status = Annotated[str | None, Query(max_length=32)]


@router.post(
    "/remittances",
    status_code=201,
    scope="remittance:write",
    accepts=X12,
    body_limit_bytes=BULK_BYTES,
    responses=again(views.TakenView),
)
async def take_remittance(body: RawBody, tx: Tx, response: Response) -> views.TakenView:
    """Take an 835 (X12, any number of remittances); the same bytes again answer 200 and change nothing."""
    try:
        taken = await receive.take_in(tx, body, source="api")
    except receive.Unreadable:
        raise Invalid([FieldError("", "unreadable_835", "No remittance (835) could be read.")]) from None
    if taken.repeated:
        response.status_code = 200
    elif taken.era_ids:
        response.headers["Location"] = f"/v1/remittances/{taken.era_ids[0]}"
    audit.about(tx, [(row["id"], row["practice_id"]) for row in await remittances.eras_of_file(tx, taken.file_id)])
    return views.TakenView(file_id=taken.file_id, remittance_ids=taken.era_ids, repeated=taken.repeated)


@router.get("/remittances", scope="remittance:read")
async def list_remittances(
    tx: Tx, status: Status = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[views.RemittanceSummary]:
    """Remittances, oldest first; `status=needs_decision` and `status=waiting` are the queues."""
    return await paginate(tx, queue.remittances(tx, status), cursor, limit, view=views.summary)


@router.get("/remittances/{era_id}", scope="remittance:read", phi=True, subject="remittance")
async def read_remittance(era_id: str, tx: Tx) -> views.RemittanceView:
    """A remittance, its three balances, and what became of each of its claims."""
    row = await queue.remittance(tx, era_id)
    if row is None:
        raise NotFound
    audit.about(tx, [(era_id, row["practice_id"])])
    claims = [views.answered(claim) for claim in await queue.claims_of(tx, era_id)]
    adjustments = [
        views.ProviderAdjustmentView(
            code=one["code"],
            amount_cents=one["amount_cents"],
            ref=one["reference"],
            account=one["account"].removeprefix(figures.PROVIDER_ADJUSTMENTS),
            matched_claim=one["claim_id"],
        )
        for one in await queue.adjustments_of(tx, era_id)
    ]
    return views.remittance(row, claims, adjustments)


@router.get("/remittances/{era_id}/x12", scope="remittance:read", phi=True, subject="remittance")
async def read_remittance_file(era_id: str, tx: Tx) -> Response:
    """The file that brought a remittance, byte for byte; not where it brought others' that you may not see."""
    row = await queue.remittance(tx, era_id)
    if row is None:
        raise NotFound
    audit.about(tx, [(era_id, row["practice_id"])])
    assert tx.keyring is not None, "raw files are kept sealed"
    raw = tx.keyring.open(tx.tenant, await queue.raw_file(tx, row["file_id"]), receive.CONTEXT)
    if tx.practice_ids is not None and await queue.shown_of_file(tx, row["file_id"]) != len(eras(raw, tx.tenant)):
        raise NotFound
    return Response(raw, media_type=X12[0])


@router.post("/remittances/{era_id}/decisions", status_code=200, scope="remittance:write", subject="remittance")
async def decide_remittance(era_id: str, body: views.DecisionBody, tx: Tx) -> views.RemittanceView:
    """Post a remittance that does not balance, its difference named in suspense, or refuse it."""
    await decisions.decide_remittance(tx, era_id, decision=body.decision, reason=body.reason)
    return await read_remittance(era_id, tx)


@router.get("/unposted", scope="remittance:read", phi=True, subject="era_claim")
async def list_unposted(
    tx: Tx, reason: Status = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[views.UnpostedView]:
    """Answers of payers that wait, with what they wait for."""
    return await paginate(tx, queue.unposted(tx, reason), cursor, limit, view=_unposted)


def _unposted(row: Row) -> views.UnpostedView:
    given = {name: row[name] for name in views.UnpostedView.model_fields if name != "clp01"}
    return views.UnpostedView(clp01=row["pcn"], **given)


class Posted(BaseModel):
    id: str
    result: str


@router.post("/unposted/{answer_id}/match", status_code=200, scope="remittance:write", subject="era_claim")
async def match_unposted(answer_id: str, body: views.NamedClaim, tx: Tx) -> Posted:
    """Say which claim a waiting answer is about; it is posted."""
    return Posted(id=answer_id, result=await decisions.name_claim(tx, answer_id, body.claim_id))


@router.post("/unposted/{answer_id}/dismissals", status_code=200, scope="remittance:write", subject="era_claim")
async def dismiss_unposted(answer_id: str, body: views.Dismissal, tx: Tx) -> Posted:
    """Say that a waiting answer is about nothing of yours; its money stays in suspense, under its own name."""
    await decisions.dismiss(tx, answer_id, body.reason)
    return Posted(id=answer_id, result="dismissed")


@router.post("/adjustment-readings", status_code=201, scope="remittance:write", subject="adjustment_reading")
async def read_adjustment_code(body: views.NewReading, tx: Tx) -> views.ReadingView:
    """Say how an adjustment code is read that no table knows; what waited for it is accounted for next."""
    tx.must_reach(None)
    reading_id = await classify.read_code(tx, **body.model_dump())
    return views.ReadingView(id=reading_id, **body.model_dump())


@router.get("/adjustment-readings", scope="remittance:read")
async def list_adjustment_readings(tx: Tx, cursor: Cursor = None, limit: Limit = 50) -> Page[views.ReadingView]:
    """How this tenant reads adjustment codes that no table knows."""
    return await paginate(tx, cases.all_readings(tx), cursor, limit, view=views.reading)


ROUTERS = (
    router,
    ledger_routes.router,
    write_off_routes.router,
    clearinghouse.routes("remittance", configured=pull.start),
)
