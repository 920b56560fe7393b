"""A file that has not gone out does not go once a patient in it has revoked; the others of the file do."""

from typing import Any

import pytest

from libs.common.clearinghouse import ClearinghouseError
from libs.common.events import ClaimSubmitted
from tests.claims.conftest import Desk, another_session
from tests.claims.test_consents import PROTECTED, consent
from tests.clearinghouse import Fault

pytestmark = pytest.mark.thorough


async def a_stored_file(desk: Desk, fault: Fault) -> tuple[dict[str, Any], dict[str, Any]]:
    """A protected session and another's in one file whose sending failed; the consent is revoked afterwards."""
    given = await consent(desk)
    protected = await desk.send(another_session("ehr-1", sensitivity=PROTECTED, patient={"external_id": "MRN-5521"}))
    other = await desk.send(another_session("ehr-2"))
    for encounter in (protected, other):
        await desk.check(encounter["id"])
    desk.clearinghouse.next_fault = fault
    with pytest.raises(ClearinghouseError):
        await desk.at(18)
    assert [(await desk.claim(one))["status"] for one in (protected, other)] == ["in_doubt"] * 2
    await desk.api.post(f"/v1/consents/{given['id']}/revocations", {"why": "the patient asked"})
    return protected, other


async def test_a_file_that_never_arrived_goes_without_the_claim_that_may_not(desk: Desk) -> None:
    protected, other = await a_stored_file(desk, "unreachable")
    await desk.api.run_due()
    held, sent = await desk.claim(protected), await desk.claim(other)
    assert (held["status"], held["reasons"]) == ("waiting", ["disclosure_hold"])
    assert (sent["status"], sent["attempts"]) == ("submitted", 2)
    [file] = desk.clearinghouse.files
    assert [one.pcn for one in desk.sent_file().claims] == [sent["submissions"][-1]["patient_control_number"]]
    assert file.control_number == "000000002", "the number of the file that never went is not used again"
    assert [one.claim_id for one in await desk.api.told(ClaimSubmitted)] == [sent["id"]]


async def test_a_file_that_did_arrive_stays_where_it_is(desk: Desk) -> None:
    protected, other = await a_stored_file(desk, "lost_answer")
    await desk.api.run_due()
    assert [(await desk.claim(one))["status"] for one in (protected, other)] == ["submitted"] * 2
    assert len(desk.clearinghouse.files) == 1


async def test_a_consent_that_is_given_again_lets_the_claim_go(desk: Desk) -> None:
    protected, _ = await a_stored_file(desk, "unreachable")
    await desk.api.run_due()
    await consent(desk, external_id="cns-11")
    assert (await desk.claim(protected))["status"] == "ready"
    await desk.at(18, day=6)
    assert (await desk.claim(protected))["status"] == "submitted"
