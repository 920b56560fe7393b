"""What the benchmarks run on: a Postgres of their own, migrated, and real processes of the services.

The server is set as `make up` sets it, durable: a commit waits for the disk.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.keys import AUDIENCE, ISSUER, Keys
from deploy.local.postgres import Cluster, remove
from deploy.local.postmaster import free_port
from libs.common.bootstrap import SCHEMAS, bootstrap, ensure_database
from libs.common.migrations import upgrade
from libs.common.settings import Role
from tests.conftest import PASSWORDS, ROOT, TestDatabase

START_SECONDS = 120.0


@dataclass(slots=True, eq=False)
class Stage:
    """A migrated database, the secrets of a home, and processes that end with the block that started them."""

    cluster: Cluster
    database: TestDatabase
    keys: Keys
    home: Path

    def token(self, tenant_id: str) -> str:
        return self.keys.token(tenant_id=tenant_id, subject="bench", scopes=["claims:read", "claims:write"])

    @contextmanager
    def api(self, service: str, environment: Mapping[str, str] | None = None) -> Iterator[int]:
        """The service's API answers at this port of 127.0.0.1."""
        port = free_port()
        given = self._settings(service, "api", port) | {
            # Nobody is kept out for being fast.
            "PARITY_RATE_LIMIT": "1000000",
            **(environment or {}),
        }
        with self.process(f"services.{service}", "api", port=port, path="/readyz", environment=given):
            yield port

    @contextmanager
    def worker(self, service: str) -> Iterator[None]:
        """The service's worker consumes, relays and does what is due."""
        port = free_port()
        given = self._settings(service, "worker", port)
        with self.process(f"services.{service}", "worker", port=port + 100, path="/livez", environment=given):
            yield

    def _settings(self, service: str, role: Role, port: int) -> dict[str, str]:
        return {
            "PARITY_MODE": "local",
            "PARITY_CLOCK": "platform",
            "PARITY_KEYRING": str(self.keys.keyring),
            "PARITY_CURSOR_KEY": str(self.keys.cursor_key),
            "PARITY_JWKS": str(self.keys.jwks),
            "PARITY_ISSUER": ISSUER,
            "PARITY_AUDIENCE": AUDIENCE,
            f"{service.upper()}_PORT": str(port),
            f"{service.upper()}_DATABASE_{role.upper()}": self.database.url(service, role),
        }

    @contextmanager
    def process(
        self, module: str, *arguments: str, port: int, path: str, environment: Mapping[str, str] | None = None
    ) -> Iterator[None]:
        """`python -m module …` runs, and has answered at `port`."""
        with (self.home / f"{module}-{port}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdout=log,
                stderr=log,
            )
            try:
                _wait_for(process, f"http://127.0.0.1:{port}{path}", Path(log.name))
                yield
            finally:
                process.terminate()
                process.wait(10)

    async def settle(self) -> None:
        """Plans are made for tables that hold rows, as autovacuum sees to within a minute of any real life."""
        await self.as_admin("analyze")

    async def as_admin(self, statement: str) -> None:
        connection = await asyncpg.connect(self.database.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A stage of this run's own; nothing of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="parity-bench-") as folder:
        home = Path(folder)
        cluster = Cluster.start(home / "postgres", durable=True)
        try:
            admin_url = await _migrated(cluster)
            keys = Keys.of(home)
            yield Stage(cluster, TestDatabase(admin_url, keys.keyring, keys.place), keys, home)
        finally:
            cluster.stop()
            remove(cluster.home)


async def _migrated(cluster: Cluster) -> str:
    admin_url = await ensure_database(cluster.admin_url, "bench")
    await bootstrap(admin_url, PASSWORDS)
    host = admin_url.partition("@")[2]
    for schema in SCHEMAS:
        user = f"{schema}_owner"
        history = ROOT / "services" / schema / "migrations"
        await upgrade(f"postgresql://{user}:{PASSWORDS[user]}@{host}", schema, history)
    return admin_url


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(log.read_text()[-2000:]) from None
