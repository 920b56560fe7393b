"""What a process needs to know, from the environment: one frozen value, no unsafe default outside local mode."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

PORTS = {
    "eligibility": 8101,
    "claims": 8102,
    "remittance": 8103,
    "credentialing": 8104,
    "reporting": 8105,
    "sandbox": 8109,
}
"""The port of each service's API; its worker answers `/livez`, `/readyz`, `/metrics`, `/flow` on the port plus 100."""

Role = Literal["owner", "api", "worker"]


class MissingSetting(Exception):
    """A setting that has no safe default is absent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set: see docs/operate.md")


class RefusedSetting(Exception):
    """A setting with which no process starts; says its name and why, and never what it holds."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")


def secret(environ: Mapping[str, str], name: str) -> str:
    """The secret `name`, itself or from the file that `NAME_FILE` names; empty if neither is given."""
    value, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value and file:
        raise RefusedSetting(name, f"and {name}_FILE are both set: give one of them")
    return secret_in(file, f"{name}_FILE") if file else value


def secret_in(file: str, name: str) -> str:
    """What the file that the setting `name` names holds, without the white space around it."""
    try:
        found = Path(file).read_text().strip()
    except (OSError, ValueError) as error:
        raise RefusedSetting(name, f"names a file that cannot be read: {type(error).__name__}") from None
    if not found:
        raise RefusedSetting(name, "names a file that is empty")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Settings of one service; every service reads the same names with its own prefix.

    `databases` maps a role (owner, api, worker) to its URL. `mode` is `local` or `production`.
    """

    service: str
    mode: str
    host: str
    port: int
    databases: dict[str, str]
    log_url: str
    business_clock: str
    keyring: Path
    cursor_key: Path
    jwks: str
    issuer: str
    audience: str
    otlp_endpoint: str | None
    body_limit_bytes: int
    rate_per_second: float = 0
    """Requests a second that one key may send to one API process; 0: as many as it likes."""
    rate_burst: int = 1
    crash_notes: Path | None = None
    """Where a test says at which points this process is to die (`crashpoints.py`)."""
    mutant: str | None = None
    """Which broken design this process is to be (`mutants.py`)."""

    @property
    def local(self) -> bool:
        return self.mode == "local"

    @classmethod
    def from_environment(cls, service: str, environ: dict[str, str] | None = None) -> Self:
        """The settings of `service`, or MissingSetting or RefusedSetting naming the variable."""
        env = dict(os.environ) if environ is None else environ
        prefix = service.upper()

        def need(name: str) -> str:
            value = env.get(f"{prefix}_{name}") or env.get(f"PARITY_{name}")
            if not value:
                raise MissingSetting(f"PARITY_{name}")
            return value

        databases = _databases(env, prefix)
        kafka = env.get("PARITY_KAFKA", "")
        uses_kafka = env.get("PARITY_LOG", "embedded") == "kafka"
        if uses_kafka and not kafka:
            raise MissingSetting("PARITY_KAFKA")
        mode = env.get("PARITY_MODE", "production")
        for name in ("PARITY_CRASH", "PARITY_MUTANT"):
            if env.get(name) and mode != "local":
                raise RefusedSetting(name, "is for tests in local mode only")
        return cls(
            service=service,
            mode=mode,
            host=env.get("PARITY_HOST", "127.0.0.1" if mode == "local" else "0.0.0.0"),  # noqa: S104
            port=int(env.get(f"{prefix}_PORT", PORTS[service])),
            databases=databases,
            log_url=f"kafka://{kafka}" if uses_kafka else databases.get("worker", next(iter(databases.values()))),
            business_clock=env.get("PARITY_CLOCK", "system"),
            keyring=Path(need("KEYRING")),
            cursor_key=Path(need("CURSOR_KEY")),
            jwks=need("JWKS"),
            issuer=need("ISSUER"),
            audience=need("AUDIENCE"),
            otlp_endpoint=env.get("OTEL_EXPORTER_OTLP_ENDPOINT"),
            body_limit_bytes=int(env.get("PARITY_BODY_LIMIT", 1024 * 1024)),
            rate_per_second=float(env.get("PARITY_RATE_PER_SECOND", 0 if mode == "local" else 100)),
            rate_burst=int(env.get("PARITY_RATE_BURST", 500)),
            crash_notes=Path(env["PARITY_CRASH"]) if env.get("PARITY_CRASH") else None,
            mutant=env.get("PARITY_MUTANT") or None,
        )

    def database(self, role: Role) -> str:
        """The URL for a role, or MissingSetting naming the variable."""
        try:
            return self.databases[role]
        except KeyError:
            raise MissingSetting(f"{self.service.upper()}_DATABASE_{role.upper()}") from None


def _databases(env: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The URL of each role that this process may log in as: at least one."""
    found = {}
    for role in ("owner", "api", "worker"):
        name = f"{prefix}_DATABASE_{role.upper()}"
        if url := secret(env, name):
            if not url.startswith(("postgresql://", "postgres://")):
                raise RefusedSetting(name, "is not a postgresql:// address")
            found[role] = url
    if not found:
        raise MissingSetting(f"{prefix}_DATABASE_API")
    return found
