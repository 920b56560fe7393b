"""Events leave with the change that they tell: a row in the same transaction, published by the relay."""

import sqlalchemy as sa

from libs.common import telemetry
from libs.common.db import Transaction
from libs.common.events.envelope import Event, write
from libs.common.ids import uuid7_text
from libs.common.log import Message


async def add(tx: Transaction, event: Event, *, sequence: int) -> str:
    """The event will be published once `tx` commits; returns its id.

    Call it after the aggregate's row is locked or compared-and-set, so that per subject the order of outbox ids is
    the order of commits. `sequence` is the aggregate's version and orders the events of one subject.
    """
    assert sequence >= 1, "sequences count from 1"
    event_id, kind, subject, tenant = uuid7_text(), event.full_type(), event.subject(), tx.tenant
    sealed = None
    detail = vars(event).get("sealed")
    if detail is not None:
        assert tx.keyring is not None, "a sealed event needs a key ring"
        sealed = tx.keyring.seal(tenant, detail.model_dump_json().encode(), kind)
    attributes = {
        "id": event_id,
        "type": kind,
        "source": f"/services/{tx.service}",
        "subject": subject,
        "sequence": str(sequence),
        "time": tx.now.isoformat(),
        "tenantid": tenant,
        "correlationid": tx.correlation_id,
        "causationid": tx.causation_id,
        "traceparent": telemetry.current(),
    }
    message = Message(topic=event.topic, key=subject, value=write(attributes, event, sealed))  # or RecordTooLarge
    tx.later_row(
        INSERT,
        {
            "ids": event_id,
            "topics": message.topic,
            "keys": message.key,
            "tenants": tenant,
            "values": message.value,
        },
    )
    tx.wakes.add(f"{tx.service}_outbox")
    return event_id


INSERT = sa.text(
    # In the order in which they were added: the ids are given out as the rows come.
    "insert into outbox (event_id, topic, key, tenant_id, value) select e.id, e.topic, e.key, e.tenant_id, e.value "
    "from unnest(cast(:ids as uuid[]), cast(:topics as text[]), cast(:keys as text[]), cast(:tenants as text[]), "
    "cast(:values as bytea[])) with ordinality as e (id, topic, key, tenant_id, value, place) order by e.place"
)
