"""At the cut, what is ready goes out once, whatever fails in between."""

import pytest
import sqlalchemy as sa

from libs.common.clearinghouse import ClearinghouseError
from libs.common.events import ClaimSubmitted
from tests.claims.conftest import Desk, an_encounter, another_session
from tests.clearinghouse import Fault


async def test_a_session_becomes_an_837_that_the_payer_can_read(desk: Desk) -> None:
    encounter = await desk.submitted()
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["attempts"]) == ("submitted", 1)

    sent = desk.sent_file().claims[0]
    assert (sent.pcn, sent.charge_cents, sent.pos, sent.frequency) == (
        claim["submissions"][0]["patient_control_number"],
        17500,
        "10",
        "1",
    )
    assert (sent.subscriber.party.id, sent.subscriber.filing_code, sent.payer.id) == ("HB123", "CI", "HRBBH")
    assert sent.billing_provider.address is not None
    assert (sent.billing_provider.tax_id, len(sent.billing_provider.address.postal_code)) == ("741234567", 9)
    assert sent.rendering is not None
    assert (sent.rendering.id, sent.diagnoses) == ("1234567893", ("F331", "F411"))
    line = sent.lines[0]
    assert (line.procedure, line.modifiers, line.pointers) == ("90834", ("95",), (1, 2))
    assert line.line_control_number == f"{sent.pcn}L1"

    told = (await desk.api.told(ClaimSubmitted))[0]
    assert (told.patient_control_number, told.attempt, told.frequency) == (sent.pcn, 1, "1")
    assert told.lines[0].line_control == line.line_control_number


async def test_batches_are_cut_by_payer_and_ordered_by_date_and_external_id(desk: Desk) -> None:
    await desk.enroll("pay_summit")
    for external_id in ("ehr-30", "ehr-10"):
        encounter = await desk.send(another_session(external_id))
        await desk.check(encounter["id"])
    elsewhere = await desk.send(another_session("ehr-20"))
    await desk.check(elsewhere["id"], payer_id="pay_summit", bill_payer_id="pay_summit")
    await desk.at(18)

    files = {file.claims[0].payer.id: file for file in (desk.sent_file(0), desk.sent_file(1))}
    assert [claim.subscriber.party.first_name for claim in files["HRBBH"].claims] == ["P10", "P30"]
    assert [claim.subscriber.party.first_name for claim in files["SUMMT"].claims] == ["P20"]
    numbers = [file.control_number for file in desk.clearinghouse.files]
    assert sorted(numbers) == ["000000001", "000000002"]


async def test_a_claim_that_is_ready_after_the_cut_goes_out_at_the_next(desk: Desk) -> None:
    await desk.at(18)
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    await desk.api.run_due()
    assert (await desk.claim(encounter))["status"] == "ready"
    await desk.at(18, day=6)
    assert (await desk.claim(encounter))["status"] == "submitted"


@pytest.mark.parametrize("fault", ["lost_answer", "time_out", "lost_request", "unreachable", "error", "unavailable"])
async def test_whatever_happens_to_the_sending_the_payer_has_the_file_once(desk: Desk, fault: Fault) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    desk.clearinghouse.next_fault = fault
    with pytest.raises(ClearinghouseError):
        await desk.at(18)
    assert (await desk.claim(encounter))["status"] == "in_doubt"
    assert await desk.api.told(ClaimSubmitted) == []

    await desk.api.run_due()
    assert (await desk.claim(encounter))["status"] == "submitted"
    assert len(desk.clearinghouse.files) == 1
    assert len(await desk.api.told(ClaimSubmitted)) == 1


async def test_a_file_that_the_clearinghouse_refuses_brings_its_claims_back_to_a_person(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    desk.clearinghouse.next_fault = "refuse"
    await desk.at(18)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["reasons"], claim["clean"]) == ("held", ["file_refused"], False)
    assert [task["reason"] for task in await desk.api.tasks()] == ["file_refused"]

    await desk.api.post(f"/v1/claims/{claim['id']}/release", {"why": "account repaired"})
    await desk.at(18, day=6)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["attempts"]) == ("submitted", 2)
    assert desk.clearinghouse.files[0].control_number == "000000002"


async def test_a_claim_that_no_837_can_carry_holds_up_nobody_else(desk: Desk) -> None:
    nameless = await desk.send(another_session("ehr-1", patient={"external_id": "MRN-1", "last_name": "李"}))
    other = await desk.send(another_session("ehr-2"))
    for encounter in (nameless, other):
        await desk.check(encounter["id"])
    await desk.at(18)
    assert (await desk.claim(nameless))["reasons"] == ["unwritable"]
    assert (await desk.claim(other))["status"] == "submitted"
    assert len(desk.sent_file().claims) == 1


async def test_without_an_account_claims_wait_with_a_task(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    await forget_account(desk)
    await desk.at(18)
    assert [task["reason"] for task in await desk.api.tasks()] == ["clearinghouse_account_missing"]
    await desk.set_account()
    await desk.at(18, day=6)
    assert (await desk.claim(encounter))["status"] == "submitted"


async def test_silence_after_two_business_days_is_somebodys_work(desk: Desk) -> None:
    await desk.submitted()
    await desk.at(20, day=6)
    assert await desk.api.tasks() == []
    await desk.at(21, day=7)
    assert [task["reason"] for task in await desk.api.tasks()] == ["no_acknowledgement"]


async def test_a_payer_that_takes_a_claim_and_never_decides_is_asked_after_until_it_does(desk: Desk) -> None:
    encounter = await desk.submitted()
    claim = await desk.claim(encounter)
    desk.acknowledge(claim["submissions"][0]["patient_control_number"])
    await desk.at(20)
    await desk.at(21, day=7)
    await desk.at(20, day=6, month=11)
    assert await desk.api.tasks() == []
    await desk.at(21, day=6, month=11)
    [task] = await desk.api.tasks()
    assert (task["reason"], task["owner"], task["subject_id"]) == ("payer_undecided", "billing", claim["id"])
    assert task["detail"].startswith("sent on 2026-10-05 in bat_")

    patch = {"status": "done", "outcome": "called_the_payer"}
    assert (await desk.api.call("PATCH", f"/v1/tasks/{task['id']}", patch, If_Match="*")).is_success
    await desk.at(21, day=6, month=12)
    assert [task["reason"] for task in await desk.api.tasks()] == ["payer_undecided"]
    await desk.post(encounter, "paid", paid=9_600, contractual=5_400)
    assert await desk.api.tasks() == []


async def forget_account(desk: Desk) -> None:
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        await tx.execute(sa.text("delete from clearinghouse_account"))


async def test_the_cut_is_the_evening_of_the_clearinghouse_also_after_the_clocks_went_back(desk: Desk) -> None:
    account = {name: getattr(desk.clearinghouse.account, name) for name in ("submitter_id", "receiver_id", "url")}
    account |= {"api_key": desk.clearinghouse.account.api_key, "time_zone": "America/Chicago"}
    await desk.api.call("PUT", "/v1/clearinghouse-account", account)
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    await desk.at(22)
    assert desk.clearinghouse.files == []
    await desk.at(23)
    assert len(desk.clearinghouse.files) == 1

    await desk.at(0, day=1, month=11)
    later = await desk.send(another_session("ehr-2", service={"date": "2026-10-29"}))
    await desk.check(later["id"])
    assert (await desk.claim(later))["next_cut_at"] == "2026-11-02T00:00:00Z"
