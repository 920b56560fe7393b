"""The pull log: every event once, in pages, without what is sealed; a reader can come back for what follows."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from libs.common.events import CredentialExpiring, EraReceived, ProviderChanged, TaskChanged, read
from services.reporting.app import create_service
from services.reporting.project import on_event
from tests.calls import Api, open_api
from tests.conftest import TestDatabase
from tests.reporting.ledgers import a_month, a_task, project, record


@pytest.fixture
async def api(fresh_database: TestDatabase, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(create_service(), fresh_database, tmp_path) as found:
        yield found


async def test_a_reader_gets_every_event_once_and_then_what_comes_later(api: Api) -> None:
    records = [raw.replace(b"tnt_test", api.tenant.encode()) for raw in a_month()]
    await project(api.worker, records, api.tenant)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await api.get(f"/v1/events?limit=50{cursor}")
        seen += [event["id"] for event in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
        if not page["has_more"]:
            break
    assert len(seen) == len(set(seen)) == len(records)

    await project(api.worker, [record(a_task(99, "open"), 1, tenant=api.tenant)], api.tenant)
    page = await api.get(f"/v1/events?limit=50{cursor}")
    assert [event["subject"] for event in page["data"]] == ["tsk_99"]


async def test_an_event_still_uncommitted_is_not_passed_over(api: Api) -> None:
    """A record with a lower position that commits later must not fall behind a reader's cursor."""
    async with api.worker.transaction(api.tenant) as slow:
        from_slow = record(a_task(1, "open"), 1, tenant=api.tenant)
        await on_event(slow, read(from_slow, TaskChanged))
        await slow.settle()
        await project(api.worker, [record(a_task(2, "open"), 1, tenant=api.tenant)], api.tenant)
        during = await api.get("/v1/events")
        assert during["data"] == []
    after = await api.get(f"/v1/events?cursor={during['next_cursor']}")
    assert [event["subject"] for event in after["data"]] == ["tsk_1", "tsk_2"]


async def test_only_the_types_asked_for(api: Api) -> None:
    records = [raw.replace(b"tnt_test", api.tenant.encode()) for raw in a_month()]
    await project(api.worker, records, api.tenant)
    page = await api.get("/v1/events?types=denial.raised.v1")
    assert {event["type"] for event in page["data"]} == {"denial.raised.v1"}
    assert len(page["data"]) == 4
    like = await api.get("/v1/events?types=denial.*&types=*posted*&limit=200")
    assert {event["type"] for event in like["data"]} == {"denial.raised.v1", "payment.posted.v1"}
    mistaken = await api.call("GET", "/v1/events?types=denials.*")
    assert (mistaken.status_code, mistaken.json()["errors"][0]["code"]) == (422, "no_such_type")


async def test_a_cursor_that_is_not_ours_is_refused(api: Api) -> None:
    answer = await api.call("GET", "/v1/events?cursor=bm9uc2Vuc2U")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_a_caller_of_one_practice_is_told_of_its_own_clinicians_only(api: Api) -> None:
    for number, practice_id in ((1, "prc_1"), (2, "prc_2")):
        changed = ProviderChanged(
            provider_id=f"prv_{number}", practice_ids=[practice_id], status="active", level="master"
        )
        expiring = CredentialExpiring(
            provider_id=f"prv_{number}",
            credential_id=f"crd_{number}",
            credential="licence",
            expires_on=date(2026, 12, 1),
            days_left=30,
        )
        records = [record(event, 1, "credentialing", tenant=api.tenant) for event in (changed, expiring)]
        await project(api.worker, records, api.tenant)

    everybody, theirs = api.token(), api.token(practice_ids=["prc_1"])
    assert len((await api.get("/v1/events", token=everybody))["data"]) == 4
    assert (await api.get("/v1/events", token=theirs))["data"] == []
    both = ProviderChanged(provider_id="prv_3", practice_ids=["prc_1", "prc_2"], status="active", level="master")
    await project(api.worker, [record(both, 1, "credentialing", tenant=api.tenant)], api.tenant)
    assert "prc_2" in (await api.call("GET", "/v1/exports/provider", token=everybody)).text
    exported = (await api.call("GET", "/v1/exports/provider?format=ndjson", token=theirs)).text
    assert [name in exported for name in ("prv_3", "prc_1", "prc_2")] == [True, True, False]
    for table in ("provider", "credential_notice"):
        shown = (await api.call("GET", f"/v1/exports/{table}", token=theirs)).text
        assert "prv_1" in shown
        assert "prv_2" not in shown


async def test_a_remittance_of_which_nobody_knows_the_practice_is_told_to_who_may_see_all(api: Api) -> None:
    for number, practice_id in ((1, "prc_1"), (2, "prc_2"), (3, None)):
        came = EraReceived(
            era_id=f"era_{number}", practice_id=practice_id, payer_id="pay_harborbh", method="ACH", amount_cents=number,
            provider_adjustment_cents=0, claims=1, waiting=0, balance="balanced", paid_on=date(2026, 10, 20),
        )  # fmt: skip
        await project(api.worker, [record(came, 1, "remittance", tenant=api.tenant)], api.tenant)
    for token, seen in ((api.token(), 3), (api.token(practice_ids=["prc_1"]), 1)):
        assert len((await api.get("/v1/events", token=token))["data"]) == seen
        exported = (await api.call("GET", "/v1/exports/era", token=token)).text
        assert len(exported.splitlines()) == seen + 1
