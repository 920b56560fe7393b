"""Waiting until the flow has come to rest: two looks in a row that see the same, and nothing under way."""

import asyncio
import time
from typing import Any

import httpx

from deploy.local.demo.client import Client
from deploy.local.plain import PlainError

NOTHING_LEFT = ("away", "outbox", "timers_due", "lag", "in_doubt")
PAYERS = "payers"
PATIENCE_SECONDS = 90.0
PAUSE_SECONDS = (0.02, 0.06)
"""Between two questions to one who is at work: asking costs it time, too."""


async def quiet(client: Client, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Every event has been told, heard and acted on, and the payers have done what was due by now.

    Who is restless is asked again until at rest; only then everybody is looked at, twice.
    """
    until = time.monotonic() + patience_seconds
    before: Any = None
    while True:
        seen = await look(client)
        moving = [name for name, part in seen.items() if not at_rest(part)]
        if not moving and seen == before:
            return
        before = None if moving else seen
        for name in moving[:1]:
            pause = PAUSE_SECONDS[0]
            while not at_rest(part := await ask(client, name)):
                if time.monotonic() > until:
                    words = restless({name: part})
                    raise PlainError(f"the flow has not come to rest in {patience_seconds:.0f} s: {words}")
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, PAUSE_SECONDS[1])
        if time.monotonic() > until:
            raise PlainError(f"the flow has not come to rest in {patience_seconds:.0f} s: {restless(seen)}")


async def look(client: Client) -> dict[str, dict[str, Any]]:
    """What each worker says of itself, and the payers of their queue, all asked at once."""
    names = (*sorted(client.platform.worker_urls), PAYERS)
    return dict(zip(names, await asyncio.gather(*(ask(client, name) for name in names)), strict=True))


async def ask(client: Client, name: str) -> dict[str, Any]:
    """What one worker says of itself; `away` where it does not answer."""
    payers = name == PAYERS
    url = f"{client.platform.urls['sandbox']}/v1/queue" if payers else f"{client.platform.worker_urls[name]}/flow"
    try:
        answer = await client.http.get(url)
    except httpx.TransportError:
        return {"away": 1}
    if answer.status_code != httpx.codes.OK:
        return {"away": 1}
    found: dict[str, Any] = answer.json()
    return {"timers_due": found["pending"]} if payers else found


def at_rest(part: dict[str, Any]) -> bool:
    return not any(part.get(name) for name in NOTHING_LEFT)


def restless(seen: dict[str, dict[str, Any]]) -> str:
    """What keeps the flow from resting, in words."""
    found = [f"{name} {what} {part[what]}" for name, part in seen.items() for what in NOTHING_LEFT if part.get(what)]
    return ", ".join(found) or "its counters keep changing"
