"""Whether a broker answers: one Metadata request by hand, so that nothing but a socket is needed."""

import socket
import struct
import time
from collections.abc import Callable

METADATA, VERSION, CORRELATION = 3, 1, 7
ALL_TOPICS = -1


def answers(host: str, port: int, *, timeout: float = 2.0) -> bool:
    """True once the broker has joined its own cluster, and so can create topics and take records."""
    request = struct.pack("!hhih6si", METADATA, VERSION, CORRELATION, 6, b"parity", ALL_TOPICS)
    try:
        with socket.create_connection((host, port), timeout=timeout) as caller:
            caller.sendall(struct.pack("!i", len(request)) + request)
            head = _exactly(caller, 12)
    except OSError:
        return False
    _, correlation, brokers = struct.unpack("!iii", head)
    return bool(correlation == CORRELATION and brokers > 0)


def _exactly(caller: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = caller.recv(size - len(got))
        if not more:
            raise ConnectionResetError("closed before the answer was whole")
        got += more
    return got


def wait_for(host: str, port: int, *, seconds: float, alive: Callable[[], bool]) -> bool:
    """True as soon as the broker answers; False when it died or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and alive():
        if answers(host, port):
            return True
        time.sleep(0.1)
    return False
