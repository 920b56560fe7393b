"""Acknowledgements are pulled at 20:00, and may come in any order."""

from typing import Any

import pytest

from libs import x12
from libs.common.clearinghouse import ClearinghouseError
from libs.common.events import ClaimSubmitted
from services.claims import acknowledge
from tests.claims.conftest import PRACTICE, Desk, an_encounter


async def pcn(desk: Desk, encounter: dict[str, Any]) -> str:
    claim = await desk.claim(encounter)
    return str(claim["submissions"][-1]["patient_control_number"])


async def test_a_277ca_takes_the_claim_into_adjudication_and_keeps_the_payers_number(desk: Desk) -> None:
    encounter = await desk.submitted()
    desk.acknowledge(await pcn(desk, encounter), icn="HB-ICN-1")
    await desk.at(20)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["owner"], claim["payer_control_number"]) == ("accepted", "payer", "HB-ICN-1")
    assert [item.confirmed for item in desk.clearinghouse.mail] == [True]
    assert claim["acks"][0]["words"].startswith("STC A2:20:IL, accepted into adjudication")


async def test_a_rejected_claim_is_put_right_and_goes_out_again_as_an_original(desk: Desk) -> None:
    encounter = await desk.submitted()
    first = await pcn(desk, encounter)
    desk.acknowledge(first, category="A7", code="164")
    await desk.at(20)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["reasons"], claim["owner"]) == ("rejected", ["rejected"], "front_desk")
    task = (await desk.api.tasks())[0]
    assert (task["reason"], task["owner"], "STC A7:164:IL" in task["detail"]) == ("rejected", "front_desk", True)

    changes = {"why": "new card", "route": {"payer_id": "pay_harborbh", "member_id": "HB999"}}
    claim = await desk.api.post(f"/v1/claims/{claim['id']}/corrections", changes)
    assert claim["status"] == "ready"
    assert await desk.api.tasks() == []
    await desk.at(18, day=6)
    sent = desk.sent_file().claims[0]
    assert (sent.frequency, sent.original_reference, sent.subscriber.party.id) == ("1", "", "HB999")
    assert sent.pcn != first


async def test_an_acknowledgement_that_overtakes_our_own_confirmation_confirms(desk: Desk) -> None:
    encounter = await desk.send(an_encounter())
    await desk.check(encounter["id"])
    desk.clearinghouse.next_fault = "lost_answer"
    with pytest.raises(ClearinghouseError):
        await desk.at(18)
    desk.acknowledge(await pcn(desk, encounter))
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        item = (await desk.clearinghouse.adapter(desk.api.outside).mailbox(["277CA"]))[0]
        await acknowledge.take(tx, item, desk.clearinghouse.mail[0].x12)
        await acknowledge.take(tx, item, desk.clearinghouse.mail[0].x12)
    assert (await desk.claim(encounter))["status"] == "accepted"
    await desk.api.run_due()
    assert (await desk.claim(encounter))["status"] == "accepted"
    assert len(await desk.api.told(ClaimSubmitted)) == 1
    assert len(desk.clearinghouse.files) == 1


async def test_a_ta1_that_refuses_the_interchange_rejects_every_claim_of_the_batch(desk: Desk) -> None:
    encounter = await desk.submitted()
    envelope = desk.sent_file().envelope
    answer = x12.InterchangeAcknowledgement(
        envelope=x12.Envelope(sender_id="SANDBOXCH", receiver_id=envelope.sender_id, control_number=9),
        control_number=envelope.control_number,
        interchange_created=envelope.created,
        code="R",
        note="022",
    )
    desk.clearinghouse.deliver("TA1", x12.write(answer))
    await desk.at(20)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["owner"]) == ("rejected", "operations")


async def test_a_999_that_accepts_with_errors_changes_nothing(desk: Desk) -> None:
    encounter = await desk.submitted()
    group = str(desk.sent_file().envelope.control_number)
    for code, status in (("E", "submitted"), ("R", "rejected")):
        verdict = x12.TransactionVerdict(set="837", control="0001", version="005010X222A1", code=code)
        record = x12.SyntaxAcknowledgement(
            envelope=x12.Envelope(sender_id="SANDBOXCH", receiver_id="PARITY01", control_number=11),
            group_id="HC",
            group_control=group,
            group_version="005010X222A1",
            code=code,
            accepted=0 if code == "R" else 1,
            transactions=(verdict,),
        )
        desk.clearinghouse.deliver("999", x12.write_999(record))
        await desk.at(20, day=5 if code == "E" else 6)
        assert (await desk.claim(encounter))["status"] == status


async def test_an_acknowledgement_of_nothing_we_sent_is_somebodys_work(desk: Desk) -> None:
    await desk.submitted()
    desk.acknowledge("P99999999A1")
    await desk.at(20)
    assert [task["reason"] for task in await desk.api.tasks()] == ["acknowledgement_unmatched"]


@pytest.mark.parametrize("category", ["A2", "A7"])
async def test_the_answer_to_a_test_moves_no_claim_that_was_sent_in_earnest(desk: Desk, category: str) -> None:
    encounter = await desk.submitted()
    desk.acknowledge(await pcn(desk, encounter), category=category, usage="T")
    await desk.at(20)
    claim = await desk.claim(encounter)
    assert (claim["status"], claim["acks"]) == ("submitted", [])
    [task] = await desk.api.tasks()
    assert (task["reason"], task["owner"]) == ("acknowledgement_test", "operations")
    [kept] = (await desk.api.get("/v1/acknowledgements"))["data"]
    assert b"*T*:" in (await desk.api.call("GET", f"/v1/acknowledgements/{kept['id']}/file")).content

    desk.acknowledge(await pcn(desk, encounter))
    await desk.at(20, day=6)
    assert (await desk.claim(encounter))["status"] == "accepted"


async def test_an_answer_in_earnest_at_an_account_for_tests_is_applied_and_somebody_is_asked(desk: Desk) -> None:
    encounter = await desk.submitted()
    account = {"submitter_id": "PARITY01", "receiver_id": "SANDBOXCH", "url": desk.clearinghouse.account.url}
    body = {**account, "api_key": desk.clearinghouse.account.api_key, "test": True}
    assert (await desk.api.call("PUT", "/v1/clearinghouse-account", body)).is_success
    desk.acknowledge(await pcn(desk, encounter))
    await desk.at(20)
    assert (await desk.claim(encounter))["status"] == "accepted"
    assert [task["reason"] for task in await desk.api.tasks()] == ["acknowledgement_not_test"]


async def test_whoever_works_on_a_file_reads_what_was_answered_to_it(desk: Desk) -> None:
    encounter = await desk.submitted()
    [sent] = (await desk.claim(encounter))["submissions"]
    desk.acknowledge(sent["patient_control_number"])
    desk.acknowledge("P99999999A1")
    await desk.at(20)
    [answer] = (await desk.api.get(f"/v1/acknowledgements?batch_id={sent['batch_id']}&kind=277CA"))["data"]
    assert (answer["kind"], answer["answers"], answer["practice_id"]) == ("277CA", 1, PRACTICE)
    file = await desk.api.call("GET", f"/v1/acknowledgements/{answer['id']}/file")
    assert sent["patient_control_number"] in file.text
    assert {one["answers"] for one in (await desk.api.get("/v1/acknowledgements"))["data"]} == {0, 1}


async def test_an_acknowledgement_of_another_practices_file_is_not_there(desk: Desk) -> None:
    encounter = await desk.submitted()
    [sent] = (await desk.claim(encounter))["submissions"]
    desk.acknowledge(sent["patient_control_number"])
    desk.acknowledge("P99999999A1")
    await desk.at(20)
    found = (await desk.api.get("/v1/acknowledgements"))["data"]
    for practices, seen in (([PRACTICE], 1), (["prc_2"], 0)):
        token = desk.api.token(practice_ids=practices)
        limited = await desk.api.call("GET", "/v1/acknowledgements", token=token)
        assert len(limited.json()["data"]) == seen
    [nobodys] = [one["id"] for one in found if one["practice_id"] is None]
    hidden = await desk.api.call("GET", f"/v1/acknowledgements/{nobodys}/file", token=token)
    assert hidden.status_code == 404
