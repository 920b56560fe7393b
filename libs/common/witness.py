"""What a test sees of effects: a row for each time that a handler has had its effect; nothing unless a test asks.

Handlers hear many an event twice without harm, so a figure alone would not tell whether the inbox was at work.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from libs.common.composition import Handler, Service
from libs.common.db import Transaction
from libs.common.events.envelope import Envelope

TABLE: Final = (
    "create schema witness; grant usage on schema witness to public;"
    "create table witness.effect (service text not null, event_id uuid not null);"
    "grant insert on witness.effect to public"
)
"""Where a test that arms processes has to have it."""


def witnessed(service: Service) -> Service:
    """The same service; each effect of its handlers leaves a row in the transaction that it is in."""
    return replace(service, consumes={topic: partial(_both, handler) for topic, handler in service.consumes.items()})


async def _both(handler: Handler, tx: Transaction, event: Envelope[Any]) -> None:
    await handler(tx, event)
    await tx.execute(_NOTE, {"service": tx.service, "event_id": event.id})


_NOTE = sa.text("insert into witness.effect (service, event_id) values (:service, cast(:event_id as uuid))")
