"""Promise: no claim is sent twice, although the clearinghouse takes files in and is then not heard of."""

import asyncio
import time

import asyncpg
import httpx
import pytest

from deploy.local.demo.practice import Patient
from deploy.local.platform import Platform
from tests.platform import Scenario

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("promises")]

PAYERS = ("pay_harborbh", "pay_bluebonnet", "pay_summit")
PRACTICES, PATIENTS = 17, 4
DAILY = PRACTICES * len(PAYERS) * PATIENTS
DAYS_AT_NIGHT = 50
STRUCK = 0.3
AT_ONCE = 8


async def test_what_is_taken_and_then_not_confirmed_is_never_sent_again(
    running: Platform,
    http: httpx.AsyncClient,
    admin: asyncpg.Connection,
    night: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = await Scenario.open(running, http)
    practices = [first, *[await first.beside() for _ in range(PRACTICES - 1)]]
    days = DAYS_AT_NIGHT if night else 1
    began = time.monotonic()
    await first.client.post("sandbox", "/v1/faults", {"timeout_after_accept_rate": STRUCK, "seed": "sent-once"})
    try:
        for _ in range(days):
            await _a_day(practices)
    finally:
        await first.client.post("sandbox", "/v1/faults", {})

    found = dict(await admin.fetchrow(_FOUND, first.client.tenant_id))
    with capsys.disabled():
        print(f"\nsent once, {time.monotonic() - began:.0f} s: {found}")
    claims, files = days * DAILY, days * PRACTICES * len(PAYERS)
    assert found.pop("struck") > files * STRUCK / 3, "too few answers were lost for this to prove anything"
    assert found == {
        "claims": claims,
        "accepted": claims,
        "submissions": claims,
        "numbers_given": claims,
        "at_the_payers": claims,
        "numbers_at_the_payers": claims,
        "members_at_the_payers": claims,
        "batches": files,
        "control_numbers": files,
        "files": files,
    }


async def _a_day(practices: list[Scenario]) -> None:
    """Each patient, seen by nobody before, has had a session; what is ready went out and was acknowledged."""
    first = practices[0]
    if (await first.now()).hour != 16:
        await first.until("16:00")
    hands = asyncio.Semaphore(AT_ONCE)

    async def session(practice: Scenario, payer_id: str) -> None:
        async with hands:
            patient: Patient = await practice.patient(payer_id)
            await practice.tell_session(patient)

    async with asyncio.TaskGroup() as group:
        for practice in practices:
            for payer_id in PAYERS * PATIENTS:
                group.create_task(session(practice, payer_id))
    await first.claims_go_out()


_FOUND = """
    with mine as (select submitter_id from claims.batch where tenant_id = $1)
    select
      (select count(*) from claims.claim where tenant_id = $1) as claims,
      (select count(distinct claim_id) from claims.claim_history where tenant_id = $1 and status = 'accepted')
        as accepted,
      (select count(*) from claims.submission where tenant_id = $1) as submissions,
      (select count(distinct pcn) from claims.submission where tenant_id = $1) as numbers_given,
      (select count(*) from sandbox.claim where submitter_id in (table mine)) as at_the_payers,
      (select count(distinct pcn) from sandbox.claim where submitter_id in (table mine)) as numbers_at_the_payers,
      (select count(distinct member_id) from sandbox.claim where submitter_id in (table mine)) as members_at_the_payers,
      (select count(*) from claims.batch where tenant_id = $1) as batches,
      (select count(distinct control_number) from claims.batch where tenant_id = $1) as control_numbers,
      (select count(*) from sandbox.file where submitter_id in (table mine)) as files,
      (select count(*) from claims.batch where tenant_id = $1 and tries > 1) as struck
"""
