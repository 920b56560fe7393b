"""The event log on Apache Kafka: the engine beyond one machine.

Idempotent producer with `acks=all`, explicit commits, sticky assignment, no transactions: what comes twice,
the inbox drops. Every call has a deadline of its own, since the client by itself waits without end.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaTopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from libs.common.log import PARTITIONS, LogUnavailable, Message, TopicPartition, message_of
from libs.common.log.kafka_consumer import MAX_REQUEST_BYTES, KafkaConsumer, stop_client, translated
from libs.common.settings import MissingSetting, secret, secret_in

logger = logging.getLogger(__name__)

T = TypeVar("T")

SEND_SECONDS = 10.0
RETRY_MS = 250
"""How often the client tries, and says so in the log, while a broker is away."""
SESSION = "session_seconds"
"""Option of the address: how long a worker may say nothing before its partitions are another's."""
COPIES = 3
"""Replicas of each partition, where there are as many brokers; all but one must have a record before it counts."""


def client_options(query: str) -> dict[str, Any]:
    """What the client needs to be let in, from the address: `?security_protocol=SASL_SSL&sasl_mechanism=…&username=…`.

    `cafile` names a certificate authority's file and `password_file` the file that holds the password; else it is
    `PARITY_KAFKA_PASSWORD`, or in the file of `PARITY_KAFKA_PASSWORD_FILE`. It is never part of the address.
    """
    asked = dict(parse_qsl(query, strict_parsing=bool(query)))
    unknown = asked.keys() - {"security_protocol", "sasl_mechanism", "username", "password_file", "cafile", SESSION}
    if unknown:
        raise ValueError(f"a Kafka address does not know {', '.join(sorted(unknown))}")
    options: dict[str, Any] = {"security_protocol": asked.get("security_protocol", "PLAINTEXT")}
    if options["security_protocol"].endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=asked.get("cafile"))
    if options["security_protocol"].startswith("SASL"):
        options["sasl_mechanism"] = asked.get("sasl_mechanism", "SCRAM-SHA-512")
        options["sasl_plain_username"] = asked["username"]
        options["sasl_plain_password"] = _password(asked.get("password_file"))
    return options


def _password(file: str | None) -> str:
    if file:
        return secret_in(file, "password_file of PARITY_KAFKA")
    if not (found := secret(os.environ, "PARITY_KAFKA_PASSWORD")):
        raise MissingSetting("PARITY_KAFKA_PASSWORD")
    return found


class KafkaLog:
    """The log on the brokers behind `address` (`host:port,host:port`, with the options of `client_options`)."""

    def __init__(self, address: str, *, session_seconds: float = 10.0, send_seconds: float = SEND_SECONDS) -> None:
        servers, _, query = address.partition("?")
        self.servers = servers
        self.session_seconds = float(dict(parse_qsl(query)).get(SESSION, session_seconds))
        self.send_seconds = send_seconds
        self._options = {"bootstrap_servers": servers, "retry_backoff_ms": RETRY_MS, **client_options(query)}
        self._producer: AIOKafkaProducer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def append(self, connection: asyncpg.Connection | None, messages: Sequence[Message]) -> None:
        if not messages:
            return
        try:
            with translated():
                async with self._turn, asyncio.timeout(self.send_seconds):
                    await self._send(messages)
        except LogUnavailable as error:
            hint = self._unknown_topics(messages)
            await self._discard_producer()
            raise LogUnavailable(f"{error}{hint}") from error
        except BaseException:
            await self._discard_producer()
            raise

    async def move_rows(self, connection: asyncpg.Connection, ids: Sequence[int]) -> None:
        await self.append(None, [message_of(row) for row in await connection.fetch(_ROWS, ids)])
        await connection.execute(_MOVE, ids)

    async def _send(self, messages: Sequence[Message]) -> None:
        if self._producer is None:
            self._producer = await self._start_producer()
        waiting: list[asyncio.Future[Any]] = []
        for (topic, partition), some in (await self._by_partition(self._producer, messages)).items():
            left: Sequence[Message] = some
            while left:  # a whole batch at a time: a third of the cost of each record by itself
                batch, left = _batched(self._producer, left)
                future = await self._producer.send_batch(batch, topic, partition=partition)
                future.add_done_callback(_seen)
                waiting.append(future)
        await asyncio.wait(waiting)
        for future in waiting:
            future.result()

    async def _by_partition(
        self, producer: AIOKafkaProducer, messages: Sequence[Message]
    ) -> dict[tuple[str, int], list[Message]]:
        """The messages of each partition in their order; a key's partition is the one that every producer finds."""
        partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {m.topic for m in messages}}
        found: dict[tuple[str, int], list[Message]] = {}
        for message in messages:
            every = partitions[message.topic]
            found.setdefault((message.topic, _PARTITION_OF(message.key.encode(), every, every)), []).append(message)
        return found

    def _unknown_topics(self, messages: Sequence[Message]) -> str:
        """A hint at the commonest reason why nothing gets through: topics that nobody has created."""
        if self._producer is None:
            return ""
        known = self._producer.client.cluster.partitions_for_topic
        missing = sorted({m.topic for m in messages if known(m.topic) is None})
        return f"; the broker has not told of {', '.join(missing)}: are the topics created?" if missing else ""

    async def _start_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=128 * 1024,
            # Longer than our own deadline: no batch may expire and let a later one of its partition overtake it.
            request_timeout_ms=int(self.send_seconds * 2000),
            **self._options,
        )
        try:
            await producer.start()
        except BaseException:
            await _abandon(producer)
            raise
        return producer

    async def _discard_producer(self) -> None:
        """After a failure nobody knows what a producer still holds: the next append starts with a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _abandon(producer)

    def consumer(self, group: str, topics: Iterable[str]) -> KafkaConsumer:
        return KafkaConsumer(group, topics, session_seconds=self.session_seconds, options=self._options)

    async def create_topics(self, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
        async with self._asking() as (admin, _):
            copies = min(COPIES, len((await admin.describe_cluster())["brokers"]))
            configs = {"max.message.bytes": str(MAX_REQUEST_BYTES), "min.insync.replicas": str(max(copies - 1, 1))}
            new = [NewTopic(name, partitions, copies, topic_configs=configs) for name in sorted(topics)]
            answer = await admin.create_topics(new)
        for topic, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                with translated():
                    raise error(topic)

    async def lag(self, group: str, topics: Iterable[str]) -> dict[TopicPartition, int]:
        async with self._asking() as (admin, reader):
            described = await admin.describe_topics(sorted(topics))
            partitions = [
                KafkaTopicPartition(topic["topic"], partition["partition"])
                for topic in described
                for partition in topic["partitions"]
            ]
            committed = await _patiently(lambda: admin.list_consumer_group_offsets(group))
            first = await reader.beginning_offsets(partitions)
            end = await reader.end_offsets(partitions)
        behind = {}
        for tp in partitions:
            known = committed[tp].offset if tp in committed else -1
            behind[TopicPartition(tp.topic, tp.partition)] = end[tp] - max(known, first[tp])
        return {tp: records for tp, records in behind.items() if records > 0}

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
        """Clients for questions, kept between calls and replaced after a failure."""
        try:
            with translated():
                async with asyncio.timeout(self.send_seconds):
                    if self._admin is None:
                        self._admin = AIOKafkaAdminClient(**self._options)
                        await self._admin.start()
                    if self._reader is None:
                        self._reader = AIOKafkaConsumer(enable_auto_commit=False, **self._options)
                        await self._reader.start()
                    yield self._admin, self._reader
        except BaseException:
            await self._discard_clients()
            raise

    async def _discard_clients(self) -> None:
        admin, reader, self._admin, self._reader = self._admin, self._reader, None, None
        if admin is not None:
            await admin.close()
        if reader is not None:
            await stop_client(reader)

    async def trim(self, keep_days: int) -> int:
        return 0

    async def close(self) -> None:
        await self._discard_producer()
        await self._discard_clients()


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, once a broker that has only just begun can give it; the caller's deadline ends it."""
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(0.1)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """The producer has no connection and no task any more, and what it had not sent is dropped.

    Its own `stop` would first send all that it holds, and wait for a broker that is gone: hence these steps inside.
    """
    producer._closed = True
    sending = producer._sender.sender_task
    for _ in range(2):
        if sending is not None:
            sending.cancel()
        await producer.client.close()  # requests under way fail now, so that the sender can end
        if sending is None or (await asyncio.wait({sending}, timeout=1))[0]:
            break


def _batched(producer: AIOKafkaProducer, messages: Sequence[Message]) -> tuple[BatchBuilder, Sequence[Message]]:
    """A batch with as many of them as it takes, at least one, and those that are left."""
    batch = producer.create_batch()
    for number, message in enumerate(messages):
        headers = [(name, text.encode()) for name, text in message.headers.items()]
        if not batch.append(key=message.key.encode(), value=message.value, timestamp=None, headers=headers):
            return batch, messages[number:]
    return batch, ()


def _seen(future: asyncio.Future[Any]) -> None:
    """The outcome of a send that nobody waits for any more is no unhandled error."""
    if not future.cancelled():
        future.exception()


_PARTITION_OF = DefaultPartitioner()
_ROWS = "select topic, key, value, headers::text from outbox where id = any($1::bigint[]) order by id"
_MOVE = """
    with gone as (delete from outbox where id = any($1::bigint[]) returning *)
    insert into sent (id, event_id, topic, key, tenant_id, value, headers, created_at)
    select id, event_id, topic, key, tenant_id, value, headers, created_at from gone
"""
