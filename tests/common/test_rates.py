"""A key that calls too often is told how long to wait, and holds up nobody else."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from libs.common import signatures
from libs.common.http import create_api
from libs.common.rates import Limits, TooMany, place_of
from tests.callers import Issuer, calling
from tests.common import door_service
from tests.conftest import TestDatabase


def test_a_bucket_empties_fills_up_and_is_each_keys_own() -> None:
    at = 100.0
    limits = Limits(2, 3, now=lambda: at)
    assert [limits.take("a")[0] for _ in range(4)] == [True, True, True, False]
    assert limits.take("b")[0]
    at += 0.5
    assert [limits.take("a")[0] for _ in range(2)] == [True, False]
    at += 3600
    assert [limits.take("a")[0] for _ in range(4)] == [True, True, True, False]


def test_who_is_refused_is_told_when_to_come_back() -> None:
    limits = Limits(0.1, 1, now=lambda: 0.0)
    limits.admit("a")
    with pytest.raises(TooMany) as refused:
        limits.admit("a")
    assert refused.value.headers["Retry-After"] == "10"


def test_without_a_rate_nobody_is_counted() -> None:
    limits = Limits(0, 1)
    assert [limits.admit("a") for _ in range(3)] == [[], [], []]


async def test_the_second_call_of_a_key_is_refused_and_its_neighbours_is_not(
    doors_database: TestDatabase, issuer: Issuer, tenant: str
) -> None:
    settings = doors_database.settings("reporting", PARITY_RATE_PER_SECOND="0.001", PARITY_RATE_BURST="1")
    api = create_api(door_service.create_service(), settings)
    async with api.router.lifespan_context(api), calling(api, issuer.token(tenant_id=tenant)) as caller:
        first, second = await caller.get("/v1/tasks"), await caller.get("/v1/tasks")
        async with calling(api, issuer.token()) as neighbour:
            third: httpx.Response = await neighbour.get("/v1/tasks")
    assert (first.status_code, second.status_code, third.status_code) == (200, 429, 200)
    assert first.headers["ratelimit"].startswith('"default";r=0;t=')
    assert second.headers["ratelimit-policy"] == '"default";q=1;w=1000'
    assert (second.json()["code"], second.json()["retryable"]) == ("rate_limited", True)
    assert int(second.headers["retry-after"]) > 900


def test_a_host_of_ipv6_is_known_by_its_network_and_a_socket_by_nothing() -> None:
    assert place_of("203.0.113.9") == "203.0.113.9"
    assert place_of("2001:db8:1:2:3:4:5:6") == place_of("2001:db8:1:2::1") != place_of("2001:db8:1:3::1")
    assert place_of(None) == place_of("") == "nowhere"


async def test_a_stranger_who_knows_a_sources_address_spends_none_of_its_tokens(
    doors_database: TestDatabase, issuer: Issuer, tenant: str
) -> None:
    """Who does not sign is counted by where they are, and refused there unread; who signs, as the source."""
    settings = doors_database.settings("reporting", PARITY_RATE_PER_SECOND="0.001", PARITY_RATE_BURST="3")
    api = create_api(door_service.create_service(), settings)
    async with api.router.lifespan_context(api):
        async with calling(api, issuer.token(tenant_id=tenant)) as owner:
            source = (await owner.post("/v1/webhook-sources", json={"kind": "ehr", "name": "Acme EHR"})).json()
        async with _at(api, "198.51.100.7") as stranger, _at(api, "203.0.113.9") as sender:
            forged = [await _post(stranger, source, signatures.new_secret()) for _ in range(4)]
            taken = [await _post(sender, source, source["secret"]) for _ in range(4)]
            unread = [await _post(sender, source, source["secret"]) for _ in range(3)]
            theirs = await _post(stranger, source, source["secret"])
    assert [answer.status_code for answer in forged] == [401, 401, 401, 429]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in forged] == ["r=2", "r=1", "r=0", "r=0"]
    assert int(forged[3].headers["retry-after"]) > 900
    assert [answer.status_code for answer in taken] == [202, 202, 202, 429]
    assert [answer.headers.get_list("ratelimit")[0].split(";")[1] for answer in taken] == ["r=2", "r=1", "r=0", "r=0"]
    assert all(len(answer.headers.get_list("ratelimit")) == 1 for answer in (*forged, *taken))
    assert int(taken[3].headers["retry-after"]) > 900
    assert {answer.status_code for answer in (*unread, theirs)} == {429}


@asynccontextmanager
async def _at(api: FastAPI, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token who calls from this address."""
    transport = httpx.ASGITransport(app=api, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://parity.test") as client:
        yield client


async def _post(client: httpx.AsyncClient, source: dict[str, str], secret: str) -> httpx.Response:
    body, at = b'{"minutes": 50, "name": "Jo Rivera"}', int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": signatures.sign(secret, "msg_1", at, body),
    }
    return await client.post(source["url"], content=body, headers=headers)
