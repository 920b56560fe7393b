"""Inbound webhooks: signed, stored sealed before anything is read of them, then mapped by a timer.

A source is one sender (an EHR, a clearinghouse) of one tenant. A message is taken once by its `webhook-id`. One that
cannot be mapped is kept as `failed` with what is wrong, a person gets a task, and it can be replayed after a fix.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql as pg

from libs.common import audit, logs, signatures, tasks, telemetry
from libs.common import timers as due_work
from libs.common.composition import Service
from libs.common.crashpoints import crashpoint
from libs.common.db import Row, Stale, Transaction
from libs.common.ids import new_id
from libs.common.problems import Conflict, FieldError, Forbidden, NotFound, Problem, field_errors
from libs.common.timers import Due, Timer, Work
from libs.common.transient import is_transient

log = logging.getLogger(__name__)

TRIES: Final = 3
"""A mapper that fails in a way that nobody foresaw is tried so often before the message counts as failed."""
TASK_REASON: Final = "inbound_message_failed"

source = sa.Table(
    "inbound_source",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text),
    sa.Column("practice_id", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("secrets_sealed", pg.ARRAY(sa.Text)),
    sa.Column("status", sa.Text),
    sa.Column("version", sa.Integer),
    sa.Column("created_at", sa.DateTime(timezone=True)),
)
message = sa.Table(
    "inbound_message",
    source.metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text),
    sa.Column("practice_id", sa.Text),
    sa.Column("source_id", sa.Text, sa.ForeignKey("inbound_source.id")),
    sa.Column("webhook_id", sa.Text),
    sa.Column("body_sealed", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("errors", pg.JSONB),
    sa.Column("attempts", sa.Integer),
    sa.Column("traceparent", sa.Text),
    sa.Column("received_at", sa.DateTime(timezone=True)),
    sa.Column("processed_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """What somebody posted, as it came; what a mapper gets."""

    id: str
    source_id: str
    kind: str
    practice_id: str | None
    webhook_id: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What a message has changed, or said again: the trail names each."""

    subject_type: str
    ids: Sequence[str]
    practice_id: str | None


Mapper = Callable[[Transaction, InboundMessage], Awaitable[Written]]
"""Makes of a message what it says, in the transaction that marks it processed; raises Invalid for one that is wrong."""


async def take(
    tx: Transaction,
    source_id: str,
    *,
    webhook_id: str | None,
    timestamp: str | None,
    signature: str | None,
    body: bytes,
    proven: Callable[[], None],
) -> str:
    """The message is stored, sealed, and will be mapped; the same webhook-id again changes nothing. Returns its id.

    `tx` has no tenant yet: the source says whose message it is. `proven` is called once its signature holds, and may
    refuse. Raises NotFound, Malformed, Unauthorized, Forbidden.
    """
    found = await tx.first(_SOURCE_OF, {"source": source_id})
    if found is None:
        raise NotFound
    assert tx.keyring is not None, "inbound bodies are sealed"
    tenant = found["tenant_id"]
    accepted = [tx.keyring.open(tenant, one, _context(source_id)).decode() for one in found["secrets_sealed"]]
    signed = signatures.verify(accepted, webhook_id=webhook_id, timestamp=timestamp, signatures=signature, body=body)
    proven()
    if found["status"] != "active":
        raise Forbidden("This source is switched off.", code="source_disabled")
    await tx.set_tenant(tenant)
    new = {
        "id": new_id("inm"),
        "tenant_id": tenant,
        "practice_id": found["practice_id"],
        "source_id": source_id,
        "webhook_id": signed,
        "body_sealed": tx.keyring.seal(tenant, body, _context(source_id)),
        "traceparent": telemetry.current(),
        "received_at": tx.now,
    }
    stored = await tx.scalar(
        pg.insert(message)
        .values(new)
        .on_conflict_do_nothing(index_elements=["tenant_id", "source_id", "webhook_id"])
        .returning(message.c.id)
    )
    if stored is None:
        known = sa.select(message.c.id).where(message.c.source_id == source_id, message.c.webhook_id == signed)
        return str(await tx.scalar(known))
    await due_work.set(tx, kind_of(tx.service), str(stored), at=tx.now)
    return str(stored)


async def replay(tx: Transaction, message_id: str) -> Row:
    """A failed message will be mapped again. Raises NotFound, Conflict (it has not failed)."""
    found = await tx.first(messages(tx).where(message.c.id == message_id).with_for_update())
    if found is None:
        raise NotFound
    if found["status"] != "failed":
        raise Conflict("not_failed", "Only a message that failed can be replayed.")
    row = await tx.one(
        message.update().where(message.c.id == message_id).values(status="received").returning(*message.c)
    )
    await due_work.set(tx, kind_of(tx.service), message_id, at=tx.now)
    return row


async def create_source(tx: Transaction, *, kind: str, name: str, practice_id: str | None) -> tuple[Row, str]:
    """A new source and its secret, which is shown this once."""
    source_id, secret = new_id("src"), signatures.new_secret()
    row = await tx.one(
        source.insert()
        .values(
            id=source_id,
            tenant_id=tx.tenant,
            practice_id=practice_id,
            kind=kind,
            name=name,
            secrets_sealed=[_sealed(tx, source_id, secret)],
            status="active",
            version=1,
            created_at=tx.now,
        )
        .returning(*source.c)
    )
    return row, secret


def shown(tx: Transaction) -> sa.Select[Any]:
    """The sources of which the caller may know; those that may touch every practice, only who may see all."""
    return sa.select(source).where(tx.of_a_practice(source.c.practice_id))


def messages(tx: Transaction) -> sa.Select[Any]:
    """What came from the sources of which the caller may know."""
    return sa.select(message).where(tx.of_a_practice(message.c.practice_id))


async def load(tx: Transaction, source_id: str, *, lock: bool = False) -> Row:
    """The source. Raises NotFound."""
    one = shown(tx).where(source.c.id == source_id)
    found = await tx.first(one.with_for_update() if lock else one)
    if found is None:
        raise NotFound
    return found


async def rotate_secret(tx: Transaction, source_id: str) -> tuple[Row, str]:
    """A new secret beside the last one: both hold until the next rotation. Raises NotFound."""
    found = await load(tx, source_id, lock=True)
    secret = signatures.new_secret()
    kept = [_sealed(tx, source_id, secret), *found["secrets_sealed"][:1]]
    changed = source.update().where(source.c.id == source_id)
    row = await tx.one(changed.values(secrets_sealed=kept, version=source.c.version + 1).returning(*source.c))
    return row, secret


def _sealed(tx: Transaction, source_id: str, secret: str) -> str:
    assert tx.keyring is not None, "secrets are sealed"
    return tx.keyring.seal(tx.tenant, secret.encode(), _context(source_id))


def _context(source_id: str) -> str:
    return f"inbound/{source_id}"


def kind_of(service: str) -> str:
    return f"{service}.inbound"


def timers(service: Service) -> Iterable[Timer]:
    """The timer that maps what came in, where the service takes webhooks."""
    if not service.inbound:
        return ()

    async def step(work: Work, due: Due) -> None:
        await _process(work, due, service)

    return (Timer(kind=kind_of(service.name), step=step),)


async def _process(work: Work, due: Due, service: Service) -> None:
    """The message is processed; or failed, with a task; or, where waiting may help, tried again later."""
    crashpoint("webhook.stored")
    try:
        await _map(work, due, service)
    except Exception as error:
        found = _reasons(error, service)
        if found is None and (due.attempts + 1 < TRIES or is_transient(error) or isinstance(error, Stale)):
            raise
        if found is None:
            log.error("mapper_failed", extra=_failure(due, error))  # noqa: TRY400  its text may quote the message
            found = [FieldError("", "mapper_failed", f"The mapping stopped with {type(error).__name__}.")]
        await _fail(work, due, found)


async def _map(work: Work, due: Due, service: Service) -> None:
    async with work.db.transaction(due.tenant_id, correlation_id=due.id, request_id=due.id) as tx:
        row = await tx.first(
            sa.select(message, source.c.kind)
            .join(source, source.c.id == message.c.source_id)
            .where(message.c.id == due.id)
            .with_for_update(of=message)
        )
        if row is not None and row["status"] == "received":
            with telemetry.span("inbound.map", parent=row["traceparent"]):
                if row["practice_id"] is not None:
                    await tx.set_tenant(due.tenant_id, [row["practice_id"]])
                tx.actor = row["source_id"]
                written = await service.inbound[row["kind"]](tx, _message(work, row))
            practices = [written.practice_id] * len(written.ids)
            await audit.record_each(
                tx, f"{service.name}.map_webhook", written.subject_type, written.ids, practice_ids=practices
            )
            await _mark(tx, due.id, "processed", [])
            await tasks.close(tx, reason=TASK_REASON, subject_id=due.id)
        await due_work.done(tx, due)


async def _fail(work: Work, due: Due, errors: Iterable[FieldError]) -> None:
    async with work.db.transaction(due.tenant_id, actor="webhook", correlation_id=due.id) as tx:
        row = await _mark(tx, due.id, "failed", [error.view() for error in errors])
        await tasks.open(
            tx,
            reason=TASK_REASON,
            subject_type="inbound_message",
            subject_id=due.id,
            practice_id=row["practice_id"],
            owner="operations",
            due_on=tx.today,
            detail=f"Source {row['source_id']}: see the message's errors, then replay it.",
        )
        await due_work.done(tx, due)


async def _mark(tx: Transaction, message_id: str, status: str, errors: list[dict[str, Any]]) -> Row:
    return await tx.one(
        message.update()
        .where(message.c.id == message_id)
        .values(status=status, errors=errors, attempts=message.c.attempts + 1, processed_at=tx.now)
        .returning(message.c.practice_id, message.c.source_id)
    )


def _failure(due: Due, error: Exception) -> dict[str, Any]:
    return {"message_id": due.id, "error": type(error).__name__, "where": logs.where(error)}


def _message(work: Work, row: Row) -> InboundMessage:
    return InboundMessage(
        id=row["id"],
        source_id=row["source_id"],
        kind=row["kind"],
        practice_id=row["practice_id"],
        webhook_id=row["webhook_id"],
        body=work.keyring.open(row["tenant_id"], row["body_sealed"], _context(row["source_id"])),
        received_at=row["received_at"],
    )


def _reasons(error: Exception, service: Service) -> list[FieldError] | None:
    """What is wrong with the message, where the failure is about the message."""
    if isinstance(error, ValidationError):
        return list(field_errors(error.errors(include_url=False)))
    if isinstance(error, orjson.JSONDecodeError | UnicodeDecodeError):
        return [FieldError("", "malformed", "The body cannot be read.")]
    if isinstance(error, Problem) and error.status < 500 and "Retry-After" not in error.headers:
        return list(error.errors) or [FieldError("", error.code, error.detail or error.title)]
    for kind in type(error).__mro__:
        if kind in service.problems:
            return [FieldError("", service.problems[kind][1], str(error))]
    return None


_SOURCE_OF = sa.text("select tenant_id, practice_id, kind, secrets_sealed, status from inbound_source_of(:source)")
