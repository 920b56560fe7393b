"""The ledger as callers read it, and money that they tell of."""

from services.remittance.domain.ledger import BUCKET_NAMES
from services.remittance.ledger_routes import BucketsView
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


def test_every_bucket_is_shown_under_its_name() -> None:
    assert set(BucketsView.model_fields) == {f"{name}_cents" for name in BUCKET_NAMES}


async def test_a_claims_ledger_is_shown_line_by_line(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13500, 4000)))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    found = await books.api.get(f"/v1/ledger/claims/{claim.claim_id}")
    assert [one["line_id"] for one in found["lines"]] == list(claim.line_ids)
    assert [one["buckets"]["in_flight_cents"] for one in found["lines"]] == [0, 4000]
    assert (found["total"]["billed_cents"], found["total"]["payer_paid_cents"]) == (17500, 9300)


async def test_every_journal_of_a_claim_sums_to_zero(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    journals = (await books.api.get(f"/v1/ledger/journals?claim_id={claim.claim_id}"))["data"]
    assert [journal["kind"] for journal in journals] == ["charge", "payment"]
    assert all(sum(entry["amount_cents"] for entry in journal["entries"]) == 0 for journal in journals)


async def test_a_payment_answers_with_the_balance_that_it_leaves(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    body = {
        "patient_id": claim.patient_id, "practice_id": books.practice_id, "amount_cents": 2000,
        "received_on": "2026-10-25",
    }  # fmt: skip
    taken = await books.api.post("/v1/patient-payments", body)
    assert (taken["balance"]["balance_cents"], taken["balance"]["unapplied_cents"]) == (500, 0)
