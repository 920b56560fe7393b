"""What people write down about a task: who, when and what, never changed, and sealed, since it may name a patient.

A note is told to nobody: it is in no event, log or span, and who reads it is in the audit trail.
"""

from datetime import datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, StringConstraints

from libs.common import audit
from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from libs.common.pages import Cursor, Limit, Page, paginate
from libs.common.problems import NotFound
from libs.common.routing import Router, Tx
from libs.common.tasks import task

note = sa.Table(
    "task_note",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text),
    sa.Column("practice_id", sa.Text),
    sa.Column("task_id", sa.Text),
    sa.Column("author", sa.Text),
    sa.Column("text_sealed", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True)),
)
_CONTEXT: Final = "task_note"


class NoteBody(BaseModel):
    """What was found out, said or agreed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"text": "Called the payer, reference 4711: sends a new remittance by Friday."}]
        },
    )

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class NoteView(BaseModel):
    """A note on a task, as it was written."""

    id: str
    task_id: str
    practice_id: str | None
    author: str
    text: str
    created_at: datetime


def routes(service: str) -> Router:
    """The notes on the tasks of a service."""
    router = Router(prefix="/v1/tasks/{task_id}/notes", tags=["tasks"])

    @router.post("", status_code=201, scope=f"{service}:write", subject="task")
    async def write_task_note(task_id: str, body: NoteBody, tx: Tx) -> NoteView:
        """Write something down about a task, open or done; it stays as it is."""
        found = await _task(tx, task_id)
        tx.must_reach(found["practice_id"])
        assert tx.keyring is not None, "notes are kept sealed"
        row = await tx.one(
            note.insert()
            .values(
                id=new_id("nte"),
                tenant_id=tx.tenant,
                practice_id=found["practice_id"],
                task_id=task_id,
                author=tx.actor,
                text_sealed=tx.keyring.seal(tx.tenant, body.text.encode(), _CONTEXT),
                created_at=tx.now,
            )
            .returning(*note.c)
        )
        return _view(tx, row)

    @router.get("", scope=f"{service}:read", phi=True, subject="task")
    async def list_task_notes(task_id: str, tx: Tx, cursor: Cursor = None, limit: Limit = 50) -> Page[NoteView]:
        """What has been written down about a task, oldest first."""
        audit.about(tx, [(task_id, (await _task(tx, task_id))["practice_id"])])
        select = sa.select(note).where(note.c.task_id == task_id)
        return await paginate(tx, select, cursor, limit, view=lambda row: _view(tx, row))

    return router


async def _task(tx: Transaction, task_id: str) -> Row:
    found = await tx.first(sa.select(task.c.practice_id).where(task.c.id == task_id))
    if found is None:
        raise NotFound
    return found


def _view(tx: Transaction, row: Row) -> NoteView:
    assert tx.keyring is not None, "notes are kept sealed"
    text = tx.keyring.open(tx.tenant, row["text_sealed"], _CONTEXT).decode()
    shown: dict[str, Any] = {name: row[name] for name in NoteView.model_fields if name != "text"}
    return NoteView(text=text, **shown)
