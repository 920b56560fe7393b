"""python -m deploy.local.demo [--log embedded|kafka] [--seed N]: what `make demo` runs."""

import argparse
import asyncio
import json
import time
from datetime import date

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.local import stage
from deploy.local.demo import figures, month, page, practice
from deploy.local.demo.client import Client, Refused
from deploy.local.demo.oddities import with_oddities
from deploy.local.demo.opening import open_practice
from deploy.local.demo.people import People
from deploy.local.plain import PlainError, give_up
from deploy.local.platform import Platform
from deploy.local.topology import STATE

SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--log", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    console = Console(highlight=False)
    try:
        platform = stage.set_up(asked.log, console)
        found, people = asyncio.run(play(platform, asked.seed, console))
        (STATE / "demo.json").write_text(json.dumps(found.kept, indent=2) + "\n")
        page.show(console, found, people, platform, month.CLOSE)
    except Refused as refused:
        give_up(PlainError(f"the demo was refused, which is a fault of its own: {refused}"))
    except PlainError as error:
        give_up(error)
    except KeyboardInterrupt:
        give_up(PlainError("stopped; `make down` stops the services."))


async def play(platform: Platform, seed: int, console: Console) -> tuple[figures.Figures, People]:
    """The month of this seed has been, and these are its figures."""
    began = time.monotonic()
    limits = httpx.Limits(max_connections=40)
    async with httpx.AsyncClient(timeout=httpx.Timeout(30, connect=5), limits=limits) as http:
        client = Client(platform, http)
        world = with_oddities(practice.build(seed))
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed} of {task.total} days"),
            TimeElapsedColumn(),
            console=console,
            refresh_per_second=4,
        ) as bar:
            days = (month.CLOSE - practice.FIRST_DAY).days + 1
            task = bar.add_task("the practice opens", total=days)
            people = People(client, world, await open_practice(client, world))

            def progress(day: date, phase: str) -> None:
                words = f"{day:%a %b %d}  {phase:<28}"
                bar.update(task, description=words, completed=(day - practice.FIRST_DAY).days)

            await month.run(client, people, progress)
            bar.update(task, description="the books are closed", completed=days)
        return await figures.gather(client, time.monotonic() - began), people


if __name__ == "__main__":
    main()
