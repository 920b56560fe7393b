"""A Kafka broker in Docker."""

import os
import socket
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.kafka.probe import wait_for
from deploy.local.plain import PlainError
from deploy.local.postmaster import HOST, free_port

IMAGE = "apache/kafka:4.3.0"
START_SECONDS = 120.0


@cache
def docker_answers() -> bool:
    """Whether a Docker daemon is there for us: asked over its socket, since the client library leaves its own open."""
    named = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    try:
        if named.scheme == "unix":
            caller = socket.socket(socket.AF_UNIX)
            address: str | tuple[str, int] = named.path
        else:
            caller = socket.socket()
            address = (named.hostname or HOST, named.port or 2375)
        with caller:
            caller.settimeout(2)
            caller.connect(address)
            caller.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in caller.recv(64)
    except OSError:
        return False


class ContainerBroker:
    """A broker in a container of its own; its data live as long as the container."""

    def __init__(self, container: Any, port: int) -> None:
        self._container = container
        self.address = f"{HOST}:{port}"
        self._port = port

    @classmethod
    def start(cls, home: Path) -> "ContainerBroker":
        """A broker that answers on a free port; `home` gets nothing, the container keeps the data."""
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415  only where Docker is

        port = free_port()
        container = DockerContainer(IMAGE).with_bind_ports(9092, port)
        for name, value in _settings(port).items():
            container = container.with_env(name, value)
        broker = cls(container.start(), port)
        try:
            broker._wait()
        except BaseException:
            broker.stop()
            raise
        return broker

    @property
    def pid(self) -> int | None:
        """The broker's process as Docker sees it, if it runs."""
        state = self._state()
        return int(state["Pid"]) if state.get("Running") else None

    def stop(self) -> None:
        """The container and its data are gone."""
        self._container.stop()

    def kill(self) -> None:
        """As after a power cut; the data stay."""
        self._container.get_wrapped_container().kill()

    def restart(self) -> None:
        """The broker answers again, with its data."""
        self._container.get_wrapped_container().start()
        self._wait()

    def _wait(self) -> None:
        if not wait_for(HOST, self._port, seconds=START_SECONDS, alive=lambda: self.pid is not None):
            raise PlainError("Kafka does not start in Docker; `docker logs` says why.")

    def _state(self) -> dict[str, Any]:
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        found = wrapped.attrs["State"]
        assert isinstance(found, dict)
        return found


def _settings(port: int) -> dict[str, str]:
    """The same choices as server.properties, in the words of the image."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_NUM_PARTITIONS": "12",
        "KAFKA_MESSAGE_MAX_BYTES": "2097152",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    }
