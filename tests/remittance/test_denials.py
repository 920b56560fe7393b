"""What becomes of denied money: somebody decides, and the ledger follows."""

from typing import Any

import pytest

from libs import x12
from libs.common.events import DenialRaised, DenialResolved
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line, taken_back


def denied(pcn: str = "P1", icn: str = "ICN1") -> x12.ClaimPayment:
    return answer(pcn, line(13500, 0, ("CO", "197", 13500), control=f"{pcn}L1"), icn=icn)


async def a_denial(books: Books) -> tuple[Sent, DenialRaised]:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(denied()))
    [raised] = await books.api.told(DenialRaised)
    return claim, raised


async def resolve(books: Books, raised: DenialRaised, resolution: str, *, sequence: int | None = None) -> None:
    event = DenialResolved(
        claim_id=raised.claim_id,
        denial_id=raised.denial_id,
        practice_id=books.practice_id,
        resolution=resolution,
        amount_cents=raised.denied_cents,
        line_ids=[raised.line_id],
    )
    await books.api.deliver(event, sequence=sequence)


@pytest.mark.parametrize(
    ("resolution", "bucket"),
    [
        ("resubmitted", "in_flight"),
        ("appealed", "in_flight"),
        ("written_off", "written_off"),
        ("billed_to_patient", "patient"),
        ("upheld", "denied_open"),
    ],
)
async def test_denied_money_goes_where_it_was_decided(books: Books, resolution: Any, bucket: Any) -> None:
    claim, raised = await a_denial(books)
    await resolve(books, raised, resolution)
    assert await books.stands(claim) == {bucket: 13500}
    await books.totals()


async def test_an_appeal_that_is_upheld_is_denied_again_and_may_be_written_off(books: Books) -> None:
    claim, raised = await a_denial(books)
    for resolution, bucket in (("appealed", "in_flight"), ("upheld", "denied_open"), ("written_off", "written_off")):
        await resolve(books, raised, resolution)
        assert await books.stands(claim) == {bucket: 13500}


async def test_an_old_word_that_comes_late_changes_nothing(books: Books) -> None:
    claim, raised = await a_denial(books)
    await resolve(books, raised, "written_off", sequence=9)
    await resolve(books, raised, "appealed", sequence=8)
    assert await books.stands(claim) == {"written_off": 13500}


async def test_a_corrected_claim_is_charged_anew_and_paid(books: Books) -> None:
    claim, raised = await a_denial(books)
    await resolve(books, raised, "resubmitted")
    again = Sent("P2", claim.claim_id, claim.patient_id, claim.encounter_id, (15000,), claim.line_ids, attempt=2)
    await books.send(again, frequency="7")
    assert await books.stands(claim) == {"in_flight": 15000}
    new = answer("P2", line(15000, 10800, ("CO", "45", 1700), ("PR", "3", 2500), control="P2L1"), icn="ICN2")
    await books.receive(an_835(taken_back(denied()), new, trace="EFT2"))
    assert await books.stands(claim) == {"payer_paid": 10800, "contractual": 1700, "patient": 2500}
    await books.totals()


async def test_a_claim_denied_again_raises_a_denial_of_its_own(books: Books) -> None:
    claim, raised = await a_denial(books)
    await resolve(books, raised, "resubmitted")
    again = Sent("P2", claim.claim_id, claim.patient_id, claim.encounter_id, (13500,), claim.line_ids, attempt=2)
    await books.send(again)
    await books.receive(an_835(denied("P2", "ICN2"), trace="EFT2"))
    assert await books.stands(claim) == {"denied_open": 13500}
    told = await books.api.told(DenialRaised)
    assert [one.first_pass for one in told] == [True, False]
    assert len({one.denial_id for one in told}) == 2


async def test_a_payment_after_a_write_off_takes_the_write_off_back(books: Books) -> None:
    claim, raised = await a_denial(books)
    await resolve(books, raised, "written_off")
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"), icn="ICN2"), trace="EFT2"))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    await books.totals()


async def test_a_denial_that_comes_to_light_when_a_payment_is_taken_back_is_raised_then(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    first = answer("P1", line(13500, 9300, *PAID, control="P1L1"))
    await books.receive(an_835(first))
    again = answer("P1", line(13500, 0, ("CO", "197", 13500), control="P1L1"), icn="ICN2")
    await books.receive(an_835(again, trace="EFT2"))
    assert await books.api.told(DenialRaised) == []
    await books.receive(an_835(taken_back(first), plb=[("FB", "X", -9300)], trace="EFT3"))
    assert await books.stands(claim) == {"denied_open": 13500}
    assert [raised.denied_cents for raised in await books.api.told(DenialRaised)] == [13500]
