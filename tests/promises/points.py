"""Every named point, armed: which process dies there, at which pass; and what it takes that all are passed."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from deploy.local.environment import Environment
from deploy.local.platform import Platform
from libs.common.crashpoints import POINTS
from libs.common.log import Message, open_log
from tests.promises.load import Load

_RELAYS = ("eligibility-worker", "remittance-worker", "claims-worker")
_PARKERS = ("eligibility-worker", "remittance-worker", "reporting-worker")
PLACES: dict[str, tuple[str, str, str]] = {
    "request.committed": ("claims-api", "claims-api", "sandbox-api"),
    "relay.read": _RELAYS,
    "relay.published": _RELAYS,
    "relay.moved": _RELAYS,
    "consumer.polled": ("eligibility-worker", "credentialing-worker", "reporting-worker"),
    "consumer.applied": ("eligibility-worker", "credentialing-worker", "claims-worker"),
    "consumer.taken": ("eligibility-worker", "credentialing-worker", "remittance-worker"),
    "parking.parked": _PARKERS,
    "timer.begun": ("eligibility-worker", "claims-worker", "eligibility-worker"),
    "webhook.stored": ("claims-worker",) * 3,
    "send.tried": ("claims-worker",) * 3,
    "send.sent": ("claims-worker",) * 3,
    "era.stored": ("remittance-worker",) * 3,
    "era.posting": ("remittance-worker",) * 3,
    "projection.written": ("reporting-worker",) * 3,
    "delivery.posted": ("reporting-worker",) * 3,
}
"""Who dies at each point, three times in all; on many shoulders, since each death holds up its own service."""
SELDOM = ("parking.parked", "send.tried", "send.sent", "era.stored", "delivery.posted")
"""Points that a process passes too rarely to let one go by."""
POISONED = "encounter.created"
POISONS = 3
"""Keys that nobody can read: each of the three consumers parks each of them."""


def arm(folder: Path, chance: random.Random) -> None:
    """Every point kills three times; at which pass, the seed says."""
    assert PLACES.keys() == POINTS.keys()
    for point, places in PLACES.items():
        numbers: Counter[str] = Counter()
        for place in places:
            numbers[place] += 1
            at = 1 if point in SELDOM else chance.randint(1, 4)
            (folder / place).mkdir(parents=True, exist_ok=True)
            (folder / place / f"{point}.{numbers[place]}").write_text(str(at))


def hits(folder: Path) -> dict[str, int]:
    """How often a process has died at each point."""
    return {point: len(list(folder.glob(f"*/{point}.*.hit"))) for point in POINTS}


async def poison(platform: Platform) -> None:
    """The log holds records that are no events."""
    around = Environment.of_running(platform.home)
    url = around.role_url("claims", "worker")
    log = open_log(f"kafka://{around.kafka}" if around.kafka else url)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            messages = [Message(topic=POISONED, key=f"poison-{n}", value=b"no event") for n in range(POISONS)]
            await log.append(connection, messages)
    finally:
        await connection.close()
        await log.close()


async def take_out_poison(load: Load) -> int:
    """How many poisons were parked; none is any more."""
    found = 0
    for place in _PARKERS:
        service = place.removesuffix("-worker")
        gone = await load.rows(f"delete from {service}.parked where key like 'poison-%' returning key")
        found += len(gone)
    return found


@dataclass(slots=True)
class Receiver:
    """An endpoint of somebody's: it takes every webhook and notes its id."""

    url: str = ""
    ids: Counter[str] = field(default_factory=Counter)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Receiver"]:
        """It answers inside the block."""
        found = cls()
        server = await asyncio.start_server(found._answer, "127.0.0.1", 0)
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with server:
            yield found

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        await reader.readexactly(int(headers["content-length"]))
        self.ids[headers["webhook-id"]] += 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
