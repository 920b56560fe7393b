"""From an 835 to the ledger: what posts, what waits, and what is told."""

import itertools
from typing import Any

import pytest

from libs import x12
from libs.common.events import DenialRaised, EraReceived, PaymentPosted, ReceivableChanged
from tests.remittance.payers import PAID, Books, Sent, adjusted, an_835, answer, line


def paid(pcn: str, **more: Any) -> x12.ClaimPayment:
    """The claim paid as the contract says, with a copay."""
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), **more)


async def test_a_paid_claim_is_posted_to_the_cent(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    assert await books.stands(claim) == {"in_flight": 13500}

    [era] = await books.receive(an_835(paid("P1")))

    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    found = await books.remittance(era)
    assert (found["status"], found["claims"][0]["match"]["method"], found["auto_post_rate"]) == ("posted", "pcn", 1.0)
    totals = await books.totals()
    assert (totals["era_clearing_cents"], totals["suspense_cents"]) == (9300, 0)
    [posted] = await books.api.told(PaymentPosted)
    assert (posted.entry, posted.outcome, posted.paid_cents, posted.patient_cents) == ("payment", "paid", 9300, 2500)
    assert posted.payer_control_number == "ICN1"
    [received] = await books.api.told(EraReceived)
    assert (received.balance, received.claims, received.waiting) == ("balanced", 1, 0)
    assert (received.payer_id, received.practice_id) == ("pay_harborbh", books.practice_id)
    changes = await books.api.told(ReceivableChanged)
    assert [c.buckets.in_flight_cents for c in changes] == [13500, 0]
    assert await books.reasons() == []


async def test_what_is_told_about_a_claim_is_numbered_in_order(books: Books) -> None:
    await books.send(Sent("P1"))
    denied = line(13500, 5000, ("CO", "45", 1700), ("CO", "197", 6800), control="P1L1")
    await books.receive(an_835(answer("P1", denied)))
    told = [
        envelope.sequence
        for model in (ReceivableChanged, PaymentPosted, DenialRaised)
        for envelope in await books.api.envelopes(model)
    ]
    assert sorted(told) == [1, 2, 3, 4]


async def test_a_denied_line_is_raised_and_never_written_off(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    denied = line(13500, 0, ("CO", "197", 13500), control="P1L1", remarks=["M62"])
    await books.receive(an_835(answer("P1", denied)))

    assert await books.stands(claim) == {"denied_open": 13500}
    [posted] = await books.api.told(PaymentPosted)
    assert (posted.outcome, posted.denied_cents) == ("denied", 13500)
    [raised] = await books.api.told(DenialRaised)
    assert (raised.group_code, raised.reason_code, raised.remark_codes) == ("CO", "197", ["M62"])
    assert (raised.denied_cents, raised.first_pass, raised.line_id) == (13500, True, claim.line_ids[0])


async def test_a_partial_payment_is_posted_and_its_rest_is_denied(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(20000, 10000)))
    await books.receive(
        an_835(
            answer(
                "P1",
                line(20000, 12000, ("CO", "45", 5000), ("CO", "119", 3000), control="P1L1"),
                line(10000, 10000, control="P1L2"),
            )
        )
    )
    assert await books.stands(claim) == {"payer_paid": 22000, "contractual": 5000, "denied_open": 3000}
    [raised] = await books.api.told(DenialRaised)
    assert (raised.line_id, raised.denied_cents) == (claim.line_ids[0], 3000)
    assert (await books.api.told(PaymentPosted))[0].outcome == "partially_paid"


async def test_all_to_the_deductible_is_the_patients_and_no_denial(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 0, ("CO", "45", 1700), ("PR", "1", 11800), control="P1L1"))))
    assert await books.stands(claim) == {"contractual": 1700, "patient": 11800}
    assert (await books.api.told(PaymentPosted))[0].outcome == "patient_responsibility"
    assert await books.api.told(DenialRaised) == []


async def test_sequestration_is_never_the_patients(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13500,)), payer="pay_medicare")
    said = line(13500, 7840, ("CO", "45", 3500), ("CO", "253", 160), ("PR", "2", 2000), control="P1L1")
    await books.receive(an_835(answer("P1", said), payer="04412"))
    assert await books.stands(claim) == {"payer_paid": 7840, "contractual": 3660, "patient": 2000}


async def test_a_claim_denied_as_a_whole_without_lines(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13500, 3333)))
    whole = answer("P1", status="4", charge_cents=16833, paid_cents=0, adjustments=adjusted(("CO", "197", 16833)))
    await books.receive(an_835(whole))
    assert await books.stands(claim) == {"denied_open": 16833}
    assert [raised.denied_cents for raised in await books.api.told(DenialRaised)] == [13500, 3333]


async def test_a_withhold_of_the_whole_claim_is_taken_from_its_lines_payments(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(10000, 5000)))
    said = answer(
        "P1",
        line(10000, 9000, ("CO", "45", 1000), control="P1L1"),
        line(5000, 4500, ("CO", "45", 500), control="P1L2"),
        paid_cents=13095,
        adjustments=adjusted(("CO", "104", 405)),
    )
    await books.receive(an_835(said))
    assert await books.stands(claim) == {"payer_paid": 13095, "contractual": 1500, "withheld": 405}


async def test_an_unknown_code_guesses_nothing(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, ("CO", "45", 1700), ("CO", "Z9", 2500), control="P1L1"))))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "in_flight": 2500}
    [task] = await books.api.tasks()
    assert (task["reason"], task["owner"], task["amount_cents"]) == ("adjustment_unclassified", "payments", 2500)
    assert task["due_on"] is not None


async def test_a_claim_that_does_not_balance_waits_while_the_others_post(books: Books) -> None:
    first, second = await books.send(Sent("P1")), await books.send(Sent("P2"))
    wrong = answer("P1", line(13500, 9300, ("CO", "45", 1600), ("PR", "3", 2500), control="P1L1"), icn="ICN2")
    [era] = await books.receive(an_835(wrong, paid("P2")))

    assert await books.stands(first) == {"in_flight": 13500}
    assert await books.stands(second) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    [waits] = await books.waiting()
    assert waits["reason"] == "unbalanced"
    assert "it differs by 1.00" in waits["difference"]
    assert (await books.totals())["suspense_cents"] == 9300
    assert (await books.remittance(era))["status"] == "waiting"
    assert await books.reasons() == ["era_claim_unbalanced"]


async def test_an_answer_that_overtakes_its_claim_waits_for_it(books: Books) -> None:
    [era] = await books.receive(an_835(paid("P1")))
    assert [waits["reason"] for waits in await books.waiting()] == ["unmatched"]
    assert (await books.totals())["suspense_cents"] == 9300
    assert await books.reasons() == ["era_claim_unmatched"]

    claim = await books.send(Sent("P1"))

    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    assert await books.waiting() == []
    assert await books.reasons() == []
    assert (await books.remittance(era))["status"] == "posted"
    await books.totals()


async def test_a_predetermination_is_never_posted(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    said = answer("P1", line(13500, 0, ("OA", "101", 13500), control="P1L1"), status="25")
    [era] = await books.receive(an_835(said))
    assert await books.stands(claim) == {"in_flight": 13500}
    assert (await books.remittance(era))["claims"][0]["result"] == "information"
    assert await books.api.told(PaymentPosted) == []


async def test_a_claim_that_the_payer_forwards_waits_for_the_next_payer(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid("P1", status="19")))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "in_flight": 2500}
    [posted] = await books.api.told(PaymentPosted)
    assert posted.forwarded

    second = answer("P1", line(13500, 2000, ("OA", "23", 11000), ("CO", "45", 500), control="P1L1"), status="2")
    await books.receive(an_835(second, trace="EFT2", payer="SUMMT"))
    assert await books.stands(claim) == {"payer_paid": 11300, "contractual": 2200}
    assert [told.rank for told in await books.api.told(PaymentPosted)] == [1, 2]


async def test_the_same_payment_made_twice_is_a_credit_that_a_person_looks_at(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid("P1")))
    await books.receive(an_835(paid("P1", icn="ICN2"), trace="EFT2"))
    assert await books.stands(claim) == {"credits": 9300, "payer_paid": 18600, "contractual": 1700, "patient": 2500}
    assert await books.reasons() == ["credit_balance"]
    await books.totals()


async def test_a_refusal_as_duplicate_raises_no_denial_of_a_paid_claim(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid("P1")))
    again = answer("P1", line(13500, 0, ("OA", "18", 13500), control="P1L1"), icn="ICN2")
    await books.receive(an_835(again, trace="EFT2"))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    assert await books.api.told(DenialRaised) == []


async def test_payments_in_any_order_of_arrival_end_in_the_same_figures(books: Books) -> None:
    """A denial, then a payment that answers the second submission, in orders in which events may come."""
    ends = []
    for n, order in enumerate(list(itertools.permutations(range(4)))[::5]):
        first, again = Sent(f"A{n}"), Sent(f"B{n}", attempt=2)
        again.claim_id, again.patient_id, again.line_ids = first.claim_id, first.patient_id, first.line_ids
        steps: list[Any] = [
            lambda first=first: books.send(first),
            lambda n=n: books.receive(
                an_835(answer(f"A{n}", line(13500, 0, ("CO", "16", 13500), control=f"A{n}L1")), trace=f"E1{n}")
            ),
            lambda again=again: books.send(again),
            lambda n=n: books.receive(an_835(paid(f"B{n}"), trace=f"E2{n}")),
        ]
        for step in order:
            await steps[step]()
        ends.append(await books.stands(first))
    assert all(end == {"payer_paid": 9300, "contractual": 1700, "patient": 2500} for end in ends)
    assert await books.waiting() == []
    await books.totals()


@pytest.mark.parametrize("said", ["P1", "0P1", "p1", "P-1"])
async def test_a_control_number_that_the_payer_has_altered(books: Books, said: Any) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer(said, line(13500, 9300, *PAID, control="P1L1"))))
    assert (await books.stands(claim))["payer_paid"] == 9300
