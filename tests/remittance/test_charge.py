"""Charges: once at the first submission, anew for a replacement, gone with a void."""

from datetime import date

from libs.common.events import ClaimUpdated, PatientBalanceChanged, PaymentPosted, ReceivableChanged
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


async def kinds(books: Books, claim: Sent) -> list[str]:
    return [j["kind"] for j in (await books.api.get(f"/v1/ledger/journals?claim_id={claim.claim_id}"))["data"]]


def again(claim: Sent, pcn: str, attempt: int, charges: tuple[int, ...] | None = None) -> Sent:
    return Sent(
        pcn, claim.claim_id, claim.patient_id, claim.encounter_id, charges or claim.charges, claim.line_ids,
        attempt=attempt,
    )  # fmt: skip


async def updated(books: Books, claim: Sent, status: str, rank: int = 1) -> None:
    event = ClaimUpdated(
        claim_id=claim.claim_id, encounter_id=claim.encounter_id, practice_id=books.practice_id,
        patient_id=claim.patient_id, provider_id=None, payer_id="pay_harborbh", rank=rank, status=status,
        owner="billing", code_family="psychotherapy", charge_cents=13500, clean=True, attempts=1,
    )  # fmt: skip
    await books.api.deliver(event)


async def test_a_charge_is_posted_once_however_often_the_claim_is_sent(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13500, 2000)))
    await books.send(again(claim, "P2", 2))
    await books.send(again(claim, "P3", 3), rank=2)
    assert await books.stands(claim) == {"in_flight": 15500}
    assert await kinds(books, claim) == ["charge"]
    [told] = await books.api.told(ReceivableChanged)
    assert (told.buckets.billed_cents, told.first_billed_on) == (15500, date(2026, 10, 6))


async def test_a_replacement_bills_anew_and_a_void_bills_nothing(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.send(again(claim, "P2", 2, (9000,)), frequency="7")
    assert await books.stands(claim) == {"in_flight": 9000}
    await books.send(again(claim, "P3", 3), frequency="8")
    assert await books.stands(claim) == {}
    assert await kinds(books, claim) == ["charge", "replacement", "void"]


async def test_submissions_that_arrive_out_of_order_end_the_same(books: Books) -> None:
    claim = Sent("P1")
    await books.send(again(claim, "P2", 2, (9000,)), frequency="7")
    await books.send(claim)
    assert await books.stands(claim) == {"in_flight": 9000}


async def test_the_same_submission_told_twice_is_one(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.send(claim)
    assert await books.stands(claim) == {"in_flight": 13500}


async def test_a_claim_that_becomes_void_owes_nothing(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await updated(books, claim, "void")
    assert await books.stands(claim) == {}


async def test_a_forwarded_share_becomes_the_patients_when_no_other_payer_is_billed(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"), status="19")))
    assert (await books.stands(claim))["in_flight"] == 2500
    await updated(books, claim, "patient_due")
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}


async def test_a_share_goes_back_in_flight_when_the_next_payer_is_billed(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    await books.send(again(claim, "P2", 2), rank=2, payer="pay_summit")
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "in_flight": 2500}


async def test_a_share_that_another_payer_will_be_asked_for_is_never_the_patients(books: Books) -> None:
    claim = await books.send(Sent("P1"), next_payer=True)
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "in_flight": 2500}
    [posted] = await books.api.told(PaymentPosted)
    assert (posted.outcome, posted.awaits_next_cents) == ("paid", 2500)
    assert await books.api.told(PatientBalanceChanged) == []

    await books.send(again(claim, "P2", 2), rank=2, payer="pay_summit")
    said = line(13500, 2000, ("OA", "23", 11000), ("PR", "2", 500), control="P2L1")
    await books.receive(an_835(answer("P2", said, status="2"), trace="EFT2", payer="SUMMT"))
    assert await books.stands(claim) == {"payer_paid": 11300, "contractual": 1700, "patient": 500}
    await books.totals()


async def test_a_share_waits_from_the_moment_at_which_it_is_the_next_payers_turn(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    assert (await books.stands(claim))["patient"] == 2500
    await updated(books, claim, "ready", rank=2)
    assert (await books.stands(claim))["in_flight"] == 2500
    await updated(books, claim, "patient_due", rank=2)
    assert (await books.stands(claim))["patient"] == 2500


async def test_what_the_second_payer_says_nothing_of_is_the_patients(books: Books) -> None:
    claim = await books.send(Sent("P1"), next_payer=True)
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    await books.send(again(claim, "P2", 2), rank=2, payer="pay_summit")
    said = line(13500, 0, ("OA", "23", 13500), control="P2L1")
    await books.receive(an_835(answer("P2", said, status="2"), trace="EFT2", payer="SUMMT"))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}


async def test_a_remark_says_too_that_the_payer_has_passed_the_claim_on(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    said = answer("P1", line(13500, 9300, *PAID, control="P1L1"), moa=("", "", "MA18"))
    await books.receive(an_835(said))
    [posted] = await books.api.told(PaymentPosted)
    assert posted.forwarded
    assert (await books.stands(claim))["in_flight"] == 2500


async def test_a_claim_that_goes_to_another_payer_is_that_payers_in_any_order(books: Books) -> None:
    first, other = Sent("P1"), Sent("Q1")
    await books.send(first, payer="pay_meridian")
    await books.send(again(first, "P2", 2), payer="pay_harborbh")
    await books.send(again(other, "Q2", 2), payer="pay_harborbh")
    await books.send(other, payer="pay_meridian")
    newest = {told.claim_id: told for told in await books.api.told(ReceivableChanged)}
    assert {told.payer_id for told in newest.values()} == {"pay_harborbh"}
    assert await books.stands(first) == await books.stands(other) == {"in_flight": 13500}
