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


async def test_what_is_posted_on_a_remittance_itself_is_shown_beside_its_claims(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    [era] = await books.receive(
        an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1")), plb=[("CT", "OCT", 300)])
    )
    await books.api.post("/v1/deposits", {"trace": "EFT1", "amount_cents": 9000, "deposited_on": "2026-10-20"})
    journals = (await books.api.get(f"/v1/remittances/{era}/journals"))["data"]
    assert [journal["kind"] for journal in journals] == ["remittance", "deposit_matched"]
    assert {journal["era_id"] for journal in journals} == {era}
    assert all(sum(entry["amount_cents"] for entry in journal["entries"]) == 0 for journal in journals)
    accounts = {entry["account"]: entry["amount_cents"] for entry in journals[0]["entries"]}
    assert accounts["era_clearing"] == 9000
    assert claim.claim_id not in str(journals)
    assert (await books.api.call("GET", "/v1/remittances/era_none/journals")).status_code == 404


async def test_a_view_of_journals_says_of_which_claim_or_remittance(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    taken = await books.upload(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    [era] = taken.json()["remittance_ids"]
    await books.api.get(f"/v1/ledger/journals?claim_id={claim.claim_id}")
    await books.api.get(f"/v1/remittances/{era}/journals")
    lines = (await books.api.get("/v1/audit-events", token=books.api.token(scopes=["remittance:audit"])))["data"]
    assert [(line["action"].partition(".")[2], line["subject_type"], line["subject_id"]) for line in lines][-3:] == [
        ("take_remittance", "remittance", era),
        ("list_journals", "claim", claim.claim_id),
        ("list_journals_of_remittance", "remittance", era),
    ]


async def test_a_payment_answers_with_the_balance_that_it_leaves(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))
    body = {
        "patient_id": claim.patient_id, "practice_id": books.practice_id, "amount_cents": 2000,
        "received_on": "2026-10-25",
    }  # fmt: skip
    taken = await books.api.post("/v1/patient-payments", body)
    assert (taken["balance"]["balance_cents"], taken["balance"]["unapplied_cents"]) == (500, 0)
