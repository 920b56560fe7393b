"""The event log on Apache Kafka: the engine beyond one machine.

Idempotent producer with `acks=all`, explicit commits, sticky assignment, no transactions: what comes twice,
the inbox drops. Every call has a deadline of its own, since the client by itself waits without end.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaTopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from libs.common.log import PARTITIONS, Message, TopicPartition
from libs.common.log.kafka_consumer import MAX_REQUEST_BYTES, KafkaConsumer, translated

logger = logging.getLogger(__name__)

SEND_SECONDS = 10.0
BROKER_DEFAULT = -1


def client_options(query: str) -> dict[str, Any]:
    """What the client needs to be let in, from the address: `?security_protocol=SASL_SSL&sasl_mechanism=…&username=…`.

    `cafile` names a certificate authority's file and `password_file` the file that holds the password; a
    password in the environment is `PARITY_KAFKA_PASSWORD`. None is ever part of the address.
    """
    asked = dict(parse_qsl(query, strict_parsing=bool(query)))
    unknown = asked.keys() - {"security_protocol", "sasl_mechanism", "username", "password_file", "cafile"}
    if unknown:
        raise ValueError(f"a Kafka address does not know {', '.join(sorted(unknown))}")
    options: dict[str, Any] = {"security_protocol": asked.get("security_protocol", "PLAINTEXT")}
    if options["security_protocol"].endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=asked.get("cafile"))
    if options["security_protocol"].startswith("SASL"):
        file = asked.get("password_file")
        options["sasl_mechanism"] = asked.get("sasl_mechanism", "SCRAM-SHA-512")
        options["sasl_plain_username"] = asked["username"]
        options["sasl_plain_password"] = Path(file).read_text().strip() if file else os.environ["PARITY_KAFKA_PASSWORD"]
    return options


class KafkaLog:
    """The log on the brokers behind `address` (`host:port,host:port`, with the options of `client_options`)."""

    def __init__(self, address: str, *, session_seconds: float = 10.0, send_seconds: float = SEND_SECONDS) -> None:
        servers, _, query = address.partition("?")
        self.servers = servers
        self.session_seconds = session_seconds
        self.send_seconds = send_seconds
        self._options = {"bootstrap_servers": servers, **client_options(query)}
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
        except BaseException:
            await self._discard_producer()
            raise

    async def _send(self, messages: Sequence[Message]) -> None:
        if self._producer is None:
            self._producer = await self._start_producer()
        waiting: list[asyncio.Future[Any]] = []
        for message in messages:
            future = await self._producer.send(
                message.topic,
                message.value,
                key=message.key.encode(),
                headers=[(name, text.encode()) for name, text in message.headers.items()],
            )
            future.add_done_callback(_seen)
            waiting.append(future)
        await asyncio.wait(waiting)
        for future in waiting:
            future.result()

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
            await _stop(producer)
            raise
        return producer

    async def _discard_producer(self) -> None:
        """After a failure nobody knows what a producer still holds: the next append starts with a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer._message_accumulator.fail_all(KafkaConnectionError("given up"))  # stop() would wait for them
            await _stop(producer)

    def consumer(self, group: str, topics: Iterable[str]) -> KafkaConsumer:
        return KafkaConsumer(group, topics, session_seconds=self.session_seconds, options=self._options)

    async def create_topics(self, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
        new = [
            NewTopic(name, partitions, BROKER_DEFAULT, topic_configs={"max.message.bytes": str(MAX_REQUEST_BYTES)})
            for name in sorted(topics)
        ]
        async with self._asking() as (admin, _):
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
            committed = await admin.list_consumer_group_offsets(group)
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
            await reader.stop()

    async def close(self) -> None:
        await self._discard_producer()
        await self._discard_clients()


async def _stop(producer: AIOKafkaProducer) -> None:
    """The producer holds no connection and no task; what it had not sent is dropped."""
    try:
        async with asyncio.timeout(2):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        logger.info("a producer of the event log was given up: %s", type(error).__name__)
        with suppress(KafkaError, asyncio.CancelledError):
            await producer._sender.close()
        await producer.client.close()


def _seen(future: asyncio.Future[Any]) -> None:
    """The outcome of a send that nobody waits for any more is no unhandled error."""
    if not future.cancelled():
        future.exception()
