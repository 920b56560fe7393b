"""The two platforms of this machine, that of `make up` and that of `make demo`: on the same ports, never at once.

The demo's driver:

    platform = stage.set_up(log, console)       # empty, everything ready; PlainError says why not
    asyncio.run(month.run(platform, …))
    stage.show(platform.home, console)          # the services stay up until `make down`
"""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.local import background
from deploy.local.plain import PlainError
from deploy.local.platform import Platform
from deploy.local.state import State, supervisor_of
from deploy.local.topology import DEMO_HOME, UP_HOME, documented_base, parts

HOMES = {"make up": UP_HOME, "make demo": DEMO_HOME}
DATABASES = {UP_HOME: "parity", DEMO_HOME: "parity_demo"}


def set_up(log: str, console: Console) -> Platform:
    """An empty platform for the demo, all of it ready; an earlier demo's is gone."""
    refuse_second(DEMO_HOME)
    with console.status("clearing away the last demo") as spinner:
        background.reset(DEMO_HOME, database=DATABASES[DEMO_HOME])
        background.start(
            DEMO_HOME,
            log=log,
            base_port=documented_base(),
            durable=False,
            database=DATABASES[DEMO_HOME],
            said=spinner.update,
        )
    return Platform.attached(DEMO_HOME)


def refuse_second(home: Path) -> None:
    """The other home does not run: it uses the same ports."""
    for name, other in HOMES.items():
        if other != home and supervisor_of(other) is not None:
            raise PlainError(f"what `{name}` started still runs on the same ports; `make down` stops it.")


def show(home: Path, console: Console) -> None:
    """Print each service with its address and its processes."""
    state = State.read(home)
    if state is None:
        return
    table = Table(
        "service", "address", "api", "worker", title=f"Parity on {state.log} log, state in {home}", title_justify="left"
    )
    for service in state.services:
        api, *workers = parts(state.base_port, (service,), state.workers)
        table.add_row(
            service, api.url, _describe(state, api.name), ", ".join(_describe(state, part.name) for part in workers)
        )
    console.print(table)


def _describe(state: State, name: str) -> str:
    process = state.processes.get(name)
    if process is None:
        return "down"
    return f"{process.pid}" + (f" (restarted {process.restarts}×)" if process.restarts else "")
