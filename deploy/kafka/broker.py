"""A Kafka broker for this machine, in this order: PARITY_KAFKA, Docker, Java 17 with Maven.

A broker of ours listens on free ports, keeps its data under a given folder, and can be killed and started again
with its data and its address kept.
"""

import os
from pathlib import Path
from typing import Protocol

from deploy.kafka.container import ContainerBroker, docker_answers
from deploy.kafka.jvm import JvmBroker, why_no_java
from deploy.local.plain import PlainError


class Broker(Protocol):
    """A running broker; `address` is `host:port` and stays the same over `kill` and `restart`."""

    @property
    def address(self) -> str: ...
    @property
    def pid(self) -> int | None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...


class NamedBroker:
    """Somebody's broker, by its address: not ours to stop."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pid: int | None = os.getpid()

    def stop(self) -> None:
        """It runs on."""

    def kill(self) -> None:
        raise PlainError("a broker named by PARITY_KAFKA is not ours to kill.")

    restart = kill


def obstacle() -> str | None:
    """Why no broker is to be had here; None where one is."""
    if os.environ.get("PARITY_KAFKA") or docker_answers():
        return None
    return why_no_java()


def start(home: Path) -> Broker:
    """A broker that answers; PlainError where none is to be had."""
    if named := os.environ.get("PARITY_KAFKA"):
        return NamedBroker(named)
    return start_own(home)


def start_own(home: Path) -> Broker:
    """A broker of our own, whatever PARITY_KAFKA says: one that may be killed."""
    if docker_answers():
        return ContainerBroker.start(home)
    if reason := why_no_java():
        raise PlainError(f"no Kafka broker: set PARITY_KAFKA, start Docker, or install Java 17 and Maven ({reason}).")
    return JvmBroker.start(home)
