"""What a process counts and times, for Prometheus: codes and templates as labels, never anybody's identity.

What happens in the process is counted as it happens; what stands in the database is read when somebody asks, and
kept for some seconds (`readings.py`). Which service and process it is, the target's labels say.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

REGISTRY: Final = CollectorRegistry()
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_LOOK_SECONDS: Final = 0.5

ProcessCollector(registry=REGISTRY)
EVENT_SECONDS: Final = Histogram(
    "parity_event_seconds",
    "Seconds that one try at the effect of an event took, by how it ended: applied or failed.",
    ("topic", "outcome"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
DUPLICATES: Final = Counter(
    "parity_inbox_duplicates", "Events that came again and had no second effect.", ("topic",), registry=REGISTRY
)
PARKED: Final = Counter(
    "parity_events_parked", "Events whose key was parked because of them.", ("topic",), registry=REGISTRY
)
RELAYED: Final = Counter("parity_outbox_relayed", "Events moved from the outbox to the log.", registry=REGISTRY)
TIMER_SECONDS: Final = Histogram(
    "parity_timer_seconds",
    "Seconds that one try at due work took, by how it ended: done or failed.",
    ("kind", "outcome"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
HTTP_SECONDS: Final = Histogram(
    "parity_http_request_seconds",
    "Seconds from a request's headers to the end of its answer, by the route's template.",
    ("method", "route", "status"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
RATE_LIMITED: Final = Counter(
    "parity_http_rate_limited", "Requests answered with 429 because their key had spent its tokens.", registry=REGISTRY
)
LOOP_LAG: Final = Histogram(
    "parity_loop_lag_seconds",
    "How much later than asked the event loop came back to a task that slept.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)


def announce(topics: Iterable[str]) -> None:
    """What has not happened yet is counted as nothing, topic by topic, so that its first time is seen as a rise."""
    for topic in topics:
        DUPLICATES.labels(topic)
        PARKED.labels(topic)


def event(topic: str) -> AbstractContextManager[None]:
    """What runs inside is one try at the effect of an event."""
    return _one_try(EVENT_SECONDS, topic, "applied")


def timer(kind: str) -> AbstractContextManager[None]:
    """What runs inside is one try at due work."""
    return _one_try(TIMER_SECONDS, kind, "done")


@contextmanager
def _one_try(seconds: Histogram, name: str, success: str) -> Iterator[None]:
    began, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = success
    finally:
        seconds.labels(name, outcome).observe(time.perf_counter() - began)


def request(method: str, route: str | None, status: int, seconds: float) -> None:
    """A request was answered. What no route has, and methods of a caller's own making, are counted together."""
    known = method if method in _METHODS else "other"
    HTTP_SECONDS.labels(known, route or "none", f"{status // 100}xx" if status else "none").observe(seconds)


async def watch_loop() -> None:
    """Until cancelled: how late the event loop is, twice a second."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LOOK_SECONDS
        await asyncio.sleep(_LOOK_SECONDS)
        LOOP_LAG.observe(max(0.0, loop.time() - due))


def text() -> bytes:
    """What this process has counted, in Prometheus' text format."""
    return generate_latest(REGISTRY)
