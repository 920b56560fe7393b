"""Those outside whom the platform calls, played by the test: what they are asked is kept, word for word."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import orjson

from deploy.local.demo.client import Client
from deploy.local.platform import Platform
from libs.common.ids import uuid7
from services.reporting.facts import TABLES
from tests import opening
from tests.platform import Scenario
from tests.serving import serving

_HOP_BY_HOP = frozenset({"connection", "content-encoding", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came; `target` is its path with the query."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def whole(self) -> bytes:
        return f"{self.method} {self.target}\n{self.headers}\n".encode() + self.body


Answer = Callable[[Asked], httpx.Response]


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody at an address of this machine, who keeps what is asked and answers as told."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    @classmethod
    @contextmanager
    def listening(cls, answer: Answer) -> Iterator["Listener"]:
        found = cls()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                asked = Asked(method=self.command, target=self.path, headers=headers, body=body)
                found.asked.append(asked)
                told = answer(asked)
                self.send_response(told.status_code)
                for name, value in told.headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(told.content)))
                self.end_headers()
                self.wfile.write(told.content)

            do_GET = do_POST = do_PUT = do_DELETE = _any

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing is said of what came."""

        with serving(Handler) as found.url:
            yield found


@contextmanager
def in_front_of(url: str) -> Iterator[Listener]:
    """Whoever is asked here answers as the one at `url` does."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as behind:

        def pass_on(asked: Asked) -> httpx.Response:
            headers = {name: value for name, value in asked.headers.items() if name not in _HOP_BY_HOP}
            return behind.request(asked.method, asked.target, headers=headers, content=asked.body)

        with Listener.listening(pass_on) as front:
            yield front


@dataclass(frozen=True, slots=True)
class Outside:
    """Those who are called: the clearinghouse, before which somebody stands, and an endpoint that wants every event."""

    front: Listener
    hook: Listener

    @classmethod
    @contextmanager
    def listening(cls, platform: Platform) -> Iterator["Outside"]:
        with in_front_of(platform.urls["sandbox"]) as front, Listener.listening(lambda _: httpx.Response(204)) as hook:
            yield cls(front, hook)

    async def come_between(self, scenario: Scenario) -> None:
        """From now on the practice's services ask the clearinghouse through us, and tell us every event."""
        await opening.clearinghouse(scenario.client, f"CN{uuid7().int % 10**10:010d}", url=self.front.url)
        wanted = {"url": f"{self.hook.url}/hook", "event_types": ["*"]}
        await scenario.client.post("reporting", "/v1/webhook-endpoints", wanted)

    async def told(self, scenario: Scenario) -> dict[str, list[bytes]]:
        """What can be read by those who are not to know anybody; of the clearinghouse, whose business it is, URLs."""
        client = scenario.client
        tables = [await client.get("reporting", f"/v1/exports/{table}") for table in TABLES]
        return {
            "URLs asked of the clearinghouse": [asked.target.encode() for asked in self.front.asked],
            "webhooks": [asked.whole for asked in self.hook.asked],
            "pulled log": [orjson.dumps(event) async for event in _pulled(client)],
            "analytics tables": [rows for rows in tables if rows],
        }


async def _pulled(client: Client) -> AsyncIterator[dict[str, Any]]:
    page = await client.get("reporting", "/v1/events", limit=200)
    while page["data"]:
        for event in page["data"]:
            yield event
        page = await client.get("reporting", "/v1/events", limit=200, cursor=page["next_cursor"])
