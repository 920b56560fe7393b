"""The routes of claims and of the files that carry them."""

from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Query, Response

from libs.common import audit
from libs.common.http import Cursor, Limit, NotFound, Page, Router, Tx, paginate, set_etag
from services.claims import correct, hold, next_payer, reading, store, tables
from services.claims.changes import Changes
from services.claims.claim_views import AcknowledgementView, BatchFileView, ClaimSummary, ClaimView, Release, Why
from services.claims.views import Timeline

READ: Final = "claims:read"
WRITE: Final = "claims:write"

claim_routes = Router(prefix="/v1/claims", tags=["claims"])
file_routes = Router(prefix="/v1/batches", tags=["batches"])
acknowledgement_routes = Router(prefix="/v1/acknowledgements", tags=["batches"])
ROUTERS: Final = (claim_routes, file_routes, acknowledgement_routes)


@claim_routes.get("", scope=READ, phi=True)
async def list_claims(
    tx: Tx,
    status: Annotated[str | None, Query(max_length=32)] = None,
    payer_id: Annotated[str | None, Query(max_length=64)] = None,
    practice_id: Annotated[str | None, Query(max_length=64)] = None,
    patient_id: Annotated[str | None, Query(max_length=64)] = None,
    encounter_id: Annotated[str | None, Query(max_length=64)] = None,
    owner: Annotated[str | None, Query(max_length=64)] = None,
    reason: Annotated[str | None, Query(max_length=64, description="Claims that stop for this reason.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ClaimSummary]:
    """Claims, oldest first."""
    table = tables.claim
    given = {
        "status": status,
        "payer_id": payer_id,
        "practice_id": practice_id,
        "patient_id": patient_id,
        "encounter_id": encounter_id,
        "owner": owner,
    }
    select = sa.select(table).where(*(table.c[name] == value for name, value in given.items() if value is not None))
    if reason is not None:
        select = select.where(table.c.reasons.contains([reason]))
    return await paginate(tx, select, cursor, limit, view=reading.summary)


@claim_routes.get("/{claim_id}", scope=READ, phi=True)
async def read_claim(claim_id: str, tx: Tx, response: Response) -> ClaimView:
    """One claim with everything that it says."""
    view = await reading.claim_view(tx, claim_id)
    set_etag(response, view.version)
    return view


@claim_routes.get("/{claim_id}/timeline", scope=READ, phi=True)
async def read_claim_timeline(claim_id: str, tx: Tx) -> Timeline:
    """Everything that happened to the claim's session and its claims, in order."""
    claim = await store.load(tx, claim_id)
    audit.about(tx, [(claim_id, claim.practice_id)])
    return await reading.timeline(tx, encounter_id=claim.encounter_id)


@claim_routes.post("/{claim_id}/hold", scope=WRITE, phi=True)
async def hold_claim(claim_id: str, body: Why, tx: Tx) -> ClaimView:
    """The claim stays here until somebody releases it."""
    await hold.hold(tx, claim_id, body.why)
    return await reading.claim_view(tx, claim_id)


@claim_routes.post("/{claim_id}/release", scope=WRITE, phi=True)
async def release_claim(claim_id: str, body: Release, tx: Tx) -> ClaimView:
    """A held claim is scrubbed again, without the findings that you accept."""
    await hold.release(tx, claim_id, body.why, list(body.accept))
    return await reading.claim_view(tx, claim_id)


@claim_routes.post("/{claim_id}/void", scope=WRITE, phi=True)
async def void_claim(claim_id: str, body: Why, tx: Tx) -> ClaimView:
    """A claim that no payer has will never go out."""
    await hold.void(tx, claim_id, body.why)
    return await reading.claim_view(tx, claim_id)


@claim_routes.post("/{claim_id}/corrections", scope=WRITE, phi=True)
async def correct_claim(claim_id: str, body: Changes, tx: Tx) -> ClaimView:
    """A claim that waits, is held or was rejected says what the changes say, and is scrubbed again."""
    await correct.correct_claim(tx, claim_id, body)
    return await reading.claim_view(tx, claim_id)


@claim_routes.post("/{claim_id}/next-payer", scope=WRITE, phi=True)
async def bill_next_payer(claim_id: str, body: Why, tx: Tx) -> ClaimView:
    """The claim goes to who pays after this payer; once more to a later payer that has decided already."""
    await next_payer.bill(tx, claim_id, body.why)
    return await reading.claim_view(tx, claim_id)


@claim_routes.post("/{claim_id}/bill-patient", scope=WRITE, phi=True)
async def leave_to_patient(claim_id: str, body: Why, tx: Tx) -> ClaimView:
    """The later payer is given up: what the ones before left is the patient's."""
    await next_payer.leave_to_patient(tx, claim_id, body.why)
    return await reading.claim_view(tx, claim_id)


@file_routes.get("", scope=READ)
async def list_batches(
    tx: Tx,
    status: Annotated[str | None, Query(max_length=16)] = None,
    payer_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BatchFileView]:
    """The 837P files, oldest first."""
    select = _without_file(tables.batch.c.file, status=status, payer_id=payer_id)
    return await paginate(tx, select, cursor, limit, view=lambda row: reading.shown(BatchFileView, dict(row)))


@file_routes.get("/{batch_id}/file", scope=READ, phi=True)
async def read_batch_file(batch_id: str, tx: Tx) -> Response:
    """The 837P as it was sent."""
    table = tables.batch
    row = await tx.first(sa.select(table.c.file, table.c.practice_id).where(table.c.id == batch_id))
    if row is None:
        raise NotFound("There is no such batch.")
    audit.about(tx, [(batch_id, row["practice_id"])])
    return Response(row["file"], media_type="application/edi-x12")


@acknowledgement_routes.get("", scope=READ)
async def list_acknowledgements(
    tx: Tx,
    batch_id: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=8, description="TA1, 999 or 277CA.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AcknowledgementView]:
    """What the clearinghouse and payers answered to our files, oldest first."""
    select = _without_file(tables.acknowledgement.c.raw, batch_id=batch_id, kind=kind)
    return await paginate(tx, select, cursor, limit, key=("received_at", "mail_id"), view=reading.acknowledgement)


@acknowledgement_routes.get("/{acknowledgement_id}/file", scope=READ, phi=True)
async def read_acknowledgement_file(acknowledgement_id: str, tx: Tx) -> Response:
    """The acknowledgement as it came."""
    table = tables.acknowledgement
    row = await tx.first(sa.select(table.c.raw, table.c.practice_id).where(table.c.mail_id == acknowledgement_id))
    if row is None:
        raise NotFound("There is no such acknowledgement.")
    audit.about(tx, [(acknowledgement_id, row["practice_id"])])
    return Response(row["raw"], media_type="application/edi-x12")


def _without_file(file: sa.Column[bytes], **given: str | None) -> sa.Select[Any]:
    """The rows of the table that holds `file`, without it, where they have what was given."""
    columns = file.table.c
    chosen = (columns[name] == value for name, value in given.items() if value is not None)
    return sa.select(*(column for column in columns if column is not file)).where(*chosen)
