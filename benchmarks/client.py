"""A client that costs little: finished bytes out, and of each answer its status and its length.

Several connections, kept alive, one request at a time on each. It shares the machine with what it measures, on both
sides of each ratio alike.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast


@dataclass(slots=True)
class Load:
    """What a round of requests came to."""

    answers: int = 0
    seconds: float = 0.0
    others: int = 0
    """Answers whose status was not the one expected."""

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last is whole."""

    def __init__(self, requests: Iterator[bytes], expected: bytes, load: Load, done: "asyncio.Future[None]") -> None:
        self._requests, self._expected, self._load, self._done = requests, expected, load, done
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is not a subclass
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = b""
        self._load.answers += 1
        self._load.others += head[9:12] != self._expected
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
            return
        if not self._done.done():
            self._done.set_result(None)
        self._transport.close()


def request(path: str, body: bytes, **headers: str) -> bytes:
    """A POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: bench", "content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def drive(port: int, requests: list[bytes], *, connections: int = 8, expected: int = 201) -> Load:
    """All requests have been answered. Raises if an answer was not the expected one: a refusal is quick."""
    load, todo = Load(), iter(requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)
        await loop.create_connection(
            lambda done=done: _Connection(todo, str(expected).encode(), load, done), "127.0.0.1", port
        )
    await asyncio.gather(*waiting)
    load.seconds = time.perf_counter() - began
    if load.others:
        raise RuntimeError(f"{load.others} of {load.answers} answers were not {expected}")
    return load
