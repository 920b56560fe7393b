"""Archived events, published again for one group: with the same ids, past that group's inbox, ignored by others."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import asyncpg

from libs.common.ids import uuid7
from libs.common.inbox import REPLAY_RUN, REPLAY_TO
from libs.common.log import EventLog, message_of

BATCH_ROWS = 500


async def replay(
    url: str,
    schema: str,
    event_log: EventLog,
    *,
    to: str,
    topics: Sequence[str] = (),
    key: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    missing: bool = False,
) -> int:
    """What `schema` has sent is in the log once more, in the order of its outbox; returns how many events.

    `url` is the worker role's. Narrowed by topic, key and the time of sending, where given. With `missing` they do
    not pass the group's inbox: what it has had already has no second effect, as after a restore.
    """
    headers = {REPLAY_TO: to} if missing else {REPLAY_TO: to, REPLAY_RUN: str(uuid7())}
    count = 0
    connection = await asyncpg.connect(url, timeout=5, server_settings={"search_path": schema})
    try:
        async for rows in _pages(connection, list(topics), key, since, until):
            messages = [message_of(row, **headers) for row in rows]
            async with connection.transaction():
                await event_log.append(connection, messages)
            count += len(messages)
    finally:
        await connection.close()
    return count


async def _pages(
    connection: asyncpg.Connection, topics: list[str], key: str | None, since: datetime | None, until: datetime | None
) -> AsyncIterator[list[asyncpg.Record]]:
    after = 0
    while rows := await connection.fetch(_PAGE, after, topics, key, since, until, BATCH_ROWS):
        yield rows
        after = rows[-1]["id"]


_PAGE = """
    select id, topic, key, value, headers::text from sent
    where id > $1
      and (cardinality($2::text[]) = 0 or topic = any($2::text[]))
      and ($3::text is null or key = $3::text)
      and ($4::timestamptz is null or sent_at >= $4::timestamptz)
      and ($5::timestamptz is null or sent_at < $5::timestamptz)
    order by id limit $6
"""
