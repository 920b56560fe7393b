"""`make scale N=3`: the demo's first days with one worker of each service and with N of each give the same figures.

Both times on an empty platform of their own, on free ports. The event log shares the topics' partitions out among the
workers of a service; one of them leads its relay.
"""

import argparse
import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from deploy.local import postgres
from deploy.local.demo import month, practice
from deploy.local.demo.client import Client
from deploy.local.demo.figures import gather, unaccounted_cents
from deploy.local.demo.oddities import with_oddities
from deploy.local.demo.opening import open_practice
from deploy.local.demo.people import People
from deploy.local.plain import PlainError, give_up
from deploy.local.platform import Platform
from deploy.local.topology import STATE, Part

SEED = 7
LAST_DAY = date(2026, 10, 8)
MOST = 12
"""As many workers of a service as its topics have partitions can share the work."""
DONE = "parity_event_seconds_count{"


async def first_days(platform: Platform, last_day: date, progress: Callable[[date, str], None]) -> dict[str, Any]:
    """The figures of the evening of `last_day`, on an empty platform."""
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        client = Client(platform, http)
        world = with_oddities(practice.build(SEED))
        people = People(client, world, await open_practice(client, world))
        await month.run(client, people, progress, last_day=last_day)
        return (await gather(client, seconds=0)).kept


async def events_done(platform: Platform) -> dict[str, int]:
    """How many events each worker has applied, by its name."""
    workers = [part for part in platform.parts if part.kind == "worker" and part.service != "sandbox"]
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        return dict(zip(names(workers), await asyncio.gather(*(_done(http, part) for part in workers)), strict=True))


async def _done(http: httpx.AsyncClient, part: Part) -> int:
    said = (await http.get(f"{part.url}/metrics")).text
    counts = [line for line in said.splitlines() if line.startswith(DONE) and 'outcome="applied"' in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in counts)


def names(workers: list[Part]) -> list[str]:
    """What operators call them."""
    return [part.name for part in workers]


async def run(home: Path, log: str, workers: int, last_day: date, console: Console) -> dict[str, Any]:
    """The figures of one run, from an empty state, and nothing left of it."""
    _clear(home)
    began = time.monotonic()
    with console.status(f"{workers} of each: starting") as spinner:
        async with Platform.running(home, log=log, workers=workers) as platform:
            figures = await first_days(
                platform, last_day, lambda day, phase: spinner.update(f"{workers} of each: {day:%a %b %d}  {phase}")
            )
            shares = await events_done(platform)
    console.print(f"{workers} of each: {figures['encounters']} encounters in {time.monotonic() - began:.0f} s")
    if workers > 1:
        console.print(_shares(shares))
    _clear(home)
    return figures


def _shares(shares: dict[str, int]) -> Table:
    """Who applied how many events."""
    table = Table("service", "events applied by each worker")
    for service in dict.fromkeys(name.partition("-")[0] for name in shares):
        of_service = [str(done) for name, done in shares.items() if name.startswith(f"{service}-")]
        table.add_row(service, ", ".join(of_service))
    return table


def _clear(home: Path) -> None:
    if home.is_dir():
        postgres.remove(home)
        shutil.rmtree(home)


def compare(asked: argparse.Namespace, console: Console) -> None:
    """The same figures with one worker of each and with several; PlainError names what differs."""
    if not 1 < asked.workers <= MOST:
        raise PlainError(f"N is {asked.workers}; give a number from 2 to {MOST}, the partitions of a topic.")
    if os.environ.get("PARITY_DATABASE"):
        raise PlainError("this needs databases of its own; try again with PARITY_DATABASE unset.")
    one = asyncio.run(run(STATE / "scale", asked.log, 1, asked.until, console))
    many = asyncio.run(run(STATE / "scale", asked.log, asked.workers, asked.until, console))
    if differing := {name: [one[name], many[name]] for name in one if one[name] != many[name]}:
        raise PlainError(f"one and {asked.workers} of each do not agree: {json.dumps(differing)}")
    if unaccounted_cents(many) or many["ledger_imbalance_cents"]:
        raise PlainError("the figures agree, but the ledger does not come to zero.")
    console.print(f"The same figures with one and with {asked.workers} workers of each service, to the cent.")


def main() -> None:
    """Run twice and compare; exits 1 naming what differs."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--workers", type=int, default=3, help=f"of each service, 2 to {MOST}")
    parser.add_argument("--until", type=date.fromisoformat, default=LAST_DAY, help=f"the last day, else {LAST_DAY}")
    try:
        compare(parser.parse_args(), Console(highlight=False))
    except PlainError as error:
        give_up(error)
    except KeyboardInterrupt:
        give_up(PlainError("stopped."))


if __name__ == "__main__":
    main()
