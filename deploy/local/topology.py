"""Which processes make up Parity on one machine, and the port of each."""

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.plain import PlainError
from deploy.local.postmaster import is_free

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".parity"
UP_HOME = STATE
DEMO_HOME = STATE / "demo"

DOCUMENTED_BASE = 8100
WORKER_OFFSET = 100
OFFSETS = {"eligibility": 1, "claims": 2, "remittance": 3, "credentialing": 4, "reporting": 5, "sandbox": 9}
SERVICES = tuple(OFFSETS)
ROLES = ("owner", "api", "worker")


@dataclass(frozen=True, slots=True)
class Part:
    """One process: an API or a worker of a service."""

    service: str
    kind: str
    port: int
    number: int = 1

    @property
    def name(self) -> str:
        """What operators call it: `claims-worker`, and beside it `claims-worker-2`."""
        return f"{self.service}-{self.kind}" + (f"-{self.number}" if self.number > 1 else "")

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


def parts(base: int, services: Iterable[str] = SERVICES, workers: int = 1) -> list[Part]:
    """The API of each service and its workers, each worker a hundred ports above the one before."""
    found = []
    for service in services:
        port = base + OFFSETS[service]
        found.append(Part(service, "api", port))
        found += [Part(service, "worker", port + WORKER_OFFSET * number, number) for number in range(1, workers + 1)]
    return found


def documented_base() -> int:
    """8100, so that eligibility is at 8101; PARITY_BASE_PORT moves all ports together."""
    asked = os.environ.get("PARITY_BASE_PORT", str(DOCUMENTED_BASE))
    if not asked.isdigit() or not 1024 <= int(asked) <= 65000:
        raise PlainError(f"PARITY_BASE_PORT is {asked!r}; give a number from 1024 to 65000.")
    return int(asked)


def free_base(workers: int = 1) -> int:
    """A base at which every port is free now: for tests.

    Below the ports that systems give to outgoing calls: one of those may be taken while a killed process is away.
    """
    for _ in range(200):
        base = random.randrange(10_000, 30_000)  # noqa: S311  no secret
        if all(is_free(part.port) for part in parts(base, workers=workers)):
            return base
    raise PlainError("no free ports found; stop some programs and try again.")


def refuse_taken_ports(wanted: Iterable[Part]) -> None:
    """Every port of `wanted` is free, or the first that is not is named."""
    for part in wanted:
        if not is_free(part.port):
            raise PlainError(
                f"port {part.port}, which {part.name} needs, is taken by another program; "
                f"stop it (`lsof -i :{part.port}` names it), or move all ports with PARITY_BASE_PORT=9100."
            )
