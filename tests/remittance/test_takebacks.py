"""Provider adjustments: linked by reference to an earlier claim, never spread over the file that carries them."""

from libs import x12
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line, taken_back


def paid(pcn: str = "P1", icn: str = "ICN1") -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), icn=icn)


async def test_a_takeback_reduces_the_payment_and_no_claim_of_its_file(books: Books) -> None:
    first, second = await books.send(Sent("P1")), await books.send(Sent("P2"))
    await books.receive(an_835(paid()))
    [era] = await books.receive(an_835(paid("P2", "ICN2"), plb=[("WO", "ICN1", 5000)], trace="EFT2"))

    found = await books.remittance(era)
    assert (found["amount_cents"], found["balance_check"]["sum_plb_cents"]) == (4300, 5000)
    assert [(one["account"], one["matched_claim"]) for one in found["plb"]] == [("takeback_due", first.claim_id)]
    assert (await books.stands(second))["payer_paid"] == 9300
    totals = await books.totals()
    assert (totals["provider_adjustment_cents"], totals["era_clearing_cents"]) == (5000, 13600)
    [task] = await books.api.tasks()
    assert task["reason"] == "takeback_open"
    assert first.claim_id in task["detail"]


async def test_a_takeback_whose_reversal_comes_is_met(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.send(Sent("P2"))
    await books.receive(an_835(paid()))
    await books.receive(an_835(paid("P2", "ICN2"), plb=[("WO", "ICN1", 9300)], trace="EFT2"))
    assert await books.reasons() == ["takeback_open"]
    await books.receive(an_835(taken_back(paid()), plb=[("WO", "ICN1", -9300)], trace="EFT3"))
    assert await books.stands(claim) == {"in_flight": 13500}
    assert (await books.totals())["provider_adjustments"]["takeback_due"] == 0
    assert await books.reasons() == ["takeback_without_correction"]


async def test_a_remittance_of_provider_adjustments_alone(books: Books) -> None:
    [era] = await books.receive(an_835(plb=[("CT", "OCT", -50000)]))
    assert ((await books.remittance(era))["status"], (await books.totals())["era_clearing_cents"]) == ("posted", 50000)


async def test_a_takeback_that_names_nothing_of_ours_has_a_task(books: Books) -> None:
    await books.send(Sent("P1"))
    await books.receive(an_835(paid(), plb=[("WO", "SOMETHING", 1000)]))
    assert await books.reasons() == ["plb_unlinked"]
    await books.totals()


async def test_a_forwarded_balance_is_carried_and_then_met(books: Books) -> None:
    await books.send(Sent("P1"))
    await books.receive(an_835(paid()))
    back = answer(
        "P1", line(-13500, -9300, ("CO", "45", -1700), ("PR", "3", -2500), control="P1L1"), status="22",
        original_reference="ICN1",
    )  # fmt: skip
    await books.receive(an_835(back, plb=[("FB", "EFT2", -9300)], trace="EFT2"))
    assert (await books.totals())["provider_adjustments"] == {"takeback_due": -9300}
    await books.send(Sent("P2"))
    await books.receive(an_835(paid("P2", "ICN2"), plb=[("FB", "EFT2", 9300)], trace="EFT3"))
    totals = await books.totals()
    assert totals["provider_adjustments"].get("takeback_due", 0) == 0
    assert totals["era_received_cents"] == 9300


async def test_interest_is_income_and_no_payment_of_a_claim(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid(), plb=[("L6", "ICN1", -120)]))
    assert (await books.remittance(era))["amount_cents"] == 9420
    assert (await books.stands(claim))["payer_paid"] == 9300
    assert (await books.totals())["provider_adjustments"] == {"interest_income": -120}
    assert await books.reasons() == []


async def test_a_code_without_an_account_waits_for_a_person(books: Books) -> None:
    await books.send(Sent("P1"))
    await books.receive(an_835(paid(), plb=[("CS", "ADJ9", 300)]))
    assert await books.reasons() == ["plb_unlinked"]
    assert (await books.totals())["provider_adjustments"] == {"suspense": 300}
