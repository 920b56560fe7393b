"""The environment of each process: only what this process may know."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.local.keys import AUDIENCE, ISSUER, Keys
from deploy.local.plain import PlainError
from deploy.local.state import HOME_VARIABLE, State
from deploy.local.topology import ROOT, WORKER_OFFSET, Part, parts

PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_TRACES_SAMPLER_ARG"),
    *("PARITY_BODY_LIMIT", "PARITY_RATE_PER_SECOND", "PARITY_RATE_BURST"),
    *("PARITY_CRASH", "PARITY_MUTANT"),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """What all processes of a home share; `secrets` is the folder as the processes see it."""

    home: Path
    keys: Keys
    admin_url: str
    log: str
    kafka: str | None
    base_port: int
    secrets: Path
    sandbox: str

    @classmethod
    def here(cls, home: Path, keys: Keys, admin_url: str, *, log: str, kafka: str | None, base_port: int) -> Self:
        """For processes on this machine."""
        sandbox = parts(base_port, ("sandbox",))[0].url
        return cls(home, keys, admin_url, log, kafka, base_port, keys.place, sandbox)

    def of(self, part: Part) -> dict[str, str]:
        """The variables of one API or worker: the login of its own role and no other."""
        roles = ("worker",) if part.kind == "worker" else ("api",)
        return self._common() | self._logins(part.service, roles) | _port(part)

    @classmethod
    def of_running(cls, home: Path) -> Self:
        """That of the platform that runs from `home`."""
        state = State.read(home)
        if state is None or not state.database:
            raise PlainError("nothing runs here; `make up` starts the services.")
        keys = Keys(home / "secrets")
        return cls.here(home, keys, state.database, log=state.log, kafka=state.kafka, base_port=state.base_port)

    def of_migrations(self, services: Iterable[str]) -> dict[str, str]:
        """The variables of several migrations that run in one process, one after another."""
        found = self._common() | {"PYTHONPATH": str(ROOT)}
        for service in services:
            found |= self.of_migration(service)
        return found

    def of_migration(self, service: str) -> dict[str, str]:
        """The variables of `python -m services.X migrate`: the login of the schema's owner."""
        return self._common() | self._logins(service, ("owner",)) | _port(parts(self.base_port, (service,))[0])

    def role_url(self, service: str, role: str) -> str:
        """The address of the database for one role."""
        return login(self.admin_url, f"{service}_{role}", self.keys.passwords()[f"{service}_{role}"])

    def _common(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        given = {
            HOME_VARIABLE: str(self.home),
            "PYTHONUNBUFFERED": "1",
            "PARITY_MODE": "local",
            "PARITY_CLOCK": "platform",
            "PARITY_LOG": self.log,
            "PARITY_KEYRING": str(self.secrets / self.keys.keyring.name),
            "PARITY_CURSOR_KEY": str(self.secrets / self.keys.cursor_key.name),
            "PARITY_JWKS": str(self.secrets / self.keys.jwks.name),
            "PARITY_ISSUER": ISSUER,
            "PARITY_AUDIENCE": AUDIENCE,
            "PARITY_SANDBOX": self.sandbox,
        }
        return passed | given | ({"PARITY_KAFKA": self.kafka} if self.kafka else {})

    def _logins(self, service: str, roles: tuple[str, ...]) -> dict[str, str]:
        return {f"{service.upper()}_DATABASE_{role.upper()}": self.role_url(service, role) for role in roles}


def _port(part: Part) -> dict[str, str]:
    """A worker is told the port of the API that it would stand beside, and listens a hundred above."""
    port = part.port - (WORKER_OFFSET if part.kind == "worker" else 0)
    return {f"{part.service.upper()}_PORT": str(port)}


def login(address: str, role: str, password: str) -> str:
    """`address` with the login of a role."""
    found = urlsplit(without_login(address))
    return urlunsplit(found._replace(netloc=f"{role}:{quote(password, safe='')}@{found.netloc}"))


def without_login(address: str) -> str:
    """`address` as it may be shown and written down."""
    found = urlsplit(address)
    return urlunsplit(found._replace(scheme="postgresql", netloc=found.netloc.rpartition("@")[2], fragment=""))
