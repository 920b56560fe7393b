"""Who did or saw what, and why: an append-only trail in each service.

Writes are recorded by the doors themselves, and by what maps a webhook; views of a patient's data by routes that say
`phi=True`; what no request caused may be recorded by steps.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, Field

from libs.common.db import Row, Transaction
from libs.common.pages import Cursor, Limit, Page, paginate
from libs.common.routing import Router, Tx

trail = sa.Table(
    "audit",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger),
    sa.Column("tenant_id", sa.Text),
    sa.Column("practice_id", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("actor", sa.Text),
    sa.Column("action", sa.Text),
    sa.Column("subject_type", sa.Text),
    sa.Column("subject_id", sa.Text),
    sa.Column("why", sa.Text),
    sa.Column("request_id", sa.Text),
)


ABOUT: Final = "whom the request is about"


def about(tx: Transaction, subjects: Sequence[tuple[str, str | None]]) -> None:
    """The door's line says that the request is about these, each with its practice, where its answer does not."""
    tx.known[ABOUT] = subjects


async def record(
    tx: Transaction,
    action: str,
    subject_type: str | None,
    subject_id: str | None,
    why: str | None = None,
    *,
    practice_id: str | None,
) -> None:
    """The trail says that the actor of `tx` did `action` to this subject of this practice; ids and codes only."""
    await record_each(tx, action, subject_type, [subject_id], why, practice_ids=[practice_id])


async def record_each(
    tx: Transaction,
    action: str,
    subject_type: str | None,
    subject_ids: Sequence[str | None],
    why: str | None = None,
    *,
    practice_ids: Sequence[str | None],
) -> None:
    """One line of the trail for each subject, in one statement."""
    for subject_id, practice_id in zip(subject_ids, practice_ids, strict=True):
        tx.later_row(
            RECORD,
            {
                "tenants": tx.tenant,
                "practices": practice_id,
                "actors": tx.actor,
                "actions": action,
                "types": subject_type,
                "subjects": subject_id,
                "whys": why,
                "requests": tx.request_id,
            },
        )


_COLUMNS = "tenant_id, practice_id, actor, action, subject_type, subject_id, why, request_id"
_GIVEN = ("tenants", "practices", "actors", "actions", "types", "subjects", "whys", "requests")
RECORD = sa.text(
    f"insert into audit ({_COLUMNS}) select {_COLUMNS} "
    f"from unnest({', '.join(f'cast(:{name} as text[])' for name in _GIVEN)}) with ordinality as a ({_COLUMNS}, place) "
    "order by a.place"
)


class AuditEvent(BaseModel):
    """One line of the audit trail."""

    id: int
    at: datetime = Field(description="Wall time.")
    actor: str = Field(description="The subject of the token, or the name of a process.")
    action: str = Field(description="`service.route`, or a step's own word.")
    subject_type: str | None
    subject_id: str | None
    practice_id: str | None
    why: str | None = Field(description="The caller's X-Purpose-Of-Use.")
    request_id: str | None


def routes(service: str) -> Router:
    """The audit trail of a service, to be read by those who may."""
    router = Router(prefix="/v1/audit-events", tags=["audit"])

    @router.get("", scope=f"{service}:audit", response_model=Page[AuditEvent])
    async def list_audit_events(
        *,
        tx: Tx,
        subject_id: Annotated[str | None, Query(max_length=128)] = None,
        actor: Annotated[str | None, Query(max_length=128)] = None,
        action: Annotated[str | None, Query(max_length=128)] = None,
        why: Annotated[str | None, Query(max_length=128)] = None,
        request_id: Annotated[str | None, Query(max_length=128)] = None,
        since: Annotated[datetime | None, Query(description="From this instant on.")] = None,
        until: Annotated[datetime | None, Query(description="Before this instant.")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[AuditEvent]:
        """Who did or saw what, oldest first. A caller limited to practices sees the lines of those only."""
        select = sa.select(trail).where(tx.of_a_practice(trail.c.practice_id))
        given = {"subject_id": subject_id, "actor": actor, "action": action, "why": why, "request_id": request_id}
        select = select.where(*(trail.c[name] == value for name, value in given.items() if value is not None))
        if since is not None:
            select = select.where(trail.c.at >= since)
        if until is not None:
            select = select.where(trail.c.at < until)
        return await paginate(tx, select, cursor, limit, key=("id",), view=_view)

    return router


def _view(row: Row) -> AuditEvent:
    fields: dict[str, Any] = {name: row[name] for name in AuditEvent.model_fields}
    return AuditEvent(**fields)
