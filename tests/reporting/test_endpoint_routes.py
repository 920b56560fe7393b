"""Endpoints as an EHR engineer keeps them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.reporting.app import create_service
from tests.calls import Api, open_api
from tests.conftest import TestDatabase

HOOK = {"url": "https://ehr.example.com/hook", "event_types": ["claim.*"]}


@pytest.fixture
async def api(module_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(create_service(), module_database, tmp_path) as found:
        yield found


async def test_a_secret_is_shown_once(api: Api) -> None:
    made = await api.post("/v1/webhook-endpoints", HOOK)
    assert made["secret"].startswith("whsec_")
    assert "secret" not in await api.get(f"/v1/webhook-endpoints/{made['id']}")


async def test_a_change_needs_the_version_that_was_read(api: Api) -> None:
    made = await api.post("/v1/webhook-endpoints", HOOK)
    path = f"/v1/webhook-endpoints/{made['id']}"
    assert (await api.patch(path, {"status": "paused"}, version='"1"'))["status"] == "paused"
    stale = await api.call("PATCH", path, {"status": "active"}, If_Match='"1"')
    assert stale.status_code == 412
    assert (await api.call("PATCH", path, {"status": "active"})).status_code == 428


async def test_an_address_in_our_own_network_is_refused_with_its_field(api: Api) -> None:
    for url in ("ftp://example.com/x", "https://10.0.0.1/x", "https://169.254.169.254/latest/meta-data"):
        answer = await api.call("POST", "/v1/webhook-endpoints", HOOK | {"url": url})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/url")


async def test_another_tenant_cannot_know_of_it(api: Api) -> None:
    made = await api.post("/v1/webhook-endpoints", HOOK)
    token = api.token(tenant_id="tnt_other")
    path = f"/v1/webhook-endpoints/{made['id']}"
    assert (await api.call("GET", path, token=token)).status_code == 404
    assert (await api.call("DELETE", path, token=token)).status_code == 404


async def test_a_deleted_endpoint_is_gone(api: Api) -> None:
    made = await api.post("/v1/webhook-endpoints", HOOK)
    path = f"/v1/webhook-endpoints/{made['id']}"
    assert (await api.call("DELETE", path)).status_code == 204
    assert (await api.call("GET", path)).status_code == 404


async def test_a_caller_of_one_practice_has_endpoints_for_that_one_only(api: Api) -> None:
    theirs = api.token(practice_ids=["prc_1"])
    for practice_id in (None, "prc_2"):
        refused = await api.call("POST", "/v1/webhook-endpoints", HOOK | {"practice_id": practice_id}, token=theirs)
        assert (refused.status_code, refused.json()["code"]) == (403, "practice_forbidden"), practice_id
    made = await api.post("/v1/webhook-endpoints", HOOK | {"practice_id": "prc_1"}, token=theirs)
    everybodys = await api.post("/v1/webhook-endpoints", HOOK)
    await api.post(f"/v1/webhook-endpoints/{everybodys['id']}/ping", {})
    [ping] = (await api.get(f"/v1/webhook-endpoints/{everybodys['id']}/deliveries"))["data"]
    shown = (await api.get("/v1/webhook-endpoints", token=theirs))["data"]
    assert [one["id"] for one in shown] == [made["id"]]
    for method, what, body in (
        ("GET", "", None),
        ("PATCH", "", {"status": "paused"}),
        ("DELETE", "", None),
        ("POST", "/secrets", {}),
        ("POST", "/ping", {}),
        ("GET", f"/deliveries/{ping['id']}/attempts", None),
    ):
        path = f"/v1/webhook-endpoints/{everybodys['id']}{what}"
        answer = await api.call(method, path, body, token=theirs, If_Match="*")
        assert answer.status_code == 404, (method, what)
