"""Outbound webhooks: each event that an endpoint wants reaches it, signed, tried for three days, or its owner knows.

One timer an endpoint, and few of a tenant's side by side, so that a slow one delays nobody else. An endpoint that took
nothing of what it was sent rests, longer and longer, and then gets one message: if it takes that, it gets the others.
What is delivered is the event as in the pull log (`GET /v1/events`), without its sealed part. Signatures use wall time;
retries are at business times.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import orjson
import sqlalchemy as sa

from libs.common import outside, signatures, tasks, timers
from libs.common.clock import wall
from libs.common.crashpoints import crashpoint
from libs.common.db import Row, Transaction
from libs.common.events import Envelope, Event
from libs.common.timers import Due, Timer, Work
from services.reporting import endpoints, tables
from services.reporting.endpoints import DELIVER, PING

RETRIES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds after the first attempt and each later one, with up to a tenth of jitter: about three days in all."""
NOTICES = (timedelta(hours=2), timedelta(hours=24))
DISABLE_AFTER = timedelta(days=5)
RESTS = (timedelta(seconds=5), timedelta(hours=1))
"""An endpoint that takes nothing rests for a quarter of the time that it has failed, within these."""
AT_ONCE = 8
BATCH = 40
EACH_TENANT = 8
"""How many endpoints of one tenant are served side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended: a status, or the kind of failure."""

    status: int | None
    error: str | None
    milliseconds: int

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == httpx.codes.GONE


async def on_event(tx: Transaction, event: Envelope[Event]) -> None:
    """Every endpoint that wants this event is owed it."""
    for endpoint in await endpoints.listening(tx, event.type, getattr(event.data, "practice_id", None)):
        await endpoints.owe(tx, endpoint, message_id=event.id, event_id=event.id, event_type=event.type)


async def deliver(work: Work, due: Due) -> None:
    """What is owed to one endpoint has been tried; what failed is due again later."""
    async with work.db.transaction(due.tenant_id) as tx:
        endpoint = await tx.first(sa.select(tables.endpoint).where(tables.endpoint.c.id == due.id))
        if endpoint is None or endpoint["status"] != "active":
            await timers.done(tx, due)
            return
        owed = await _owed(tx, due.id, most=1 if endpoint["failing_since"] else BATCH)
        bodies = await _bodies(tx, owed)
        secrets = [tx_open(tx, endpoint["id"], sealed) for sealed in endpoint["secrets_sealed"]]
    outcomes = await _attempts(work, endpoint["url"], owed, bodies, secrets)
    if owed:
        crashpoint("delivery.posted")
    async with work.db.transaction(due.tenant_id) as tx:
        for delivery, outcome in outcomes:
            await _record(tx, delivery, outcome)
        await _judge(tx, due.id, [outcome for _, outcome in outcomes])
        await timers.done(tx, due)
        next_at = await tx.scalar(_NEXT, {"endpoint": due.id})
        if next_at is not None:
            await timers.set(tx, DELIVER, due.id, at=max(next_at, due.at + timedelta(microseconds=1)))


TIMER = Timer(kind=DELIVER, step=deliver, each_tenant=EACH_TENANT)


async def _attempts(
    work: Work, url: str, owed: list[Row], bodies: dict[str, bytes], secrets: list[str]
) -> list[tuple[Row, Outcome]]:
    """What was tried of `owed`, a few side by side: once one has had no answer in time, no further one is begun."""
    slots, tried, hangs = asyncio.Semaphore(AT_ONCE), [], False

    async def attempt(delivery: Row) -> None:
        nonlocal hangs
        async with slots:
            if not hangs:
                outcome = await _attempt(work, url, delivery, bodies[delivery["id"]], secrets)
                hangs = hangs or outcome.error == "timeout"
                tried.append((delivery, outcome))

    await asyncio.gather(*(attempt(delivery) for delivery in owed))
    return tried


def tx_open(tx: Transaction, endpoint_id: str, sealed: str) -> str:
    """The secret in the clear."""
    assert tx.keyring is not None, "secrets need a key ring"
    return tx.keyring.open(tx.tenant, sealed, f"endpoint/{endpoint_id}").decode()


async def _owed(tx: Transaction, endpoint_id: str, *, most: int) -> list[Row]:
    found = (
        sa.select(tables.delivery)
        .where(
            tables.delivery.c.endpoint_id == endpoint_id,
            tables.delivery.c.status == "pending",
            tables.delivery.c.next_at <= tx.now,
        )
        .order_by(tables.delivery.c.next_at, tables.delivery.c.id)
        .limit(most)
    )
    return list(await tx.all(found))


async def _bodies(tx: Transaction, owed: list[Row]) -> dict[str, bytes]:
    """What each delivery carries: the event without its sealed part, or a ping."""
    ids = [row["event_id"] for row in owed if row["event_id"] is not None]
    rows = await tx.all(
        sa.text("select event_id::text as id, value from record where event_id = any(cast(:ids as uuid[]))"),
        {"ids": ids},
    )
    events = {row["id"]: orjson.loads(row["value"]) for row in rows}
    found = {}
    for row in owed:
        event = events.get(str(row["event_id"])) or {"type": PING, "id": row["message_id"], "data": {}}
        event.pop("sealed", None)
        found[row["id"]] = orjson.dumps(event)
    return found


async def _attempt(work: Work, url: str, delivery: Row, body: bytes, secrets: list[str]) -> Outcome:
    """One signed POST. Never raises for what the endpoint does."""
    began = time.monotonic()
    status, error = None, None
    try:
        target = await outside.resolve(outside.check_url(url, local=work.settings.local), local=work.settings.local)
        stamp = int(wall().timestamp())
        signed = " ".join(signatures.sign(secret, delivery["message_id"], stamp, body) for secret in secrets)
        headers = {
            "content-type": "application/cloudevents+json",
            "webhook-id": delivery["message_id"],
            "webhook-timestamp": str(stamp),
            "webhook-signature": signed,
            "webhook-attempt": str(delivery["attempts"] + 1),
            "user-agent": "parity-webhooks/1",
        }
        status = await outside.post(work.http, target, body, headers)
    except outside.Forbidden:
        error = "address_not_allowed"
    except (httpx.TimeoutException, TimeoutError):
        error = "timeout"
    except (httpx.HTTPError, OSError) as failure:
        error = type(failure).__name__
    return Outcome(status=status, error=error, milliseconds=int((time.monotonic() - began) * 1000))


async def _record(tx: Transaction, delivery: Row, outcome: Outcome) -> None:
    number = delivery["attempts"] + 1
    await tx.execute(
        tables.attempt.insert().values(
            tenant_id=tx.tenant,
            delivery_id=delivery["id"],
            number=number,
            status=outcome.status,
            error=outcome.error,
            milliseconds=outcome.milliseconds,
        )
    )
    later = None if outcome.delivered else next_try(tx.now, number)
    status = "delivered" if outcome.delivered else "pending" if later else "failed"
    await tx.execute(
        tables.delivery.update()
        .where(tables.delivery.c.id == delivery["id"])
        .values(
            status=status,
            attempts=number,
            last_status=outcome.status,
            last_error=outcome.error,
            next_at=later,
            delivered_at=tx.now if outcome.delivered else None,
        )
    )


def next_try(now: datetime, attempts: int) -> datetime | None:
    """When an attempt that failed is made again; None after the last."""
    if attempts > len(RETRIES):
        return None
    seconds = RETRIES[attempts - 1]
    return now + timedelta(seconds=seconds + random.uniform(0, seconds / 10))  # noqa: S311  jitter, no secret


async def _judge(tx: Transaction, endpoint_id: str, outcomes: list[Outcome]) -> None:
    """The endpoint's health: noticed at two hours and a day of failure, off after five days or when it says 410."""
    endpoint = await tx.first(sa.select(tables.endpoint).where(tables.endpoint.c.id == endpoint_id).with_for_update())
    if endpoint is None or not outcomes:
        return
    if any(outcome.delivered for outcome in outcomes):
        if endpoint["failing_since"] is not None:
            await endpoints.change(tx, endpoint, endpoints.HEALTHY)
            await endpoints.close_notices(tx, endpoint_id, "recovered")
        return
    since = endpoint["failing_since"] or tx.now
    failing = tx.now - since
    if failing >= DISABLE_AFTER or any(outcome.gone for outcome in outcomes):
        await endpoints.change(tx, endpoint, {"failing_since": since, "status": "disabled"})
        await _notice(tx, endpoint, "webhook_disabled", "It is off; PATCH its status to active to go on.")
        return
    noticed = sum(failing >= limit for limit in NOTICES)
    if endpoint["failing_since"] is None or noticed > endpoint["noticed"]:
        await endpoints.change(tx, endpoint, {"failing_since": since, "noticed": noticed})
    rest = min(max(failing / 4, RESTS[0]), RESTS[1])
    await tx.execute(_REST, {"endpoint": endpoint_id, "until": tx.now + rest})
    if noticed > endpoint["noticed"]:
        await _notice(tx, endpoint, "webhook_failing", "No delivery has succeeded for hours; see its deliveries.")


async def _notice(tx: Transaction, endpoint: Row, reason: str, detail: str) -> None:
    await tasks.open(
        tx,
        reason=reason,
        subject_type="endpoint",
        subject_id=endpoint["id"],
        practice_id=endpoint["practice_id"],
        owner="engineering",
        due_on=tx.today,
        detail=detail,
    )


_NEXT = sa.text("""
    select greatest(min(d.next_at), e.rests_until) from endpoint e join delivery d on d.endpoint_id = e.id
    where e.id = :endpoint and d.status = 'pending' group by e.id
""")
_REST = sa.text("update endpoint set rests_until = :until where id = :endpoint")
