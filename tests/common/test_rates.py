"""A key that calls too often is told how long to wait, and holds up nobody else."""

import httpx
import pytest

from libs.common.http import create_api
from libs.common.rates import Limits, TooMany
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
