"""What every service tells through the kernel: work that waits for a person."""

from datetime import date
from typing import ClassVar, Literal

from libs.common.events.envelope import Cents, Code, Event, Id


class TaskChanged(Event):
    """A task as it now stands; the union of all services' tasks is reporting's work list."""

    topic: ClassVar[str] = "task.changed"
    producer: ClassVar[str] = "every service"
    kind: ClassVar[Literal["state", "fact"]] = "state"
    key: ClassVar[str] = "task_id"

    task_id: Id
    practice_id: Id | None
    reason: Code
    subject_type: Code
    subject_id: Id
    owner: Code
    status: Code
    due_on: date | None
    amount_cents: Cents | None = None
