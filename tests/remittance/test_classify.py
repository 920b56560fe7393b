"""Codes that no table knows: a person reads them, and the money that waited moves."""

from typing import Any

import pytest

from libs.common.events import DenialRaised, PaymentPosted
from tests.remittance.payers import Books, Sent, an_835, answer, line

SAID = line(13500, 9300, ("CO", "45", 1700), ("CO", "Z9", 2500), control="P1L1")
READING = {
    "payer_id": "pay_harborbh", "group": "CO", "reason": "Z9", "adjusts": "contractual",
    "effective_from": "2026-01-01", "why": "the payer's manual, section 12",
}  # fmt: skip


async def read(books: Books, **changes: object) -> None:
    await books.api.post("/v1/adjustment-readings", {**READING, **changes})
    await books.api.run_due()


async def waiting(books: Books) -> Sent:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", SAID)))
    assert (await books.stands(claim))["in_flight"] == 2500
    return claim


async def test_what_waited_for_a_code_is_accounted_for_once_it_is_read(books: Books) -> None:
    claim = await waiting(books)
    await read(books)
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 4200}
    assert await books.reasons() == []
    assert [(t.entry, t.outcome, t.contractual_cents) for t in await books.api.told(PaymentPosted)] == [
        ("payment", "partially_paid", 1700),
        ("classification", "paid", 2500),
    ]
    await books.totals()


async def test_what_comes_later_is_read_at_once(books: Books) -> None:
    await read(books, adjusts="patient")
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", SAID)))
    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}


async def test_a_code_that_is_read_as_a_denial_raises_one(books: Books) -> None:
    claim = await waiting(books)
    await read(books, adjusts="denial")
    assert (await books.stands(claim))["denied_open"] == 2500
    [raised] = await books.api.told(DenialRaised)
    assert (raised.reason_code, raised.denied_cents) == ("Z9", 2500)


@pytest.mark.parametrize(
    "other", [{"payer_id": "pay_summit"}, {"effective_from": "2026-11-01"}, {"group": "PR"}, {"reason": "Z8"}]
)
async def test_a_reading_of_something_else_moves_nothing(books: Books, other: Any) -> None:
    claim = await waiting(books)
    await read(books, **other)
    assert (await books.stands(claim))["in_flight"] == 2500
    assert await books.reasons() == ["adjustment_unclassified"]


async def test_a_code_that_the_table_knows_cannot_be_read_otherwise(books: Books) -> None:
    refused = await books.api.call("POST", "/v1/adjustment-readings", READING | {"reason": "45"})
    assert (refused.status_code, refused.json()["code"]) == (409, "code_known")
    await read(books)
    again = await books.api.call("POST", "/v1/adjustment-readings", READING)
    assert (again.status_code, again.json()["code"]) == (409, "code_read")
    assert [one["reason"] for one in (await books.api.get("/v1/adjustment-readings"))["data"]] == ["Z9"]
