"""What the relay moves in a second, beside the least that could move the same rows.

Embedded: the bare move is one statement, `delete … returning` and `insert` into `sent`, of as many rows at a time, a
transaction each. Kafka: the bare producer is aiokafka's with the relay's settings, given the same records from memory
and never waiting for a batch. In turns; the ratio is the median over the rounds.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
from aiokafka import AIOKafkaProducer

from benchmarks.events import TOPIC, rows
from benchmarks.figures import Figure, middle
from benchmarks.stage import Stage
from deploy.kafka import broker
from libs.common import relay
from libs.common.log import EventLog
from libs.common.log.embedded import EmbeddedLog
from libs.common.log.kafka import KafkaLog

ROWS = 20_000
ROUNDS = 5


async def measure(stage: Stage) -> list[Figure]:
    """The relay on both logs, each against its bare counterpart."""
    embedded = EmbeddedLog(stage.database.url("claims", "worker"))
    try:
        rates = await _rounds(stage, embedded, _bare_move(stage))
    finally:
        await embedded.close()
    found = [_figure("relay, embedded, of the bare SQL move", *rates)]
    if reason := broker.obstacle():
        return [*found, Figure(name=_KAFKA, value=None, target=0.5, seen=f"no broker: {reason}")]
    running = broker.start(stage.home / "kafka")
    kafka = KafkaLog(running.address)
    try:
        await kafka.create_topics([TOPIC])
        rates = await _rounds(stage, kafka, _bare_producer(running.address))
    finally:
        await kafka.close()
        running.stop()
    return [*found, _figure(_KAFKA, *rates)]


_KAFKA = "relay, Kafka, of the bare producer"


def _figure(name: str, ours: list[float], bare: list[float]) -> Figure:
    ratio = middle([a / b for a, b in zip(ours, bare, strict=True)])
    return Figure(name=name, value=ratio, target=0.5, seen=f"{middle(ours):.0f}/s of {middle(bare):.0f}/s")


async def _rounds(
    stage: Stage, event_log: EventLog, bare: Callable[[asyncpg.Connection], Awaitable[float]]
) -> tuple[list[float], list[float]]:
    """Rows per second of the relay and of its bare counterpart; the first round warms up and does not count."""
    ours: list[float] = []
    plain: list[float] = []
    connection = await asyncpg.connect(stage.database.admin_url)
    try:
        for index in range(ROUNDS + 1):
            await _fill(connection)
            seconds = await _relayed(stage, event_log, connection)
            await _fill(connection)
            bare_seconds = await bare(connection)
            if index:
                ours.append(ROWS / seconds)
                plain.append(ROWS / bare_seconds)
    finally:
        await connection.close()
    return ours, plain


async def _fill(connection: asyncpg.Connection) -> None:
    """The outbox of claims holds these rows and nothing else, vacuumed, and so are the tables they go to."""
    await connection.execute("truncate claims.outbox, claims.sent, log.record")
    await connection.copy_records_to_table(
        "outbox", schema_name="claims", columns=("event_id", "topic", "key", "tenant_id", "value"), records=rows(ROWS)
    )
    await connection.execute("vacuum analyze claims.outbox")
    await connection.execute("checkpoint")


async def _relayed(stage: Stage, event_log: EventLog, connection: asyncpg.Connection) -> float:
    """Seconds until a leader that has just been elected has left nothing in the outbox."""
    stopping = asyncio.Event()
    leader = relay.Relay(stage.database.url("claims", "worker"), "claims", event_log)
    running = asyncio.create_task(leader.run(stopping))
    while not leader.leading:  # noqa: ASYNC110
        await asyncio.sleep(0)
    began = time.perf_counter()
    while await connection.fetchval("select exists (select from claims.outbox)"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    stopping.set()
    await running
    return seconds


def _bare_move(stage: Stage) -> Callable[[asyncpg.Connection], Awaitable[float]]:
    async def move(_: asyncpg.Connection) -> float:
        worker = await asyncpg.connect(
            stage.database.url("claims", "worker"), server_settings={"search_path": "claims"}
        )
        try:
            began = time.perf_counter()
            while await worker.execute(_MOVE, relay.BATCH_ROWS) != "INSERT 0 0":
                pass
            return time.perf_counter() - began
        finally:
            await worker.close()

    return move


_MOVE = """
    with gone as (delete from outbox where id in (select id from outbox order by id limit $1) returning *)
    insert into sent (id, event_id, topic, key, tenant_id, value, headers, created_at)
    select id, event_id, topic, key, tenant_id, value, headers, created_at from gone
"""


def _bare_producer(address: str) -> Callable[[asyncpg.Connection], Awaitable[float]]:
    async def produce(connection: asyncpg.Connection) -> float:
        found = await connection.fetch("select key, value from claims.outbox order by id")
        messages = [(row["key"].encode(), row["value"]) for row in found]
        producer = AIOKafkaProducer(
            bootstrap_servers=address, acks="all", enable_idempotence=True, max_batch_size=128 * 1024
        )
        await producer.start()
        try:
            await producer.send_and_wait(TOPIC, b"", key=b"warm")
            began = time.perf_counter()
            waiting = [await producer.send(TOPIC, value, key=key) for key, value in messages]
            await asyncio.gather(*waiting)
            return time.perf_counter() - began
        finally:
            await producer.stop()

    return produce
