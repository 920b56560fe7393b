"""How often one key may call: a token bucket for each, in this process, so that asking costs a microsecond.

A key is a tenant and the subject of its token, or the source of a webhook, once it has proven to be that; before, the
address that it comes from. Each API process counts for itself: with N of them behind a balancer a key may get up to N
times its rate (docs/decisions/0008).
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from libs.common import metrics
from libs.common.problems import Problem

_MOST_KEYS: Final = 20_000
"""Who has not called for longest is forgotten first: by then their bucket is full again, or somebody invents keys."""


class TooMany(Problem):
    """The key has spent its tokens."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            429,
            "rate_limited",
            "Too many requests",
            "This key calls more often than it may; wait as long as Retry-After says.",
            headers={"Retry-After": str(seconds)},
            more={"retryable": True},
        )


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """`per_second` tokens come to each key, up to `burst`; a request takes one. No rate, no limit."""

    def __init__(self, per_second: float, burst: int, *, now: Callable[[], float] = time.monotonic) -> None:
        assert burst >= 1, "a bucket holds at least one token"
        self._rate = per_second
        self._burst = burst
        self._now = now
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._policy = b'"default";q=%d;w=%d' % (burst, math.ceil(burst / per_second) if per_second else 0)

    def take(self, key: str) -> tuple[bool, list[tuple[bytes, bytes]]]:
        """Whether this request may pass, and the `RateLimit` headers that say what is left."""
        if not self._rate:
            return True, []
        now = self._now()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
        allowed = bucket.tokens >= 1
        if allowed:
            bucket.tokens -= 1
        left = int(bucket.tokens)
        wait = math.ceil((1 - bucket.tokens) / self._rate) if left < 1 else 0
        return allowed, [(b"ratelimit-policy", self._policy), (b"ratelimit", b'"default";r=%d;t=%d' % (left, wait))]

    def admit(self, key: str) -> list[tuple[bytes, bytes]]:
        """The headers of a request that may pass. Raises TooMany with what to wait."""
        allowed, headers = self.take(key)
        if allowed:
            return headers
        metrics.RATE_LIMITED.inc()
        refused = TooMany(max(1, math.ceil((1 - self._buckets[key].tokens) / self._rate)))
        refused.headers.update({name.decode(): value.decode() for name, value in headers})
        raise refused

    def restore(self, key: str) -> None:
        """The key has the token back that its last request took."""
        if (bucket := self._buckets.get(key)) is not None:
            bucket.tokens = min(self._burst, bucket.tokens + 1)


def place_of(host: str | None) -> str:
    """Where a caller is: the address, of IPv6 the /64 network, since one host has all addresses of that."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "nowhere"  # a socket of this machine
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
