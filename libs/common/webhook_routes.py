"""Routes for webhooks that come in: sources with their secrets, the door itself, and what came through it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from libs.common import webhooks
from libs.common.composition import Service
from libs.common.db import Row
from libs.common.doors import Here
from libs.common.pages import Cursor, IfMatch, Limit, Page, check_version, paginate, set_etag
from libs.common.problems import FieldError, FieldErrorView, Invalid, NotFound, PreconditionFailed
from libs.common.routing import BULK_BYTES, X12, RawBody, Router, Tx, visit_of

KINDS_OF_BODY = ("application/json", "application/fhir+json", "application/hl7-v2", *X12)


class NewSource(BaseModel):
    """A sender of webhooks."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "ehr", "name": "Acme EHR", "practice_id": None}]}
    )

    kind: str = Field(max_length=64, description="What it sends, which decides how its messages are mapped.")
    name: str = Field(min_length=1, max_length=100, description="For people.")
    practice_id: str | None = Field(None, max_length=128, description="Its messages may touch this practice only.")


class SourcePatch(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"status": "disabled"}]})

    name: str | None = Field(None, min_length=1, max_length=100)
    status: Literal["active", "disabled"] | None = None


class SourceView(BaseModel):
    """A sender of webhooks; its secrets are never shown again."""

    id: str
    kind: str
    name: str
    practice_id: str | None
    status: str
    secrets: int = Field(description="How many secrets hold: two while one rotates.")
    url: str = Field(description="Where it posts to, signed as Standard Webhooks says.")
    version: int
    created_at: datetime


class SourceWithSecret(SourceView):
    """A sender and its newest secret, shown this once."""

    secret: str = Field(description="`whsec_…`, for any Standard Webhooks library.")


class Taken(BaseModel):
    """The message is stored and will be mapped."""

    id: str
    status: Literal["received"] = "received"


class MessageView(BaseModel):
    """What became of a message; its body is not shown."""

    id: str
    source_id: str
    practice_id: str | None
    webhook_id: str
    status: str = Field(description="received, processed or failed.")
    errors: list[FieldErrorView]
    attempts: int
    received_at: datetime
    processed_at: datetime | None


def routes(service: Service) -> list[Router]:
    """The routes of a service that takes webhooks."""
    return [_inbound(), _sources(service), _messages(service.name)]


def _inbound() -> Router:
    router = Router(prefix="/v1/inbound", tags=["webhooks"], open_to="anyone", idempotent=False)

    @router.post("/{source_id}", status_code=202, transaction=False, accepts=KINDS_OF_BODY, body_limit_bytes=BULK_BYTES)
    async def take_webhook(
        *,
        source_id: str,
        request: Request,
        body: RawBody,
        here: Here,
        webhook_id: Annotated[
            str | None, Header(description="Once for each message, the same when sent again.")
        ] = None,
        webhook_timestamp: Annotated[str | None, Header(description="Seconds since 1970.")] = None,
        webhook_signature: Annotated[str | None, Header(description="`v1,<base64>`, several with spaces.")] = None,
    ) -> Taken:
        """Take a signed message: stored before it is read, mapped a moment later."""
        request_id = visit_of(request).request_id
        async with here.db.transaction(actor=source_id, correlation_id=request_id, request_id=request_id) as tx:
            taken = await webhooks.take(
                tx,
                source_id,
                webhook_id=webhook_id,
                timestamp=webhook_timestamp,
                signature=webhook_signature,
                body=body,
                proven=lambda: here.prove_source(request, source_id),
            )
        return Taken(id=taken)

    return router


def _sources(service: Service) -> Router:
    router = Router(prefix="/v1/webhook-sources", tags=["webhooks"])
    read, write = f"{service.name}:read", f"{service.name}:write"

    @router.post("", status_code=201, scope=write)
    async def create_webhook_source(body: NewSource, tx: Tx, response: Response) -> SourceWithSecret:
        """Let somebody send us webhooks; the answer holds their secret, this once."""
        if body.kind not in service.inbound:
            raise Invalid([FieldError("/kind", "unknown_kind", f"One of: {', '.join(sorted(service.inbound))}.")])
        tx.must_reach(body.practice_id)
        row, secret = await webhooks.create_source(tx, **body.model_dump())
        response.headers["Location"] = f"/v1/webhook-sources/{row['id']}"
        set_etag(response, row["version"])
        return SourceWithSecret(**_source(row).model_dump(), secret=secret)

    @router.get("", scope=read)
    async def list_webhook_sources(tx: Tx, cursor: Cursor = None, limit: Limit = 50) -> Page[SourceView]:
        """Who sends us webhooks."""
        return await paginate(tx, webhooks.shown(tx), cursor, limit, view=_source)

    @router.get("/{source_id}", scope=read)
    async def read_webhook_source(source_id: str, tx: Tx, response: Response) -> SourceView:
        """One sender, with its ETag."""
        row = await webhooks.load(tx, source_id)
        set_etag(response, row["version"])
        return _source(row)

    @router.patch("/{source_id}", scope=write)
    async def change_webhook_source(
        source_id: str, patch: SourcePatch, tx: Tx, expected: IfMatch, response: Response
    ) -> SourceView:
        """Rename a sender, or switch it off and on."""
        table = webhooks.source
        found = await webhooks.load(tx, source_id)
        check_version(expected, found["version"])
        row = await tx.first(
            table.update()
            .where(table.c.id == source_id, table.c.version == found["version"])
            .values(**patch.model_dump(exclude_none=True), version=found["version"] + 1)
            .returning(*table.c)
        )
        if row is None:
            raise PreconditionFailed
        set_etag(response, row["version"])
        return _source(row)

    @router.post("/{source_id}/rotate-secret", scope=write)
    async def rotate_webhook_secret(source_id: str, tx: Tx, response: Response) -> SourceWithSecret:
        """A new secret, shown this once; the last one holds beside it until the next rotation."""
        row, secret = await webhooks.rotate_secret(tx, source_id)
        set_etag(response, row["version"])
        return SourceWithSecret(**_source(row).model_dump(), secret=secret)

    return router


def _messages(service: str) -> Router:
    router = Router(prefix="/v1/inbound-messages", tags=["webhooks"])
    table = webhooks.message

    @router.get("", scope=f"{service}:read")
    async def list_inbound_messages(
        *,
        tx: Tx,
        status: Annotated[Literal["received", "processed", "failed"] | None, Query()] = None,
        source_id: Annotated[str | None, Query(max_length=128)] = None,
        webhook_id: Annotated[str | None, Query(max_length=128)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[MessageView]:
        """What came in, and what became of it, oldest first."""
        given = {"status": status, "source_id": source_id, "webhook_id": webhook_id}
        chosen = (table.c[name] == value for name, value in given.items() if value is not None)
        select = webhooks.messages(tx).where(*chosen)
        return await paginate(tx, select, cursor, limit, key=("received_at", "id"), view=_message)

    @router.get("/{message_id}", scope=f"{service}:read")
    async def read_inbound_message(message_id: str, tx: Tx) -> MessageView:
        """What became of one message; for one that failed, what is wrong with which field."""
        row = await tx.first(webhooks.messages(tx).where(table.c.id == message_id))
        if row is None:
            raise NotFound
        return _message(row)

    @router.post("/{message_id}/replay", status_code=202, scope=f"{service}:write")
    async def replay_inbound_message(message_id: str, tx: Tx) -> MessageView:
        """Map a failed message again, after a fix."""
        return _message(await webhooks.replay(tx, message_id))

    return router


def _source(row: Row) -> SourceView:
    return SourceView(
        id=row["id"],
        kind=row["kind"],
        name=row["name"],
        practice_id=row["practice_id"],
        status=row["status"],
        secrets=len(row["secrets_sealed"]),
        url=f"/v1/inbound/{row['id']}",
        version=row["version"],
        created_at=row["created_at"],
    )


def _message(row: Row) -> MessageView:
    fields: dict[str, Any] = {name: row[name] for name in MessageView.model_fields}
    return MessageView.model_validate(fields)
