"""`make backup TO=FOLDER`, `make restore FROM=FOLDER`: the database by Postgres' own tools, and the secrets beside it.

A backup is taken while everything runs: `pg_dump` sees one moment of all schemas, the event log's among them. Without
the key ring what is sealed in it stays closed for ever, so the secrets are part of it; keep the folder accordingly.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

from deploy.local import background, stage
from deploy.local.environment import without_login
from deploy.local.keys import Keys
from deploy.local.plain import PlainError, give_up, plainly
from deploy.local.postgres import Cluster, address_of
from deploy.local.state import State, supervisor_of
from deploy.local.topology import ROOT, UP_HOME
from deploy.local.unprivileged import programs, runner
from libs.common import bootstrap

DUMP = "parity.dump"
SECRETS = "secrets"
RESTORED = ROOT / "deploy" / "restored.sql"


def back_up(home: Path, admin_url: str, place: Path) -> None:
    """`place` holds the database behind `admin_url` as it is at this moment, and the secrets of `home`."""
    with plainly(place):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.chmod(0o700)
        draft = place / f"{DUMP}.new"
        _run("pg_dump", admin_url, "--format=custom", f"--file={draft}")
        shutil.copytree(home / SECRETS, place / SECRETS, dirs_exist_ok=True)
        draft.replace(place / DUMP)


async def restore(server_url: str, database: str, place: Path) -> None:
    """`database` is as it was when the backup in `place` was made, and gives out no number that may be in use.

    `server_url` is a superuser's. Nothing may be connected; what `database` held before is gone.
    """
    passwords = Keys(place / SECRETS).passwords()
    await bootstrap.roles(server_url, passwords)
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f'drop database if exists "{database}" with (force)')
    finally:
        await connection.close()
    admin_url = await bootstrap.ensure_database(server_url, database)
    await asyncio.to_thread(_run, "pg_restore", admin_url, "--exit-on-error", "--single-transaction", str(place / DUMP))
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(RESTORED.read_text())
        await connection.execute("analyze")
    finally:
        await connection.close()


async def restore_home(home: Path, database: str, place: Path) -> None:
    """`home`, in which nothing runs, has the database and the secrets of the backup in `place`."""
    _take_secrets(home, place)
    with _server(home) as server_url:
        await restore(server_url, database, place)


def _take_secrets(home: Path, place: Path) -> None:
    if not (place / DUMP).is_file() or not (place / SECRETS / "passwords.json").is_file():
        raise PlainError(f"{place} holds no backup; `make backup TO={place}` makes one.")
    with plainly(home):
        home.mkdir(parents=True, exist_ok=True)
        shutil.copytree(place / SECRETS, home / SECRETS, dirs_exist_ok=True)
        (home / "log").write_text("embedded")


@contextmanager
def _server(home: Path) -> Iterator[str]:
    """The superuser's address of the server on which the database of `home` lies."""
    if named := os.environ.get("PARITY_DATABASE"):
        yield named
        return
    cluster = Cluster.start(home, durable=True)
    try:
        yield cluster.admin_url
    finally:
        cluster.stop()


def _run(program: str, admin_url: str, *arguments: str) -> None:
    """A program of Postgres has done its work on a database; the password is not on its command line."""
    found = urlsplit(admin_url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["PGPASSWORD"] = unquote(found.password or "")
    plain = urlsplit(without_login(admin_url))
    address = plain._replace(netloc=f"{found.username or 'postgres'}@{plain.netloc}").geturl()
    command = [str(programs(runner()) / program), f"--dbname={address}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if "No space left on device" in done.stderr:
            said = "the disk is full; free some space and try again"
        raise PlainError(f"{program} has not done it: {said[:300]}")


def _back_up_here(place: Path) -> None:
    home = next((home for home in stage.HOMES.values() if supervisor_of(home) is not None), None)
    state = State.read(home) if home is not None else None
    if home is None or state is None or not state.database:
        raise PlainError("nothing runs here; `make up` starts the services.")
    if state.log == "kafka":
        raise PlainError("this keeps the log in Kafka; docs/operate.md says how both are backed up.")
    server_url = os.environ.get("PARITY_DATABASE") or address_of(home)
    back_up(home, f"{server_url.rpartition('/')[0]}/{stage.DATABASES[home]}", place)
    print(f"The database and the secrets of this moment are in {place}; keep them where only you can read them.")


def _restore_here(place: Path) -> None:
    if any(supervisor_of(home) is not None for home in stage.HOMES.values()):
        raise PlainError("the services run; `make down` stops them, then try again.")
    background.stop(UP_HOME)
    asyncio.run(restore_home(UP_HOME, stage.DATABASES[UP_HOME], place))
    print(
        'Restored. `make up` starts it; then `make service DO="reporting rebuild"`, and docs/operate.md says the rest.'
    )


def main() -> None:
    """Back up what runs, or restore what `make up` will start."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("backup", "restore"))
    parser.add_argument("place", nargs="?", default="")
    asked = parser.parse_args()
    try:
        _do(asked.what, asked.place)
    except PlainError as error:
        give_up(error)


def _do(what: str, place: str) -> None:
    if not place:
        raise PlainError(f"name a folder: make {what} {'TO' if what == 'backup' else 'FROM'}=FOLDER")
    began = time.monotonic()
    do = _back_up_here if what == "backup" else _restore_here
    do(Path(place).expanduser().resolve())
    print(f"It took {time.monotonic() - began:.1f} s.")


if __name__ == "__main__":
    main()
