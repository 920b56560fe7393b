"""The routes of patients' consents to disclosure."""

from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import Query, Response

from libs.common.http import Cursor, Limit, Page, Router, Tx, again, paginate, set_etag
from services.claims import consents, reading, tables
from services.claims.claim_views import Why
from services.claims.consent_views import ConsentIn, ConsentView

READ: Final = "claims:read"
WRITE: Final = "claims:write"

consent_routes = Router(prefix="/v1/consents", tags=["consents"])
ROUTERS: Final = (consent_routes,)


@consent_routes.post("", scope=WRITE, status_code=201, phi=True, responses=again(ConsentView))
async def record_consent(body: ConsentIn, tx: Tx, response: Response) -> ConsentView:
    """The patient has consented: claims that waited for it go on; the same again answers 200 and changes nothing."""
    row, new = await consents.record(tx, body)
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/v1/consents/{row['id']}"
    set_etag(response, row["version"])
    return reading.shown(ConsentView, dict(row))


@consent_routes.get("", scope=READ, phi=True)
async def list_consents(
    tx: Tx,
    patient_id: Annotated[str | None, Query(max_length=64)] = None,
    practice_id: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ConsentView]:
    """Consents, oldest first, with those that hold no longer."""
    table = tables.consent
    given = {"patient_id": patient_id, "practice_id": practice_id}
    select = sa.select(table).where(*(table.c[name] == value for name, value in given.items() if value is not None))
    return await paginate(tx, select, cursor, limit, view=lambda row: reading.shown(ConsentView, dict(row)))


@consent_routes.post("/{consent_id}/revocations", scope=WRITE, phi=True)
async def revoke_consent(consent_id: str, body: Why, tx: Tx) -> ConsentView:
    """The patient takes the consent back: nothing more is disclosed under it, claims that have not gone out stop."""
    row = await consents.revoke(tx, consent_id, body.why)
    return reading.shown(ConsentView, dict(row))
