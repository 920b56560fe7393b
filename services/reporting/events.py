"""What reporting consumes and produces."""

from collections.abc import Mapping

from libs.common.composition import Handler
from libs.common.db import Transaction
from libs.common.events import CATALOG, Envelope, Event, TaskChanged
from services.reporting import deliver, project


async def on_event(tx: Transaction, event: Envelope[Event]) -> None:
    """The event is in the archive and in its table, and owed to every endpoint that wants it.

    Who listens is asked first: before a question is answered everything that waits to be written goes out.
    """
    await deliver.on_event(tx, event)
    await project.on_event(tx, event)


CONSUMES: Mapping[str, Handler] = {topic: on_event for topic in CATALOG}
PRODUCES: tuple[type[Event], ...] = (TaskChanged,)
