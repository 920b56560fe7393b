"""Routes for outbound webhooks: endpoints, secrets, deliveries, replay, ping."""

from datetime import datetime
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from libs.common import audit, timers
from libs.common.db import Row, Transaction
from libs.common.http import (
    Conflict,
    Cursor,
    FieldError,
    Here,
    IfMatch,
    Invalid,
    Limit,
    NotFound,
    Page,
    Router,
    Tx,
    check_version,
    paginate,
    set_etag,
)
from libs.common.ids import new_id
from services.reporting import endpoints, tables

router = Router(prefix="/v1/webhook-endpoints", tags=["webhook endpoints"])
Pattern = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z_.*0-9]+$")]
MOST_REPLAYED = 10_000


class EndpointIn(BaseModel):
    """Where to send, and what: types are globs over event types, such as `claim.*` or `denial.raised.v1`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"url": "https://ehr.example.com/parity", "event_types": ["claim.*", "denial.raised.v1"]}]
        },
    )

    url: str = Field(min_length=8, max_length=500)
    event_types: list[Pattern] = Field(min_length=1, max_length=40)
    description: str = Field("", max_length=200)
    practice_id: str | None = Field(None, max_length=64, description="Only this practice's events.")


class EndpointChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(None, min_length=8, max_length=500)
    event_types: list[Pattern] | None = Field(None, min_length=1, max_length=40)
    description: str | None = Field(None, max_length=200)
    status: Literal["active", "paused"] | None = None


class EndpointView(BaseModel):
    id: str
    url: str
    event_types: list[str]
    description: str
    practice_id: str | None
    status: str = Field(description="active, paused, or disabled after five days of failure")
    failing_since: datetime | None
    version: int
    created_at: datetime


class EndpointWithSecret(EndpointView):
    secret: str = Field(description="Shown this once; verify `webhook-signature` with it.")


class DeliveryView(BaseModel):
    id: str
    event_id: str | None
    type: str
    status: str
    attempts: int
    last_status: int | None
    last_error: str | None
    next_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


class AttemptView(BaseModel):
    """One try at a delivery."""

    number: int = Field(description="Counted anew when it is redelivered or replayed.")
    at: datetime = Field(description="Wall time.")
    status: int | None = Field(description="What the endpoint answered, if it did.")
    error: str | None
    milliseconds: int


class ReplayIn(BaseModel):
    """Which events go out again: those received here from `since` up to `until`, of these types."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    until: AwareDatetime
    event_types: list[Pattern] = Field(default=["*"], min_length=1, max_length=40)


class Owed(BaseModel):
    deliveries: int


def _view(row: Row) -> EndpointView:
    return EndpointView(**{name: row[name] for name in EndpointView.model_fields})


def _delivery(row: Row) -> DeliveryView:
    return DeliveryView(**{name: row[name] for name in DeliveryView.model_fields})


def _attempt(row: Row) -> AttemptView:
    return AttemptView(**{name: row[name] for name in AttemptView.model_fields})


@router.post("", status_code=201, scope="reporting:write")
async def create_endpoint(body: EndpointIn, tx: Tx, here: Here, response: Response) -> EndpointWithSecret:
    """An endpoint hears of every event of these types from now on."""
    endpoints.check(body.url, body.event_types, local=here.local)
    tx.must_reach(body.practice_id)
    row, secret = await endpoints.create(
        tx,
        url=body.url,
        event_types=body.event_types,
        description=body.description,
        practice_id=body.practice_id,
    )
    response.headers["Location"] = f"/v1/webhook-endpoints/{row['id']}"
    return EndpointWithSecret(**_view(row).model_dump(), secret=secret)


@router.get("", scope="reporting:read")
async def list_endpoints(tx: Tx, cursor: Cursor = None, limit: Limit = 50) -> Page[EndpointView]:
    """The tenant's endpoints, oldest first."""
    return await paginate(tx, endpoints.shown(tx), cursor, limit, view=_view)


@router.get("/{endpoint_id}", scope="reporting:read")
async def read_endpoint(endpoint_id: str, tx: Tx, response: Response) -> EndpointView:
    """One endpoint and its health."""
    row = await endpoints.load(tx, endpoint_id)
    set_etag(response, row["version"])
    return _view(row)


@router.patch("/{endpoint_id}", scope="reporting:write")
async def change_endpoint(
    endpoint_id: str, body: EndpointChange, tx: Tx, here: Here, if_match: IfMatch, response: Response
) -> EndpointView:
    """The endpoint has these values; `active` again, or at another address, it gets what waited meanwhile."""
    row = await endpoints.load(tx, endpoint_id)
    check_version(if_match, row["version"])
    values = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    wanted = {**row, **values}
    endpoints.check(wanted["url"], wanted["event_types"], local=here.local)
    if values.get("status") == "active" or "url" in values:
        values |= endpoints.HEALTHY
        await endpoints.close_notices(tx, endpoint_id, "changed")
    changed = await endpoints.change(tx, row, values)
    set_etag(response, changed["version"])
    return _view(changed)


@router.delete("/{endpoint_id}", status_code=204, scope="reporting:write")
async def delete_endpoint(endpoint_id: str, tx: Tx) -> None:
    """The endpoint hears of nothing any more, and its deliveries are gone with it."""
    audit.about(tx, [(endpoint_id, (await endpoints.load(tx, endpoint_id))["practice_id"])])
    await timers.clear(tx, endpoints.DELIVER, endpoint_id)
    await endpoints.close_notices(tx, endpoint_id, "deleted")
    await tx.execute(tables.endpoint.delete().where(tables.endpoint.c.id == endpoint_id))


@router.post("/{endpoint_id}/secrets", status_code=201, scope="reporting:write")
async def rotate_secret(endpoint_id: str, tx: Tx) -> EndpointWithSecret:
    """A new secret; the one before it signs too until the next rotation, so that nothing is lost meanwhile."""
    row, secret = await endpoints.rotate(tx, await endpoints.load(tx, endpoint_id))
    return EndpointWithSecret(**_view(row).model_dump(), secret=secret)


@router.post("/{endpoint_id}/ping", status_code=202, scope="reporting:write")
async def ping(endpoint_id: str, tx: Tx) -> Owed:
    """An `endpoint.ping.v1` is on its way."""
    endpoint = await _active(tx, endpoint_id)
    await endpoints.owe(tx, endpoint, message_id=new_id("ping"), event_id=None, event_type=endpoints.PING)
    await timers.set(tx, endpoints.DELIVER, endpoint_id, at=tx.now)
    return Owed(deliveries=1)


@router.get("/{endpoint_id}/deliveries", scope="reporting:read")
async def list_deliveries(
    endpoint_id: str, tx: Tx, cursor: Cursor = None, limit: Limit = 50, status: str | None = None
) -> Page[DeliveryView]:
    """What was sent to the endpoint, and how it went; newest first."""
    await endpoints.load(tx, endpoint_id)
    select = sa.select(tables.delivery).where(tables.delivery.c.endpoint_id == endpoint_id)
    if status is not None:
        select = select.where(tables.delivery.c.status == status)
    return await paginate(tx, select, cursor, limit, descending=True, view=_delivery)


@router.get("/{endpoint_id}/deliveries/{delivery_id}/attempts", scope="reporting:read")
async def list_attempts(
    endpoint_id: str, delivery_id: str, tx: Tx, cursor: Cursor = None, limit: Limit = 50
) -> Page[AttemptView]:
    """Every try at the delivery, oldest first."""
    await endpoints.load(tx, endpoint_id)
    of = tables.delivery.c.id == delivery_id, tables.delivery.c.endpoint_id == endpoint_id
    if await tx.first(sa.select(tables.delivery.c.id).where(*of)) is None:
        raise NotFound
    tries = sa.select(tables.attempt).where(tables.attempt.c.delivery_id == delivery_id)
    return await paginate(tx, tries, cursor, limit, key=("id",), view=_attempt)


@router.post("/{endpoint_id}/deliveries/{delivery_id}/redeliver", status_code=202, scope="reporting:write")
async def redeliver(endpoint_id: str, delivery_id: str, tx: Tx) -> DeliveryView:
    """The delivery is tried again now, and as often as a new one."""
    endpoint = await _active(tx, endpoint_id)
    audit.about(tx, [(delivery_id, endpoint["practice_id"])])
    row = await tx.first(
        tables.delivery.update()
        .where(tables.delivery.c.id == delivery_id, tables.delivery.c.endpoint_id == endpoint_id)
        .values(status="pending", attempts=0, next_at=tx.now)
        .returning(*tables.delivery.c)
    )
    if row is None:
        raise NotFound
    await timers.set(tx, endpoints.DELIVER, endpoint_id, at=tx.now)
    return _delivery(row)


@router.post("/{endpoint_id}/replay", status_code=202, scope="reporting:write")
async def replay(endpoint_id: str, body: ReplayIn, tx: Tx) -> Owed:
    """Every event of the range goes out (again), with the ids that it had."""
    endpoint = await _active(tx, endpoint_id)
    if body.since >= body.until:
        raise Invalid([FieldError("/until", "period_reversed", "The range ends before it begins.")])
    rows = await tx.all(
        sa.text(
            "select event_id::text as id, type, practice_id from record "
            "where received_at >= :since and received_at < :until order by position limit :most"
        ),
        {"since": body.since, "until": body.until, "most": MOST_REPLAYED + 1},
    )
    chosen = [row for row in rows if _chosen(endpoint, body.event_types, row)]
    if len(rows) > MOST_REPLAYED:
        raise Invalid([FieldError("/until", "too_many", f"More than {MOST_REPLAYED} events; take a shorter range.")])
    again = {
        "ids": [new_id("dlv") for _ in chosen],
        "events": [row["id"] for row in chosen],
        "types": [row["type"] for row in chosen],
    }
    await tx.execute(_AGAIN, {"tenant": tx.tenant, "endpoint": endpoint_id, "now": tx.now} | again)
    await timers.set(tx, endpoints.DELIVER, endpoint_id, at=tx.now)
    return Owed(deliveries=len(chosen))


def _chosen(endpoint: Row, patterns: list[str], record: Row) -> bool:
    theirs = endpoints.hears(endpoint, record["practice_id"]) and endpoints.wants(
        endpoint["event_types"], record["type"]
    )
    return theirs and endpoints.wants(patterns, record["type"])


async def _active(tx: Transaction, endpoint_id: str) -> Row:
    endpoint = await endpoints.load(tx, endpoint_id)
    audit.about(tx, [(endpoint_id, endpoint["practice_id"])])
    if endpoint["status"] != "active":
        raise Conflict("endpoint_not_active", "Set its status to active first.")
    return endpoint


_AGAIN = sa.text(
    "insert into delivery (id, tenant_id, endpoint_id, event_id, message_id, type, next_at, created_at) "
    "select a.id, :tenant, :endpoint, cast(a.event as uuid), a.event, a.type, :now, :now "
    "from unnest(cast(:ids as text[]), cast(:events as text[]), cast(:types as text[])) as a (id, event, type) "
    "on conflict (endpoint_id, message_id) do update set status = 'pending', attempts = 0, next_at = excluded.next_at"
)
