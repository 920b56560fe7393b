"""The effect of one record: its event is read, and the handler works in its trace and in its name."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from opentelemetry.trace import SpanKind

from libs.common import logs, metrics, telemetry
from libs.common.db import Transaction
from libs.common.events import CATALOG, Envelope, Event, read
from libs.common.inbox import Arrival

Handlers = Mapping[str, Callable[[Transaction, Envelope[Any]], Awaitable[None]]]
"""What a service does with an event, by topic, inside the transaction of its inbox row."""

Events = Mapping[str, type[Event]]
"""The model of each topic."""


class Unreadable(ValueError):
    """A record that does not even carry an event's id and tenant."""


async def apply(tx: Transaction, arrival: Arrival, handlers: Handlers, events: Events = CATALOG) -> None:
    """The record has had its effect, and what the handler does is caused by its event.

    Sealed content is opened with the transaction's key ring, if it has one and the service is to see it.
    """
    record = arrival.record
    if not arrival.readable:
        raise Unreadable(record.topic)
    with (
        logs.bound(event_id=str(arrival.event_id), topic=record.topic, correlation_id=arrival.correlation_id),
        telemetry.span(f"{record.topic} process", parent=arrival.traceparent, kind=SpanKind.CONSUMER),
        metrics.event(record.topic),
    ):
        tx.correlation_id = arrival.correlation_id
        tx.causation_id = str(arrival.event_id)
        opens = tx.keyring.open if tx.keyring and tx.opens_sealed else None
        event: Envelope[Any] = read(record.value, events[record.topic], opens)
        await handlers[record.topic](tx, event)
