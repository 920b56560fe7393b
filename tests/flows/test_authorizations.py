"""Authorized units, used up and renewed."""

import pytest

from tests.platform import OFFICE, Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


async def test_an_authorization_runs_out_and_a_new_one_lets_the_rest_go(platform: Scenario) -> None:
    patient = await platform.patient("pay_bluebonnet")
    await platform.authorization(patient, number="BB1", units=1, codes=["90837"])
    first = await platform.session(patient, minutes=56)
    await platform.claims_go_out()
    await platform.until(OFFICE)
    second = await platform.session(patient, minutes=56)
    await platform.claims_go_out()

    assert await platform.status(first) == "accepted"
    waiting = await platform.claim(second)
    assert (waiting["status"], waiting["reasons"]) == ("waiting", ["authorization_exhausted"])
    assert (await platform.tasks())["authorization_exhausted"] == 1

    await platform.until(OFFICE)
    async with platform.expects("claim.submitted"):
        await platform.authorization(patient, number="BB2", units=4, codes=["90837"])
        await platform.claims_go_out()

    assert await platform.status(second) == "accepted"
    assert "REF*G1*BB1~" in await platform.file_of(first)
    assert "REF*G1*BB2~" in await platform.file_of(second)
    assert "authorization_exhausted" not in await platform.tasks()
