"""Remittance files: however they come and however often, each payment is taken once."""

from typing import Any

import pytest

from libs import x12
from libs.common.events import EraReceived, PaymentPosted
from libs.common.http import Invalid
from libs.common.ids import new_id
from libs.common.webhooks import InboundMessage
from services.remittance.app import take_era
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


def paid(pcn: str = "P1", **more: Any) -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), **more)


async def test_the_same_file_twice_is_one(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    raw = an_835(paid())
    [era] = await books.receive(raw)
    again = await books.upload(raw)
    assert (again.status_code, again.json()["repeated"], again.json()["remittance_ids"]) == (200, True, [era])
    await books.api.run_due()
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert len(await books.api.told(EraReceived)) == 1


async def test_the_same_payment_in_another_file_is_a_duplicate_and_not_posted(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    raw = an_835(paid())
    await books.receive(raw)
    [second] = await books.receive(raw.replace(b"*20261020*", b"*20261021*", 1) + b"\n")
    assert (await books.remittance(second))["status"] == "duplicate"
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert len(await books.api.told(PaymentPosted)) == 1
    assert (await books.totals())["era_received_cents"] == 9300


async def test_the_same_payment_with_other_claims_needs_a_person(books: Books) -> None:
    await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    [second] = await books.receive(an_835(paid("P2")))
    found = await books.remittance(second)
    assert (found["status"], found["reason"]) == ("needs_decision", "payment_repeated")
    assert "era_repeated" in await books.reasons()


async def test_a_test_is_never_posted_by_itself_and_gives_way_to_the_payment_that_it_played(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [test] = await books.receive(an_835(paid(), usage="T"))
    found = await books.remittance(test)
    assert (found["status"], found["reason"]) == ("needs_decision", "test_payment")
    [task] = await books.api.tasks()
    assert (task["reason"], task["owner"], "is a test (ISA15 T)" in task["detail"]) == ("era_test", "payments", True)
    assert await books.stands(claim) == {"in_flight": 13500}
    assert (await books.totals())["era_received_cents"] == 0

    await books.receive(an_835(paid()))
    assert (await books.remittance(test))["status"] == "superseded"
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert await books.reasons() == []
    [late] = await books.receive(an_835(paid(), usage="T") + b"\n")
    assert (await books.remittance(late))["status"] == "duplicate"
    assert (await books.totals())["era_received_cents"] == 9300


async def test_a_test_puts_no_unbalanced_payment_right(books: Books) -> None:
    [wrong] = await books.receive(an_835(paid(), amount=9500))
    await books.receive(an_835(answer("P2", line(13500, 9500, ("CO", "45", 4000)), icn="ICN2"), usage="T"))
    assert (await books.remittance(wrong))["status"] == "needs_decision"
    assert sorted(await books.reasons()) == ["era_test", "era_unbalanced"]


async def test_an_account_for_tests_posts_tests_and_asks_about_a_payment_that_says_it_is_real(books: Books) -> None:
    account = {
        "submitter_id": "PARITY01",
        "receiver_id": "CLRNGHSE",
        "url": "http://ch.test",
        "api_key": "k",
        "test": True,
    }
    assert (await books.api.call("PUT", "/v1/clearinghouse-account", account)).is_success
    claim, other = await books.send(Sent("P1")), await books.send(Sent("P2"))
    await books.receive(an_835(paid(), usage="T"))
    assert (await books.stands(claim))["payer_paid"] == 9300
    [real] = await books.receive(an_835(paid("P2"), trace="EFT2"))
    assert (await books.remittance(real))["reason"] == "live_payment"
    assert await books.reasons() == ["era_not_test"]
    decision = {"decision": "post", "reason": "the money is in the bank"}
    await books.api.post(f"/v1/remittances/{real}/decisions", decision)
    await books.api.run_due()
    assert (await books.stands(other))["payer_paid"] == 9300
    assert await books.reasons() == []


async def test_a_file_of_several_remittances(books: Books) -> None:
    first, second = await books.send(Sent("P1")), await books.send(Sent("P2"))
    raw = an_835(paid("P1"), trace="EFT1") + an_835(paid("P2"), trace="EFT2")
    ids = await books.receive(raw)
    assert len(ids) == 2
    assert (await books.stands(first))["payer_paid"] == (await books.stands(second))["payer_paid"] == 9300
    assert (await books.totals())["era_clearing_cents"] == 18600


async def test_the_file_is_kept_byte_for_byte(books: Books) -> None:
    raw = an_835(paid())
    [era] = await books.receive(raw)
    kept = await books.api.call("GET", f"/v1/remittances/{era}/x12")
    assert kept.content == raw


@pytest.mark.parametrize("raw", [b"", b"hello", an_835(paid())[:60]])
async def test_what_is_no_835_is_refused_and_not_kept(books: Books, raw: Any) -> None:
    refused = await books.upload(raw)
    assert refused.status_code in (400, 422)
    assert (await books.api.get("/v1/remittances"))["data"] == []


async def test_an_835_by_webhook(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    async with books.api.worker.transaction(books.api.tenant) as tx:
        await take_era(tx, a_message(books, an_835(paid()), tx.now))
    await books.api.run_due()
    assert (await books.stands(claim))["payer_paid"] == 9300


async def test_a_webhook_that_carries_no_835_fails_with_a_reason(books: Books) -> None:
    with pytest.raises(Invalid) as refused:
        async with books.api.worker.transaction(books.api.tenant) as tx:
            await take_era(tx, a_message(books, b"ISA", tx.now))
    assert [error.code for error in refused.value.errors] == ["unreadable_835"]


def a_message(books: Books, body: bytes, now: Any) -> InboundMessage:
    return InboundMessage(
        id=new_id("inm"), source_id="src_1", kind="era", practice_id=books.practice_id, webhook_id="msg_1", body=body,
        received_at=now,
    )  # fmt: skip


async def test_a_payee_that_nobody_knows_is_taken_without_a_practice(books: Books) -> None:
    raw = an_835(paid()).replace(b"1234567893", b"1999999992")
    [era] = await books.receive(raw)
    assert (await books.remittance(era))["practice_id"] is None


async def test_a_debit_takes_money_out_of_clearing(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    back = answer(
        "P1", line(-13500, -9300, ("CO", "45", -1700), ("PR", "3", -2500), control="P1L1"), status="22",
        original_reference="ICN1",
    )  # fmt: skip
    await books.receive(an_835(back, trace="EFT2", amount=9300, credit_debit="D"))
    assert await books.stands(claim) == {"in_flight": 13500}
    assert (await books.totals())["era_clearing_cents"] == 0
    assert [e.amount_cents for e in await books.api.told(EraReceived)] == [9300, -9300]
