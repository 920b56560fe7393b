"""A payer takes a decision back: mirrored as a new entry, corrected by another, never edited."""

from libs import x12
from libs.common.events import PaymentPosted
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line, taken_back

COPAY_40 = (("CO", "45", 1700), ("PR", "3", 4000))


def paid(pcn: str = "P1", icn: str = "ICN1") -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), icn=icn)


def corrected(pcn: str = "P1") -> x12.ClaimPayment:
    return answer(pcn, line(13500, 7800, *COPAY_40, control=f"{pcn}L1"), icn="ICN2")


async def test_reversal_and_correction_net_the_true_change(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    other = await books.send(Sent("P2"))
    await books.receive(an_835(taken_back(paid()), corrected(), paid("P2", "ICN3"), trace="EFT2"))

    assert await books.stands(claim) == {"payer_paid": 7800, "contractual": 1700, "patient": 4000}
    assert await books.stands(other) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    told = [t for t in await books.api.told(PaymentPosted) if t.claim_id == claim.claim_id]
    assert [(t.entry, t.outcome, t.paid_cents, t.patient_cents) for t in told] == [
        ("payment", "paid", 9300, 2500),
        ("reversal", "reversed", -9300, -2500),
        ("payment", "paid", 7800, 4000),
    ]
    assert await books.reasons() == []
    await books.totals()


async def test_the_journal_of_a_reversal_mirrors_and_names_the_original(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    await books.receive(an_835(taken_back(paid()), plb=[("WO", "ICN1", -9300)], trace="EFT2"))
    journals = (await books.api.get(f"/v1/ledger/journals?claim_id={claim.claim_id}"))["data"]
    payment, reversal = [j for j in journals if j["kind"] in ("payment", "reversal")]
    assert reversal["reverses"] == payment["id"]
    forth = {(e["account"], e["line_id"], e["amount_cents"]) for e in payment["entries"]}
    assert {(e["account"], e["line_id"], -e["amount_cents"]) for e in reversal["entries"]} == forth


async def test_a_takeback_without_correction_is_in_flight_and_a_person_looks_at_it(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    await books.receive(an_835(taken_back(paid()), plb=[("WO", "ICN1", -9300)], trace="EFT2"))
    assert await books.stands(claim) == {"in_flight": 13500}
    assert "takeback_without_correction" in await books.reasons()

    await books.receive(an_835(corrected(), trace="EFT3"))
    assert await books.stands(claim) == {"payer_paid": 7800, "contractual": 1700, "patient": 4000}
    assert "takeback_without_correction" not in await books.reasons()


async def test_a_reversal_is_found_by_the_payers_number_even_under_another_control_number(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    await books.receive(an_835(taken_back(paid(), pcn="0"), corrected(), trace="EFT2"))
    assert (await books.stands(claim))["payer_paid"] == 7800


async def test_a_reversal_that_overtakes_its_original_waits_for_it(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(taken_back(paid()), corrected(), amount=-1500, credit_debit="C", trace="EFT2"))
    assert [waits["reason"] for waits in await books.waiting()] == ["reversal_unmatched"]
    await books.receive(an_835(paid()))
    assert await books.stands(claim) == {"payer_paid": 7800, "contractual": 1700, "patient": 4000}
    assert await books.waiting() == []
    assert await books.reasons() == []


async def test_a_reversal_with_other_amounts_than_the_original_waits_for_a_person(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    wrong = answer("P1", line(-13500, -9000, ("CO", "45", -2000), ("PR", "3", -2500), control="P1L1"), status="22")
    await books.receive(an_835(wrong, trace="EFT2", plb=[("FB", "EFT2", -9000)]))
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert [waits["reason"] for waits in await books.waiting()] == ["reversal_differs"]
    await books.totals()


async def test_the_patients_share_moves_with_the_correction_and_money_paid_on_it_is_free_again(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    payment = {
        "patient_id": claim.patient_id, "practice_id": books.practice_id, "amount_cents": 2500,
        "received_on": "2026-10-25",
    }  # fmt: skip
    await books.api.post("/v1/patient-payments", payment)
    cheaper = answer("P1", line(13500, 10800, ("CO", "45", 1700), ("PR", "3", 1000), control="P1L1"), icn="ICN2")
    await books.receive(an_835(taken_back(paid()), cheaper, trace="EFT2"))

    assert await books.stands(claim) == {"payer_paid": 10800, "contractual": 1700, "patient_paid": 1000}
    balance = await books.api.get(f"/v1/patients/{claim.patient_id}/balance")
    assert (balance["balance_cents"], balance["unapplied_cents"]) == (0, 1500)
    assert await books.reasons() == ["patient_credit"]
    await books.totals()


async def test_a_reversal_can_be_posted_once_only(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    await books.receive(an_835(taken_back(paid()), plb=[("FB", "A", -9300)], trace="EFT2"))
    await books.receive(an_835(taken_back(paid()), plb=[("FB", "B", -9300)], trace="EFT3"))
    assert await books.stands(claim) == {"in_flight": 13500}
    assert [waits["reason"] for waits in await books.waiting()] == ["reversal_unmatched"]


async def test_a_claim_paid_in_two_parts_is_taken_back_in_two_parts(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13500, 13500)))
    parts = [answer("P1", line(13500, 9300, *PAID, control=f"P1L{n}")) for n in (1, 2)]
    await books.receive(an_835(parts[0]))
    await books.receive(an_835(parts[1], trace="EFT2"))
    assert await books.stands(claim) == {"payer_paid": 18600, "contractual": 3400, "patient": 5000}
    await books.receive(an_835(taken_back(parts[1]), plb=[("FB", "EFT3", -9300)], trace="EFT3"))
    assert await books.stands(claim) == {
        "payer_paid": 9300, "contractual": 1700, "patient": 2500, "in_flight": 13500,
    }  # fmt: skip
    lines = (await books.api.get(f"/v1/ledger/claims/{claim.claim_id}"))["lines"]
    assert [one["buckets"]["in_flight_cents"] for one in lines] == [0, 13500]
