"""The event log: a small Protocol, kept alike by Apache Kafka and by the embedded log in Postgres.

Records of one key are in one partition and in order. Delivery is at least once: a consumer that dies,
or whose partition moves, leaves the tail since its last commit to be read again. Offsets are dense in
the embedded log and merely rising in Kafka.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import asyncpg

PARTITIONS = 12
MAX_VALUE_BYTES = 1_500_000
"""What a producer may put into one record; brokers are set up for 2 MiB, envelope included."""


class LogUnavailable(Exception):
    """The log did not answer; nothing is known of what was asked, and asking again is right."""


class PartitionLost(Exception):
    """These partitions moved to another member; it reads them again from the last commit."""

    def __init__(self, partitions: Iterable["TopicPartition"] = ()) -> None:
        self.partitions = frozenset(partitions)
        super().__init__(", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(self.partitions)) or "all partitions")


class RecordTooLarge(ValueError):
    """A record is over `MAX_VALUE_BYTES`; no log takes it, today or tomorrow."""


class LogRefused(Exception):
    """The log knows this role, topic or group, and does not allow what was asked."""


class TopicPartition(NamedTuple):
    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is appended; the log chooses partition (by key) and offset."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.value) > MAX_VALUE_BYTES:
            raise RecordTooLarge(f"{self.topic}: {len(self.value)} bytes, at most {MAX_VALUE_BYTES}")


def message_of(row: asyncpg.Record, **headers: str) -> Message:
    """The message of a row of `outbox` or `sent`, with further headers."""
    return Message(
        topic=row["topic"], key=row["key"], value=row["value"], headers={**json.loads(row["headers"]), **headers}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is read."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)


class Consumer(Protocol):
    """One member of a group. Connects at its first poll; leaves the group when closed."""

    async def poll(self, *, timeout_seconds: float = 0.5, max_records: int = 500) -> dict[TopicPartition, list[Record]]:
        """The next records of the partitions held, in order for each partition; empty after `timeout_seconds`.

        Joining, rebalancing and heartbeats happen here and in the background. A new owner starts at the
        group's last commit, or at the earliest record where there is none.
        Raises LogUnavailable; polling again reconnects.
        """

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The group's next reader starts at these offsets (last record done + 1).

        Raises PartitionLost, after committing what is still held, and LogUnavailable.
        """

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions held as far as this member knows."""

    async def close(self) -> None:
        """Leave the group, so that others take over at once."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class EventLog(Protocol):
    """A log as one process uses it."""

    async def append(self, connection: asyncpg.Connection | None, messages: Sequence[Message]) -> None:
        """Append in order, all or raise.

        Embedded: part of the transaction that is open on `connection`, durable when it commits.
        Kafka: durable on return; `connection` is not used. After a raise any part may be in the log all the
        same; appending the whole batch again keeps the order of each key (first occurrences).
        Raises LogUnavailable, LogRefused.
        """

    async def move_rows(self, connection: asyncpg.Connection, ids: Sequence[int]) -> None:
        """Append these rows of the outbox that `connection` sees, in the order of their ids; else as `append`.

        They stand in `sent`, and no more in the outbox, when the transaction that is open on `connection` commits.
        """

    def consumer(self, group: str, topics: Iterable[str]) -> Consumer:
        """A new member of `group`, not connected yet."""

    async def create_topics(self, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
        """These topics exist. Those that exist already are left as they are."""

    async def lag(self, group: str, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """How many records `group` has not committed yet, for each partition that has any."""

    async def trim(self, keep_days: int) -> int:
        """Records older than this, and read by every group of their topic, are gone; returns how many.

        Kafka's brokers do so by themselves, by each topic's retention, and this does nothing there.
        """

    async def close(self) -> None:
        """Let go of connections."""


def open_log(url: str) -> EventLog:
    """The log behind an address: `postgresql://…` is the embedded one, `kafka://host:port,host:port` Kafka."""
    scheme, _, rest = url.partition("://")
    if scheme == "kafka":
        from libs.common.log.kafka import KafkaLog  # noqa: PLC0415  a process loads the one that it uses

        return KafkaLog(rest)
    if scheme in ("postgresql", "postgres"):
        from libs.common.log.embedded import EmbeddedLog  # noqa: PLC0415  a process loads the one that it uses

        return EmbeddedLog(url)
    raise ValueError(f"an event log is postgresql://… or kafka://…, not {scheme}://")
