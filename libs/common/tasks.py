"""Work that waits for a person: a reason, an owner, a date, and the one thing that it is about.

Each change is told as `task.changed`; reporting keeps the union of all services' tasks.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import sqlalchemy as sa
from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.common import outbox
from libs.common.db import Row, Transaction
from libs.common.events.envelope import Code
from libs.common.events.work import TaskChanged
from libs.common.ids import new_id
from libs.common.pages import Cursor, IfMatch, Limit, Page, check_version, paginate, set_etag
from libs.common.problems import Conflict, NotFound, PreconditionFailed
from libs.common.routing import Router, Tx

task = sa.Table(
    "task",
    sa.MetaData(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text),
    sa.Column("practice_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("subject_type", sa.Text),
    sa.Column("subject_id", sa.Text),
    sa.Column("owner", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("due_on", sa.Date),
    sa.Column("amount_cents", sa.BigInteger),
    sa.Column("detail", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("version", sa.Integer),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("updated_at", sa.DateTime(timezone=True)),
)


async def open(
    tx: Transaction,
    *,
    reason: str,
    subject_type: str,
    subject_id: str,
    owner: str,
    due_on: date | None = None,
    practice_id: str | None = None,
    amount_cents: int | None = None,
    detail: str | None = None,
) -> str:
    """A person has this to do; returns the task's id.

    One open task for each (subject, reason): a second call brings amount and detail up to date and leaves owner and
    date as a person may have set them. `detail` is plain words with ids, never a name, a date of birth or a diagnosis.
    """
    row = await tx.first(
        _OPEN,
        {
            "id": new_id("tsk"),
            "tenant": tx.tenant,
            "practice": practice_id,
            "reason": reason,
            "type": subject_type,
            "subject": subject_id,
            "owner": owner,
            "due_on": due_on,
            "amount": amount_cents,
            "detail": detail,
            "now": tx.now,
        },
    )
    if row is not None:
        await _tell(tx, row)
        return str(row["id"])
    standing = sa.select(task.c.id).where(
        task.c.subject_id == subject_id, task.c.reason == reason, task.c.status == "open"
    )
    return str(await tx.scalar(standing))


async def close(tx: Transaction, *, subject_id: str, reason: str | None = None, outcome: str = "done") -> int:
    """No task of this subject (and reason, if given) is open any more; returns how many were."""
    statement = (
        task.update()
        .where(task.c.subject_id == subject_id, task.c.status == "open")
        .values(status="done", outcome=outcome, version=task.c.version + 1, updated_at=tx.now)
        .returning(*task.c)
    )
    if reason is not None:
        statement = statement.where(task.c.reason == reason)
    rows = await tx.all(statement)
    for row in rows:
        await _tell(tx, row)
    return len(rows)


async def _tell(tx: Transaction, row: Row) -> None:
    event = TaskChanged(
        task_id=row["id"],
        practice_id=row["practice_id"],
        reason=row["reason"],
        subject_type=row["subject_type"],
        subject_id=row["subject_id"],
        owner=row["owner"],
        status=row["status"],
        due_on=row["due_on"],
        amount_cents=row["amount_cents"],
    )
    await outbox.add(tx, event, sequence=row["version"])


_OPEN = sa.text(
    "insert into task (id, tenant_id, practice_id, reason, subject_type, subject_id, owner, status, due_on, "
    "amount_cents, detail, version, created_at, updated_at) "
    "values (:id, :tenant, :practice, :reason, :type, :subject, :owner, 'open', :due_on, "
    ":amount, :detail, 1, :now, :now) "
    "on conflict (tenant_id, subject_id, reason) where status = 'open' do update "
    "set amount_cents = excluded.amount_cents, detail = excluded.detail, version = task.version + 1, "
    "updated_at = excluded.updated_at "
    "where (task.amount_cents, task.detail) is distinct from (excluded.amount_cents, excluded.detail) "
    "returning task.*"
)


class TaskView(BaseModel):
    """Work that waits for a person, or waited."""

    id: str
    reason: str = Field(description="Stable code, e.g. `authorization_exhausted`.")
    subject_type: str
    subject_id: str
    practice_id: str | None
    owner: str = Field(description="A team (`billing`, `credentialing`, …) or a person.")
    status: str
    due_on: date | None
    amount_cents: int | None = Field(description="What is at stake.")
    detail: str | None
    outcome: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class TaskPatch(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"owner": "billing"}, {"status": "done", "outcome": "called_the_payer"}]},
    )

    owner: Code | None = None
    due_on: date | None = None
    status: Literal["done"] | None = None
    outcome: Code | None = Field(None, description="How it ended; with `status` only.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Say what to change.")
        for name in ("owner", "status"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be taken away.")
        if self.outcome is not None and self.status is None:
            raise ValueError("An outcome comes with the status done.")
        return self

    def changes(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if self.status == "done":
            found["outcome"] = self.outcome or "done"
        return found


def routes(service: str, tied: Mapping[str, str] = MappingProxyType({})) -> Router:
    """The tasks of a service; those about a kind of subject in `tied` end only with it, in the way that is said."""
    router = Router(prefix="/v1/tasks", tags=["tasks"])

    @router.get("", scope=f"{service}:read")
    async def list_tasks(
        *,
        tx: Tx,
        status: Annotated[Literal["open", "done", "all"], Query()] = "open",
        owner: Annotated[str | None, Query(max_length=64)] = None,
        reason: Annotated[str | None, Query(max_length=64)] = None,
        subject_id: Annotated[str | None, Query(max_length=128)] = None,
        practice_id: Annotated[str | None, Query(max_length=128)] = None,
        due_by: Annotated[date | None, Query(description="Due on this day or before.")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[TaskView]:
        """What waits for a person, oldest first."""
        given = {"owner": owner, "reason": reason, "subject_id": subject_id, "practice_id": practice_id}
        given["status"] = None if status == "all" else status
        select = sa.select(task).where(*(task.c[name] == value for name, value in given.items() if value is not None))
        if due_by is not None:
            select = select.where(task.c.due_on <= due_by)
        return await paginate(tx, select, cursor, limit, view=_view)

    @router.get("/{task_id}", scope=f"{service}:read")
    async def read_task(task_id: str, tx: Tx, response: Response) -> TaskView:
        """One task, with its ETag."""
        found = await tx.first(sa.select(task).where(task.c.id == task_id))
        if found is None:
            raise NotFound
        set_etag(response, found["version"])
        return _view(found)

    @router.patch("/{task_id}", scope=f"{service}:write")
    async def change_task(task_id: str, patch: TaskPatch, tx: Tx, expected: IfMatch, response: Response) -> TaskView:
        """Give an open task another owner or date, or say that it is done, unless that is for its subject to say."""
        changed = await change(tx, task_id, patch, expected, tied)
        set_etag(response, changed["version"])
        return _view(changed)

    return router


async def change(tx: Transaction, task_id: str, patch: TaskPatch, expected: int | None, tied: Mapping[str, str]) -> Row:
    """The open task is as the patch says.

    Raises NotFound, Forbidden (it is of all practices), Conflict (it is done, or ends only with its subject),
    PreconditionFailed (it changed).
    """
    found = await tx.first(sa.select(task).where(task.c.id == task_id))
    if found is None:
        raise NotFound
    tx.must_reach(found["practice_id"])
    check_version(expected, found["version"])
    if found["status"] != "open":
        raise Conflict("task_done", "The task is done; what is done stays done.")
    if patch.status is not None and found["subject_type"] in tied:
        raise Conflict("task_tied", f"It ends with its {found['subject_type']}: {tied[found['subject_type']]}.")
    changed = await tx.first(
        task.update()
        .where(task.c.id == task_id, task.c.version == found["version"])
        .values(**patch.changes(), version=found["version"] + 1, updated_at=tx.now)
        .returning(*task.c)
    )
    if changed is None:
        raise PreconditionFailed
    await _tell(tx, changed)
    return changed


def _view(row: Row) -> TaskView:
    fields: dict[str, Any] = {name: row[name] for name in TaskView.model_fields}
    return TaskView(**fields)
