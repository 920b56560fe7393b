"""The processes of a service: `api`, `worker`, and the commands of an operator.

python -m services.claims api | worker | migrate | replay --to GROUP | parked list|show KEY|replay KEY|drop KEY EVENT
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import uvicorn
import uvloop

from libs.common import (
    crashpoints,
    logs,
    metrics,
    migrations,
    operators,
    parking,
    replay,
    telemetry,
    timers,
    webhooks,
    witness,
)
from libs.common.clock import CLOCK_MOVED, PlatformClock, SystemClock
from libs.common.composition import Service
from libs.common.consumer import consume
from libs.common.db import Database
from libs.common.http import create_api
from libs.common.log import open_log
from libs.common.relay import Relay
from libs.common.sealing import Keyring, UnusableKeyring
from libs.common.settings import MissingSetting, RefusedSetting, Role, ServiceSettings

log = logging.getLogger(__name__)


def main(service: Service, arguments: list[str] | None = None) -> None:
    """Run one process of `service`; exits 2 with one line where a setting is missing."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service.name}", description=service.title)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api", help="serve the HTTP API")
    commands.add_parser("worker", help="consume, publish, and do what is due")
    commands.add_parser("migrate", help="bring the schema to the head of its history")
    again = commands.add_parser("replay", help="publish archived events again for one consumer group")
    again.add_argument("--to", required=True, metavar="GROUP", help="the only group that takes them")
    again.add_argument("--topic", action="append", default=[], help="only this topic (may be repeated)")
    again.add_argument("--key", help="only the events of this key")
    again.add_argument("--since", type=moment, help="only what was sent at this moment or later, as 2026-10-05T00:00Z")
    again.add_argument("--missing", action="store_true", help="only what the group has not had, as after a restore")
    parked = commands.add_parser("parked", help="records that wait for a person, by key")
    parked.add_argument("action", choices=["list", "show", "replay", "drop"])
    parked.add_argument("key", nargs="?", help="the key (needed for all but list)")
    parked.add_argument("event", nargs="?", help="the first event of the key, which drop gives up for good")
    parked.add_argument("--why", help="what the trail says of a drop; no identity")
    chosen = parser.parse_args(arguments)
    with refusing_plainly():
        settings = ServiceSettings.from_environment(service.name)
        logs.configure(service.name, chosen.command)
        telemetry.configure(service.name, settings.otlp_endpoint)
        uvloop.run(_run(chosen, _put_to_the_test(chosen, service, settings), settings))


@contextlib.contextmanager
def refusing_plainly() -> Iterator[None]:
    """A process that lacks a setting or a secret ends with 2 and one line that names it."""
    try:
        yield
    except (MissingSetting, RefusedSetting) as unusable:
        line = str(unusable)
    except UnusableKeyring as unusable:
        line = f"PARITY_KEYRING: {unusable}"
    else:
        return
    sys.stderr.write(f"{line}\n")
    sys.exit(2)


def _put_to_the_test(chosen: argparse.Namespace, service: Service, settings: ServiceSettings) -> Service:
    """In a test, and only there: the process dies where it is told and is watched, or is a design that has to fail."""
    if settings.mutant is not None:
        from libs.common.mutants import MUTANTS  # noqa: PLC0415  no process loads what it must never be

        MUTANTS[settings.mutant]()
    if settings.crash_notes is None:
        return service
    crashpoints.arm(settings.crash_notes / f"{service.name}-{chosen.command}")
    return witness.witnessed(service)


async def _run(chosen: argparse.Namespace, service: Service, settings: ServiceSettings) -> None:
    match chosen.command:
        case "api":
            await serve_api(service, settings)
        case "worker":
            await work(service, settings)
        case "migrate":
            await migrations.upgrade(settings.database("owner"), service.name, service.migrations)
        case "replay":
            await _replay(chosen, service, settings)
        case "parked":
            await _parked(chosen, service, settings)


def moment(text: str) -> datetime:
    """A moment as an operator writes it; UTC unless it says otherwise."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _replay(chosen: argparse.Namespace, service: Service, settings: ServiceSettings) -> None:
    produced = {event.topic for event in service.produces}
    if unknown := sorted(set(chosen.topic) - produced):
        raise SystemExit(f"{service.name} does not produce {unknown[0]}, but {', '.join(sorted(produced))}")
    event_log = open_log(settings.log_url)
    try:
        count = await replay.replay(
            settings.database("worker"),
            service.name,
            event_log,
            to=chosen.to,
            topics=chosen.topic,
            key=chosen.key,
            since=chosen.since,
            missing=chosen.missing,
        )
    finally:
        await event_log.close()
    sys.stdout.write(f"{count} events published again for {chosen.to}\n")


async def _parked(chosen: argparse.Namespace, service: Service, settings: ServiceSettings) -> None:
    if chosen.action != "list" and chosen.key is None:
        raise SystemExit(f"parked {chosen.action} needs a key: see `parked list`")
    if chosen.action == "drop" and not (chosen.event and chosen.why):
        raise SystemExit("parked drop needs the event that `parked show KEY` names first, and --why")
    db, why = open_database(service, settings, "worker"), None
    try:
        match chosen.action:
            case "list":
                lines = await parking.list_parked(db)
            case "show":
                lines = await parking.show(db, chosen.key)
            case "drop":
                lines = await parking.drop(db, chosen.key, chosen.event, chosen.why)
            case _:
                lines = await parking.replay(db, chosen.key, service.consumes)
    except parking.NotDone as not_done:
        *lines, why = not_done.args
    finally:
        await db.close()
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if why is not None:
        raise SystemExit(why)  # said on stderr, and the process ends with 1


def open_database(service: Service, settings: ServiceSettings, role: Role) -> Database:
    """The service's own schema, in one role, on the clock of this deployment."""
    clock = PlatformClock() if settings.business_clock == "platform" else SystemClock()
    keyring = Keyring.load(settings.keyring)
    return Database(
        settings.database(role),
        service=service.name,
        clock=clock,
        keyring=keyring,
        opens_sealed=service.opens_sealed,
    )


async def serve_api(service: Service, settings: ServiceSettings) -> None:
    """The HTTP API answers until SIGTERM; requests under way are finished."""
    await _serve(create_api(service, settings), settings.host, settings.port)


async def _serve(app: Any, host: str, port: int) -> None:
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2, server_header=False
    )
    _collect_less()
    # The server takes SIGTERM while it serves, and raises it again when it is done. By then all is finished: without
    # this the process would die before its last spans are sent.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    await uvicorn.Server(config).serve()


def _collect_less() -> None:
    """What was imported stays and is not looked through for garbage again; the rest is, but less often."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def work(service: Service, settings: ServiceSettings) -> None:
    """Consumer, relay, timers and the operator's page run until SIGTERM, then stop in order."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    db = open_database(service, settings, "worker")
    assert db.keyring is not None
    event_log = open_log(settings.log_url)
    due = (*service.timers, *webhooks.timers(service))
    # The runner bounds what is open at once; a pool's own bound would let those who hang keep the others waiting.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, connect=2), limits=limits) as http:
        runner = timers.Runner(list(due), timers.Work(db=db, http=http, keyring=db.keyring, settings=settings))
        page = uvicorn.Server(
            uvicorn.Config(
                operators.page(service, db, event_log),
                host=settings.host,
                port=settings.port + 100,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        page.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the loop's own handlers below
        parts: list[Awaitable[None]] = [
            Relay(settings.database("worker"), service.name, event_log).run(stopping),
            runner.run(stopping),
            _listen(settings.database("worker"), (f"{service.name}_timer", CLOCK_MOVED), runner.wake, stopping),
            _page(page, stopping),
            _watch_loop(stopping),
        ]
        if service.consumes:
            parts.append(consume(event_log, group=service.name, handlers=service.consumes, db=db, stopping=stopping))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        _collect_less()
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(_until_stopped(part, stopping))
        finally:
            await event_log.close()
            await db.close()


async def _until_stopped(part: Awaitable[None], stopping: asyncio.Event) -> None:
    """A part of the worker ends only because all of it stops; if one fails, the process ends and is restarted."""
    try:
        await part
    except Exception:
        stopping.set()
        raise


async def _page(server: uvicorn.Server, stopping: asyncio.Event) -> None:
    serving = asyncio.create_task(_quiet_signals(server))
    await stopping.wait()
    server.should_exit = True
    await serving


async def _quiet_signals(server: uvicorn.Server) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await server._serve()


async def _watch_loop(stopping: asyncio.Event) -> None:
    watching = asyncio.create_task(metrics.watch_loop())
    await stopping.wait()
    watching.cancel()


async def _listen(url: str, channels: Sequence[str], wake: Callable[[], None], stopping: asyncio.Event) -> None:
    """Call `wake` at each notification; while the database is away, polling is the floor."""
    while not stopping.is_set():
        connection: asyncpg.Connection | None = None
        try:
            connection = await asyncpg.connect(url, timeout=5)
            for channel in channels:
                await connection.add_listener(channel, lambda *_: wake())
            wake()
            while not stopping.is_set() and not connection.is_closed():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), 0.5)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("listen_lost", extra={"error": type(error).__name__})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 0.5)
        finally:
            if connection is not None:
                connection.terminate()
