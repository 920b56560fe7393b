"""Waiting until the flow has come to rest: two looks in a row that see the same, and nothing under way."""

import asyncio
import time
from typing import Any

import httpx

from deploy.local.demo.client import Client
from deploy.local.plain import PlainError

NOTHING_LEFT = ("outbox", "timers_due", "lag", "in_doubt")
PATIENCE_SECONDS = 90.0


async def quiet(client: Client, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Every event has been told, heard and acted on, and the payers have done what was due by now."""
    until = time.monotonic() + patience_seconds
    before: Any = None
    while True:
        seen = await look(client)
        if seen is not None and seen == before and at_rest(seen):
            return
        before = seen
        if time.monotonic() > until:
            raise PlainError(f"the flow has not come to rest in {patience_seconds:.0f} s: {restless(seen)}")
        await asyncio.sleep(0.01 if seen is not None and at_rest(seen) else 0.04)


async def look(client: Client) -> dict[str, dict[str, Any]] | None:
    """What each worker says of itself, and the payers' queue; None where one does not answer."""
    names = sorted(client.platform.worker_urls)
    try:
        answers = await asyncio.gather(
            *(client.http.get(f"{client.platform.worker_urls[name]}/flow") for name in names),
            client.http.get(f"{client.platform.urls['sandbox']}/v1/queue"),
        )
    except httpx.TransportError:
        return None
    if any(answer.status_code != httpx.codes.OK for answer in answers):
        return None
    found = {name: answer.json() for name, answer in zip(names, answers, strict=False)}
    return found | {"payers": {"timers_due": answers[-1].json()["pending"]}}


def at_rest(seen: dict[str, dict[str, Any]]) -> bool:
    return not any(part.get(name) for part in seen.values() for name in NOTHING_LEFT)


def restless(seen: dict[str, dict[str, Any]] | None) -> str:
    """What keeps the flow from resting, in words."""
    if seen is None:
        return "a process does not answer; see .parity/demo/logs"
    found = [f"{name} {what} {part[what]}" for name, part in seen.items() for what in NOTHING_LEFT if part.get(what)]
    return ", ".join(found) or "its counters keep changing"
