"""The demo as a caller of Parity: bearer token, an idempotency key of its own for each POST, patience.

A call that meets a process which has just been killed is made again with the same key, as any EHR should do.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from deploy.local.keys import DEMO_TENANT
from deploy.local.platform import Platform

PATIENCE_SECONDS = 60.0


class Refused(Exception):
    """Parity refused what the demo asked: a fault of the demo, shown as it came."""

    def __init__(self, method: str, url: str, answer: httpx.Response) -> None:
        super().__init__(f"{method} {url}: {answer.status_code} {answer.text[:800]}")
        self.status = answer.status_code


@dataclass(slots=True)
class Client:
    """Calls to the services by name: `client.post("claims", "/v1/encounters", {...})`."""

    platform: Platform
    http: httpx.AsyncClient
    tenant_id: str = DEMO_TENANT
    _asked: int = 0
    _headers: dict[str, str] = field(default_factory=dict)

    async def get(self, service: str, path: str, **query: Any) -> Any:
        return await self._ask("GET", service, path, params=query or None)

    async def post(self, service: str, path: str, body: Any = None, **headers: str) -> Any:
        return await self._ask("POST", service, path, json={} if body is None else body, headers=headers)

    async def put(self, service: str, path: str, body: Any) -> Any:
        return await self._ask("PUT", service, path, json=body, headers={"If-Match": "*"})

    async def send(self, service: str, path: str, raw: bytes, content_type: str) -> Any:
        """Post what is not JSON: an X12 file."""
        return await self._ask("POST", service, path, content=raw, headers={"content-type": content_type})

    async def everything(self, service: str, path: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(service, path, limit=200, **query, **cursor)
            found += page["data"]
            if not page.get("page", {}).get("next_cursor"):
                return found
            cursor = {"cursor": page["page"]["next_cursor"]}

    async def webhook(self, service: str, source: dict[str, str], message_id: str, body: Any) -> None:
        """Post a signed webhook, as an EHR does (Standard Webhooks)."""
        raw, stamp = orjson.dumps(body), str(int(time.time()))
        key = base64.b64decode(source["secret"].removeprefix("whsec_"))
        signature = hmac.digest(key, f"{message_id}.{stamp}.".encode() + raw, hashlib.sha256)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
            "content-type": "application/json",
        }
        await self._ask("POST", service, f"/v1/inbound/{source['id']}", content=raw, headers=headers)

    async def _ask(self, method: str, service: str, path: str, **how: Any) -> Any:
        self._asked += 1
        url = self.platform.urls[service] + path
        headers = dict(how.pop("headers", None) or {})
        if service != "sandbox" and "webhook-id" not in headers:
            headers |= self._bearer()
            if method == "POST":
                headers.setdefault("Idempotency-Key", f"demo-{self._asked:08d}")
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self.http.request(method, url, headers=headers, **how)
                if answer.status_code not in (409, 502, 503, 504) or "Retry-After" not in answer.headers:
                    break
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(0.1)
        if answer.is_error:
            raise Refused(method, url, answer)
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.content

    def _bearer(self) -> dict[str, str]:
        if not self._headers:
            self._headers = dict(self.platform.headers(tenant_id=self.tenant_id))
        return self._headers
