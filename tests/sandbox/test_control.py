"""Setting the scene."""

from typing import Any

import pytest

from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import a_270, said

MEMBER = {
    "payer_id": "pay_harborbh",
    "member_id": "W7",
    "last_name": "Doe",
    "first_name": "Pat",
    "birth_date": "1980-01-01",
    "effective_from": "2024-01-01",
}
ROSTER = {"payer_id": "pay_summit", "npi": "1555667785", "billing_npi": "1234567893", "effective_from": "2024-01-01"}
AUTHORIZATION = {
    "payer_id": "pay_summit",
    "member_id": "S1",
    "number": "EAP-1",
    "units": 6,
    "from": "2026-01-01",
    "to": "2026-12-31",
    "eap": True,
}


async def test_an_account_keeps_its_key(stage: Sandbox) -> None:
    first = await stage.post("/v1/accounts", {"submitter_id": "PRACTICE2"})
    assert await stage.post("/v1/accounts", {"submitter_id": "PRACTICE2"}) == first
    assert first["api_key"] != stage.headers["Authorization"].removeprefix("Bearer ")


async def test_members_and_rosters_come_one_by_one_or_in_batches(stage: Sandbox) -> None:
    assert await stage.post("/v1/members", MEMBER) == {"count": 1}
    batch = {"data": [MEMBER | {"member_id": f"W{n}"} for n in range(50)]}
    assert await stage.post("/v1/members", batch) == {"count": 50}
    assert await stage.post("/v1/rosters", {"data": [ROSTER, ROSTER | {"payer_id": "pay_medicare"}]}) == {"count": 2}
    assert await stage.post("/v1/payer-authorizations", AUTHORIZATION) is not None


async def test_enrolling_again_replaces_what_the_payer_held(stage: Sandbox) -> None:
    await stage.post("/v1/members", MEMBER)
    await stage.post("/v1/members", MEMBER | {"deductible_used_cents": 50000})
    answer = (await stage.ask(a_270(member_id="W7"))).content
    assert "EB*C*IND*MH***29*0*****Y" in said(answer, "EB*C")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/members", {"data": [MEMBER | {"payer_id": "pay_nobody"}]}, "payer_id"),
        ("/v1/members", {"data": [MEMBER | {"plan_id": "summit_assist"}]}, "plan_id"),
        ("/v1/members", {"data": [MEMBER | {"birth_date": "yesterday"}]}, "birth_date"),
        ("/v1/members", {"data": [MEMBER | {"surprise": 1}]}, "surprise"),
        ("/v1/rosters", {"data": [ROSTER | {"npi": "1234567890"}]}, "npi"),
        ("/v1/payer-authorizations", AUTHORIZATION | {"units": 0}, "units"),
        ("/v1/scenarios", {"member_id": "W1", "fault": "explode"}, "fault"),
        ("/v1/scenarios", {"member_id": "W1", "fault": "deny", "payer_id": "pay_nobody"}, "payer_id"),
        ("/v1/faults", {"timeout_after_accept_rate": 2}, "timeout_after_accept_rate"),
        ("/v1/accounts", {"submitter_id": "lower case"}, "submitter_id"),
    ],
)
async def test_what_is_not_valid_is_named(stage: Sandbox, path: str, body: dict[str, Any], pointer: str) -> None:
    answer = await stage.post(path, body, status=422)
    assert any(pointer in str(error) for error in answer["errors"]), answer


async def test_the_faults_are_listed(stage: Sandbox) -> None:
    listed = await stage.get("/v1/scenarios")
    assert {"late_835", "deny_197", "timeout_after_accept"} <= set(listed)
