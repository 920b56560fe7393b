"""What a claim waits for, and that it goes on by itself."""

import httpx
import pytest

from deploy.local.platform import Platform
from tests.platform import Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("platform")]


@pytest.fixture
async def platform(running: Platform, http: httpx.AsyncClient) -> Scenario:
    """A practice whose clinician waits for Bluebonnet."""
    return await Scenario.open(running, http, not_loaded_at="pay_bluebonnet")


async def test_a_claim_waits_for_an_enrollment_and_goes_on_by_itself(platform: Scenario) -> None:
    claim = await platform.session(await platform.patient("pay_bluebonnet"))
    await platform.until("18:00")
    waiting = await platform.claim(claim)
    assert (waiting["status"], waiting["reasons"]) == ("waiting", ["enrollment"])
    assert await platform.tasks() == {"enrollment": 1, "claims_held_for_enrollment": 1}

    await platform.until("12:00")
    await platform.payer_loads_clinician("pay_bluebonnet")
    assert await platform.status(claim) == "ready"
    async with platform.expects("claim.submitted"):
        await platform.claims_go_out()

    assert await platform.status(claim) == "accepted"
    assert not await platform.tasks()
