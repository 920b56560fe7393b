"""One Postgres for the run, one migrated template, a database of its own for each test that asks."""

import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from deploy.local.nursery import Nursery
from deploy.local.postgres import Cluster, remove
from libs.common.bootstrap import ROLES, SCHEMAS, bootstrap, ensure_database
from libs.common.clock import PlatformClock
from libs.common.db import Database
from libs.common.ids import uuid7
from libs.common.migrations import upgrade
from libs.common.sealing import Keyring
from libs.common.settings import Role, ServiceSettings

hypothesis.settings.register_profile("parity", deadline=None)
hypothesis.settings.load_profile("parity")

ROOT = Path(__file__).resolve().parents[1]
PASSWORDS = {role: f"{role}-secret" for role in ROLES}


THOROUGH = (
    "tests/x12/",
    "tests/sandbox/",
    "tests/remittance/test_",
    "tests/deploy/",
    "tests/common/log/",
    "tests/claims/test_acknowledge",
    "tests/claims/test_correct",
    "tests/credentialing/test_e",
    "tests/eligibility/test_auth",
    "tests/eligibility/test_check",
    "tests/reporting/test_deliver",
)
"""What is tried when its own part changes, and by CI; the everyday suite keeps to two minutes without it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(ROOT) and item.path.relative_to(ROOT).as_posix().startswith(THOROUGH):
            item.add_marker(pytest.mark.thorough)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the promises are told: on which log, how often, how much. The Makefile says the same by environment."""
    group = parser.getgroup("parity")
    group.addoption("--log", default=os.environ.get("PARITY_LOG") or "embedded")
    group.addoption("--seeds", type=int, default=int(os.environ.get("PARITY_SEEDS") or 1))
    group.addoption("--night", action="store_true", default=bool(os.environ.get("PARITY_NIGHT")))
    group.addoption("--require-kafka", action="store_true", default=bool(os.environ.get("PARITY_REQUIRE_KAFKA")))


@dataclass(slots=True)
class TestDatabase:
    """A database migrated to head, and the ways into it."""

    __test__ = False
    admin_url: str
    keyring_path: Path
    secrets: Path
    _open: list[Database] = field(default_factory=list)

    @property
    def keyring(self) -> Keyring:
        return Keyring.load(self.keyring_path)

    def url(self, service: str, role: Role) -> str:
        """The URL of one service's role."""
        user = f"{service}_{role}"
        host = self.admin_url.partition("@")[2]
        return f"postgresql://{user}:{PASSWORDS[user]}@{host}"

    def open(self, service: str, role: Role = "worker", *, pool: int = 5) -> Database:
        """A `Database` as the service itself opens it; closed when the test ends."""
        database = Database(
            self.url(service, role), service=service, clock=PlatformClock(), keyring=self.keyring, pool=pool
        )
        self._open.append(database)
        return database

    def settings(self, service: str, **changes: object) -> ServiceSettings:
        """The settings that a process of `service` would have here."""
        return ServiceSettings.from_environment(service, self.environment(service, **changes))

    def environment(self, service: str, **changes: object) -> dict[str, str]:
        """What a process of `service` is told here."""
        return {
            "PARITY_MODE": "local",
            "PARITY_CLOCK": "platform",
            "PARITY_KEYRING": str(self.keyring_path),
            "PARITY_CURSOR_KEY": str(self.secrets / "cursor.key"),
            "PARITY_JWKS": str(self.secrets / "jwks.json"),
            "PARITY_ISSUER": "https://parity.local",
            "PARITY_AUDIENCE": "parity",
            **{f"{service.upper()}_DATABASE_{r.upper()}": self.url(service, r) for r in ("owner", "api", "worker")},
            **{name: str(value) for name, value in changes.items()},
        }

    async def close(self) -> None:
        for database in self._open:
            await database.close()
        self._open.clear()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL server of this run."""
    server = Cluster.start(tmp_path_factory.mktemp("postgres"), durable=False)
    yield server
    server.stop()
    remove(server.home)


@pytest.fixture(scope="session")
async def nursery() -> AsyncIterator[Nursery]:
    """Where the processes of platforms are born with their libraries loaded."""
    async with Nursery.running() as found:
        yield found


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key ring, a cursor key and an issuer's key, as local mode has."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "keyring.json").write_text(
        json.dumps({"active": "t1", "keys": {"t1": base64.b64encode(os.urandom(32)).decode()}})
    )
    (folder / "cursor.key").write_text(base64.b64encode(os.urandom(32)).decode())
    return folder


@pytest.fixture(scope="session")
async def template(cluster: Cluster) -> str:
    """The name of a database in which every service stands at the head of its history."""
    name = "parity_template"
    admin_url = await ensure_database(cluster.admin_url, name)
    await bootstrap(admin_url, PASSWORDS)
    host = admin_url.partition("@")[2]
    for schema in SCHEMAS:
        history = ROOT / "services" / schema / "migrations"
        if (history / "env.py").exists():
            user = f"{schema}_owner"
            await upgrade(f"postgresql://{user}:{PASSWORDS[user]}@{host}", schema, history)
    return name


async def copy_of(template: str, cluster: Cluster, secrets: Path) -> TestDatabase:
    """A new database with everything the template has."""
    name = f"t_{uuid7().hex}"
    connection = await asyncpg.connect(cluster.admin_url)
    try:
        await connection.execute(f'create database "{name}" template "{template}" strategy file_copy')
    finally:
        await connection.close()
    return TestDatabase(f"{cluster.admin_url.rpartition('/')[0]}/{name}", secrets / "keyring.json", secrets)


async def drop(database: TestDatabase, cluster: Cluster) -> None:
    await database.close()
    connection = await asyncpg.connect(cluster.admin_url)
    try:
        await connection.execute(f'drop database "{database.admin_url.rpartition("/")[2]}" with (force)')
    finally:
        await connection.close()


@pytest.fixture
async def fresh_database(template: str, cluster: Cluster, secrets: Path) -> AsyncIterator[TestDatabase]:
    """A database of this test's own."""
    database = await copy_of(template, cluster, secrets)
    yield database
    await drop(database, cluster)


@pytest.fixture(scope="module")
async def module_database(template: str, cluster: Cluster, secrets: Path) -> AsyncIterator[TestDatabase]:
    """A database that the tests of one module share."""
    database = await copy_of(template, cluster, secrets)
    yield database
    await drop(database, cluster)
