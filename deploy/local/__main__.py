"""`python -m deploy.local up | down | status | token | service | reset | run`: what the Makefile calls."""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from deploy.local import background, keys, stage
from deploy.local.environment import Environment
from deploy.local.plain import PlainError, give_up
from deploy.local.state import orphans, supervisor_of
from deploy.local.supervisor import Supervisor
from deploy.local.topology import DEMO_HOME, ROOT, SERVICES, UP_HOME, documented_base, parts

console = Console(highlight=False)


def main(arguments: list[str]) -> None:
    """Do what is asked, or say in one line what is in the way."""
    try:
        asked = _parse(arguments)
        asked.do(asked)
    except PlainError as error:
        give_up(error)
    except KeyboardInterrupt:
        give_up(PlainError("stopped."))


def up(asked: argparse.Namespace) -> None:
    """All services run in the background."""
    if (pid := supervisor_of(UP_HOME)) is not None:
        with console.status("starting") as spinner:
            background.await_ready(UP_HOME, pid, spinner.update)
        console.print("Parity already runs.")
        return stage.show(UP_HOME, console)
    stage.refuse_second(UP_HOME)
    with console.status("starting") as spinner:
        background.start(
            UP_HOME,
            log=asked.log,
            base_port=documented_base(),
            durable=True,
            database=stage.DATABASES[UP_HOME],
            workers=asked.workers,
            said=spinner.update,
        )
    stage.show(UP_HOME, console)
    console.print("`make token` prints a bearer token; `make down` stops everything.")


def down(_: argparse.Namespace) -> None:
    """Nothing that was started in the background runs any more."""
    stopped = [name for name, home in stage.HOMES.items() if background.stop(home)]
    console.print(
        f"Stopped what {' and '.join(f'`{name}`' for name in stopped)} started." if stopped else "Nothing was running."
    )


def status(_: argparse.Namespace) -> None:
    """Print what runs."""
    running = [home for home in stage.HOMES.values() if supervisor_of(home) is not None]
    for home in running:
        stage.show(home, console)
    if running:
        return
    if any(orphans(home) for home in stage.HOMES.values()):
        console.print("The supervisor was killed and its processes run on; `make down` ends them.")
    else:
        console.print("Nothing is running; `make up` starts the services.")


def token(asked: argparse.Namespace) -> None:
    """Print a bearer token, and nothing else, so that a shell can take it."""
    running = [home for home in stage.HOMES.values() if supervisor_of(home) is not None]
    print(keys.of_running([*running, UP_HOME, DEMO_HOME]).token(tenant_id=asked.tenant))


def service(asked: argparse.Namespace) -> None:
    """Run a command of a service on what runs now: as its worker, or as the owner of its schema where it needs that."""
    home = next((home for home in stage.HOMES.values() if supervisor_of(home) is not None), None)
    if home is None:
        raise PlainError("nothing runs here; `make up` starts the services.")
    running = Environment.of_running(home)
    as_owner = asked.command[:1] in (["migrate"], ["rebuild"])
    environment = (
        running.of_migration(asked.name) if as_owner else running.of(parts(running.base_port, [asked.name])[1])
    )
    command = [sys.executable, "-m", f"services.{asked.name}", *asked.command]
    raise SystemExit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)


def reset(_: argparse.Namespace) -> None:
    """All state is gone."""
    for home in (DEMO_HOME, UP_HOME):
        background.reset(home, database=stage.DATABASES[home])
    console.print("All state is gone.")


def run_here(asked: argparse.Namespace) -> None:
    """Run in this process until SIGTERM or SIGINT."""
    asyncio.run(_run_here(asked))


async def _run_here(asked: argparse.Namespace) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def stop_once() -> None:
        for kind in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(kind, lambda: None)  # a second signal must not cut the good order short
        task.cancel()

    for kind in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(kind, stop_once)
    supervisor = Supervisor(
        asked.home,
        log=asked.log,
        base_port=asked.base_port,
        durable=asked.durable,
        database=asked.database,
        services=asked.services,
        workers=asked.workers,
        root=asked.root,
    )
    with contextlib.suppress(asyncio.CancelledError):
        async with supervisor:
            await supervisor.ready()
            await asyncio.Event().wait()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    known = {
        "up": up,
        "down": down,
        "status": status,
        "token": token,
        "service": service,
        "reset": reset,
        "run": run_here,
    }
    for name, do in known.items():
        command = commands.add_parser(name, help=do.__doc__)
        command.set_defaults(do=do)
        if name in ("up", "run"):
            command.add_argument(
                "--log", choices=("embedded", "kafka"), default=os.environ.get("PARITY_LOG") or "embedded"
            )
            command.add_argument("--workers", type=int, choices=range(1, 13), default=1, help="of each service")
        if name == "token":
            command.add_argument("--tenant", default=keys.DEMO_TENANT)
        if name == "service":
            command.add_argument("name", choices=SERVICES)
            command.add_argument("command", nargs=argparse.REMAINDER, help="for example: parked list")
        if name == "run":
            command.add_argument("--home", type=Path, default=UP_HOME)
            command.add_argument("--base-port", type=int, default=documented_base())
            command.add_argument("--database", default="parity")
            command.add_argument("--root", type=Path, default=ROOT, help="the folder that holds services/")
            command.add_argument("--services", nargs="+", choices=SERVICES, default=SERVICES)
            command.add_argument("--durable", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
