"""A member of a consumer group on Apache Kafka."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaTopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from libs.common.log import LogRefused, LogUnavailable, PartitionLost, Record, TopicPartition

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 2 * 1024 * 1024
START_SECONDS = 30.0
COMMIT_SECONDS = 10.0
STOP_SECONDS = 5.0
REFUSED = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    MessageSizeTooLargeError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Kafka's client says comes out in the words of the log."""
    try:
        yield
    except REFUSED as error:
        raise LogRefused(f"{type(error).__name__}: {error}") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise LogUnavailable(f"Kafka: {type(error).__name__}") from error


class KafkaConsumer:
    """One member of a group; what it was given is forgotten at each rebalance, and read again from the commit."""

    def __init__(
        self, group: str, topics: Iterable[str], *, session_seconds: float, options: Mapping[str, Any]
    ) -> None:
        self.group = group
        self.topics = sorted(topics)
        self._session_ms = int(session_seconds * 1000)
        self._options = dict(options)
        self._client: AIOKafkaConsumer | None = None
        self._given: dict[TopicPartition, int] = {}

    def assignment(self) -> frozenset[TopicPartition]:
        if self._client is None:
            return frozenset()
        return frozenset(TopicPartition(tp.topic, tp.partition) for tp in self._client.assignment())

    async def poll(self, *, timeout_seconds: float = 0.5, max_records: int = 500) -> dict[TopicPartition, list[Record]]:
        try:
            with translated():
                if self._client is None:
                    self._client = await self._start()
                batches = await self._client.getmany(timeout_ms=int(timeout_seconds * 1000), max_records=max_records)
        except LogUnavailable:
            await self.close()  # a broker that is away raises nothing here: this client is broken, the next is new
            raise
        found: dict[TopicPartition, list[Record]] = {}
        for kafka_tp, batch in batches.items():
            tp = TopicPartition(kafka_tp.topic, kafka_tp.partition)
            found[tp] = [_record(tp, raw) for raw in batch]
            self._given[tp] = batch[-1].offset + 1
        return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        lost = {tp for tp, offset in offsets.items() if offset > self._given.get(tp, -1)}
        kept = {KafkaTopicPartition(*tp): offset for tp, offset in offsets.items() if tp not in lost}
        if kept and self._client is not None:
            try:
                with translated():
                    async with asyncio.timeout(COMMIT_SECONDS):
                        await self._commit(kept)
            except PartitionLost:
                raise PartitionLost(offsets) from None
        if lost:
            raise PartitionLost(lost)

    async def _commit(self, offsets: dict[KafkaTopicPartition, int]) -> None:
        assert self._client is not None
        try:
            await self._client.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            raise PartitionLost from error

    async def close(self) -> None:
        client, self._client = self._client, None
        self._given.clear()
        if client is not None:
            await stop_client(client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _start(self) -> AIOKafkaConsumer:
        # The assignor keeps what a member held in its class: a class for each consumer, or two of one process mix.
        assignor = type("Sticky", (StickyPartitionAssignor,), {})
        client = AIOKafkaConsumer(
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(assignor,),
            session_timeout_ms=self._session_ms,
            heartbeat_interval_ms=max(self._session_ms // 4, 100),
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
            fetch_max_bytes=8 * MAX_REQUEST_BYTES,
            **self._options,
        )
        client.subscribe(self.topics, listener=_Forget(self._given))
        try:
            async with asyncio.timeout(START_SECONDS):
                await client.start()
        except BaseException:
            await stop_client(client)
            raise
        return client


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]
    """After a rebalance nothing of what was given before it may be committed."""

    def __init__(self, given: dict[TopicPartition, int]) -> None:
        self._given = given

    def on_partitions_revoked(self, revoked: Collection[KafkaTopicPartition]) -> None:
        self._given.clear()

    def on_partitions_assigned(self, assigned: Collection[KafkaTopicPartition]) -> None:
        self._given.clear()


async def stop_client(client: AIOKafkaConsumer) -> None:
    """The member has left; where the broker does not answer, the group gives it up after its session.

    In a task of its own: while a broker is away, the client's `stop` may raise the cancellation of its own fetches,
    which here would pass for ours.
    """
    stopping = asyncio.create_task(client.stop())
    if not (await asyncio.wait({stopping}, timeout=STOP_SECONDS))[0]:
        stopping.cancel()
        await asyncio.wait({stopping}, timeout=1)
    if not stopping.done() or stopping.cancelled() or stopping.exception() is not None:
        logger.info("left_without_saying_so")
        await client._client.close()


def _record(tp: TopicPartition, raw: Any) -> Record:
    return Record(
        topic=tp.topic,
        partition=tp.partition,
        offset=raw.offset,
        key=(raw.key or b"").decode(),
        value=raw.value or b"",
        headers={name: value.decode() for name, value in raw.headers},
    )
