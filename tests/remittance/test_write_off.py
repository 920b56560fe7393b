"""What a patient owes is let go by a person, and asked for again: new entries, each journal zero."""

from typing import Any

import pytest

from libs.common.events import PatientBalanceChanged
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line, taken_back

PATH = "/v1/patient-write-offs"


async def owing(books: Books, number: int = 1) -> Sent:
    """A claim of which the patient owes 25.00."""
    claim = await books.send(Sent(f"P{number}"))
    said = answer(claim.pcn, line(13500, 9300, *PAID, control=claim.control(1)))
    await books.receive(an_835(said, trace=f"T{number}"))
    return claim


async def let_go(books: Books, claim: Sent, **body: Any) -> dict[str, Any]:
    said = {"claim_id": claim.claim_id, "kind": "small_balance", "why": "below the limit"}
    return await books.api.post(PATH, said | body)


async def entries(books: Books, claim: Sent, kind: str) -> list[list[tuple[str, int]]]:
    found = (await books.api.get(f"/v1/ledger/journals?claim_id={claim.claim_id}"))["data"]
    return [[(e["account"], e["amount_cents"]) for e in one["entries"]] for one in found if one["kind"] == kind]


async def test_what_the_patient_owes_is_written_off_with_a_reason(books: Books) -> None:
    claim = await owing(books)
    found = await let_go(books, claim)
    assert (found["amount_cents"], found["kind"], found["decided_by"]) == (2500, "small_balance", "tester")
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "written_off": 2500}
    assert await entries(books, claim, "patient_write_off") == [[("written_off", 2500), ("patient", -2500)]]
    assert (await books.api.told(PatientBalanceChanged))[-1].balance_cents == 0
    await books.totals()


async def test_a_part_is_let_go_and_the_rest_stays_owed(books: Books) -> None:
    claim = await owing(books)
    await let_go(books, claim, amount_cents=500)
    await let_go(books, claim, amount_cents=700)
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "written_off": 1200, "patient": 1300}
    more = {"claim_id": claim.claim_id, "kind": "charity", "amount_cents": 1301, "why": "more than that"}
    refused = await books.api.call("POST", PATH, more)
    assert (refused.status_code, refused.json()["code"]) == (409, "more_than_owed")


async def test_a_reversal_makes_the_patient_owe_it_again_once(books: Books) -> None:
    claim = await owing(books)
    found = await let_go(books, claim)
    again = await books.api.post(f"{PATH}/{found['id']}/reversals", {"why": "the patient offered to pay"})
    assert (again["amount_cents"], again["reverses"]) == (-2500, found["id"])
    assert (await books.stands(claim))["patient"] == 2500
    for write_off_id in (found["id"], again["id"]):
        twice = await books.api.call("POST", f"{PATH}/{write_off_id}/reversals", {"why": "once more"})
        assert twice.status_code == 409
    await books.totals()


async def test_what_the_payer_decides_anew_is_let_go_only_as_far_as_it_is_owed(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    first = answer("P1", line(13500, 9300, *PAID, control="P1L1"))
    await books.receive(an_835(first))
    await let_go(books, claim)
    better = answer("P1", line(13500, 10800, ("CO", "45", 1700), ("PR", "3", 1000), control="P1L1"), icn="ICN2")
    await books.receive(an_835(taken_back(first), better, trace="T2"))
    assert await books.stands(claim) == {"payer_paid": 10800, "contractual": 1700, "written_off": 1000}
    await books.totals()


async def test_money_that_comes_after_a_write_off_is_the_patients_to_use_elsewhere(books: Books) -> None:
    claim = await owing(books)
    await let_go(books, claim)
    paid = {"patient_id": claim.patient_id, "practice_id": books.practice_id, "amount_cents": 2500}
    taken = await books.api.post("/v1/patient-payments", paid | {"received_on": "2026-10-21"})
    assert taken["balance"]["unapplied_cents"] == 2500
    assert (await books.stands(claim))["written_off"] == 2500


@pytest.mark.parametrize("kind", ["denial", "", None])
async def test_a_write_off_has_a_kind_and_a_reason(books: Books, kind: Any) -> None:
    claim = await owing(books)
    body = {"claim_id": claim.claim_id, "kind": kind, "why": "why not"}
    assert (await books.api.call("POST", PATH, body)).status_code == 422
    assert (await books.api.call("POST", PATH, body | {"kind": "charity", "why": ""})).status_code == 422
