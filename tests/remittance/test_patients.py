"""Patients' money: the copay taken at the visit, payments on the bill, refunds."""

from libs.common.events import EncounterCreated, PatientBalanceChanged
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


async def visited(books: Books, claim: Sent, collected: int, *, revision: int = 1) -> None:
    event = EncounterCreated(
        encounter_id=claim.encounter_id, claim_id=claim.claim_id, practice_id=books.practice_id,
        patient_id=claim.patient_id, code_family="psychotherapy", charge_cents=13500, collected_cents=collected,
        revision=revision,
    )  # fmt: skip
    await books.api.deliver(event)


async def balance(books: Books, claim: Sent) -> tuple[int, int]:
    found = await books.api.get(f"/v1/patients/{claim.patient_id}/balance")
    return found["balance_cents"], found["unapplied_cents"]


async def pay(books: Books, claim: Sent, cents: int) -> None:
    body = {
        "patient_id": claim.patient_id, "practice_id": books.practice_id, "amount_cents": cents,
        "received_on": "2026-10-25", "method": "card",
    }  # fmt: skip
    await books.api.post("/v1/patient-payments", body)


async def decided(books: Books, pcn: str, trace: str) -> None:
    await books.receive(an_835(answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"), icn=trace), trace=trace))


async def test_a_copay_is_a_prepayment_until_the_share_is_known(books: Books) -> None:
    claim = Sent("P1")
    await visited(books, claim, 2500)
    assert await balance(books, claim) == (0, 2500)
    await books.send(claim)
    await decided(books, "P1", "E1")
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient_paid": 2500}
    assert await balance(books, claim) == (0, 0)
    told = await books.api.told(PatientBalanceChanged)
    assert [(t.balance_cents, t.unapplied_cents) for t in told] == [(0, 2500), (0, 0)]
    assert (await books.totals())["patient_cash_cents"] == 2500


async def test_a_copay_that_comes_after_the_share_is_used_at_once(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await decided(books, "P1", "E1")
    await visited(books, claim, 2000)
    assert await books.stands(claim) == {
        "payer_paid": 9300, "contractual": 1700, "patient_paid": 2000, "patient": 500,
    }  # fmt: skip
    assert await balance(books, claim) == (500, 0)


async def test_an_encounter_sent_again_takes_the_difference(books: Books) -> None:
    claim = Sent("P1")
    await visited(books, claim, 2500)
    await visited(books, claim, 1000, revision=2)
    await visited(books, claim, 2500, revision=1)
    assert await balance(books, claim) == (0, 1000)
    assert (await books.totals())["patient_cash_cents"] == 1000


async def test_a_payment_goes_to_the_oldest_visit_first_over_all_claims(books: Books) -> None:
    first = await books.send(Sent("P1"))
    second = Sent("P2", patient_id=first.patient_id)
    await books.send(second)
    await decided(books, "P1", "E1")
    await decided(books, "P2", "E2")
    assert await balance(books, first) == (5000, 0)
    await pay(books, first, 4000)
    assert await balance(books, first) == (1000, 0)
    owed = sorted([(await books.stands(c)).get("patient", 0) for c in (first, second)])
    assert owed == [0, 1000]
    await books.totals()


async def test_more_than_is_owed_stays_with_the_patient_and_a_person_offers_it_back(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await decided(books, "P1", "E1")
    await pay(books, claim, 3000)
    assert await balance(books, claim) == (0, 500)
    assert await books.reasons() == ["patient_credit"]

    second = await books.send(Sent("P2", patient_id=claim.patient_id))
    await decided(books, "P2", "E2")
    assert await balance(books, claim) == (2000, 0)
    assert (await books.stands(second))["patient_paid"] == 500
    assert await books.reasons() == []


async def test_a_refund_takes_free_money_and_never_more(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await decided(books, "P1", "E1")
    await pay(books, claim, 3000)
    body = {"patient_id": claim.patient_id, "amount_cents": 500, "refunded_on": "2026-10-26", "reason": "overpaid"}
    await books.api.post("/v1/patient-refunds", body)
    assert await balance(books, claim) == (0, 0)
    assert await books.reasons() == []
    refused = await books.api.call("POST", "/v1/patient-refunds", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_refund")
    refused = await books.api.call("POST", "/v1/patient-refunds", body | {"patient_id": "pat_nobody"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/patient_id")
    assert (await books.totals())["patient_cash_cents"] == 2500
