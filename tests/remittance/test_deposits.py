"""The bank: a deposit is tied to the remittance that announced it, whichever comes first."""

from datetime import date
from typing import Any

import pytest

from libs import x12
from libs.common.events import DepositMatched
from services.remittance.deposits import business_days_between
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


def paid(pcn: str = "P1") -> x12.ClaimPayment:
    return answer(pcn, line(13500, 9300, *PAID, control=f"{pcn}L1"))


async def deposit(books: Books, **changes: object) -> Any:
    body = {"trace": "EFT1", "amount_cents": 9300, "deposited_on": "2026-10-21", "reference": "stmt-1", **changes}
    return await books.api.post("/v1/deposits", body)


async def test_a_deposit_moves_clearing_to_cash(books: Books) -> None:
    await books.send(Sent("P1"))
    [era] = await books.receive(an_835(paid()))
    found = await deposit(books)
    assert (found["status"], found["era_id"]) == ("matched", era)
    totals = await books.totals()
    assert (totals["era_clearing_cents"], totals["payer_cash_cents"]) == (0, 9300)
    [told] = await books.api.told(DepositMatched)
    assert (told.era_id, told.amount_cents, told.deposited_on) == (era, 9300, date(2026, 10, 21))
    assert (await books.remittance(era))["eft"] == {"matched": True, "deposit_id": found["id"]}


async def test_money_that_comes_before_its_remittance_waits_in_sight(books: Books) -> None:
    found = await deposit(books)
    assert found["status"] == "unmatched"
    assert await books.reasons() == ["deposit_unmatched"]
    totals = await books.totals()
    assert (totals["payer_cash_cents"], totals["unmatched_deposits_cents"]) == (9300, 9300)
    assert len((await books.api.get("/v1/deposits?status=unmatched"))["data"]) == 1

    await books.receive(an_835(paid()))
    assert (await books.api.get(f"/v1/deposits/{found['id']}"))["status"] == "matched"
    totals = await books.totals()
    assert (totals["era_clearing_cents"], totals["unmatched_deposits_cents"]) == (0, 0)
    assert "deposit_unmatched" not in await books.reasons()


@pytest.mark.parametrize(
    "other", [{"trace": "EFT2"}, {"amount_cents": 9200}, {"deposited_on": "2026-10-27"}]
)  # fmt: skip
async def test_trace_amount_and_date_must_fit(books: Books, other: Any) -> None:
    await books.receive(an_835(paid()))
    assert (await deposit(books, **other))["status"] == "unmatched"


async def test_the_same_deposit_told_twice_is_one(books: Books) -> None:
    await books.receive(an_835(paid()))
    assert (await deposit(books))["id"] == (await deposit(books))["id"]
    assert (await books.totals())["payer_cash_cents"] == 9300


@pytest.mark.parametrize(
    ("one", "other", "days"),
    [
        (date(2026, 10, 20), date(2026, 10, 20), 0),
        (date(2026, 10, 23), date(2026, 10, 26), 1),
        (date(2026, 10, 20), date(2026, 10, 23), 3),
        (date(2026, 10, 28), date(2026, 10, 23), 3),
        (date(2026, 10, 3), date(2026, 10, 11), 5),
        (date(1, 1, 1), date(2026, 10, 20), 528_506),
    ],
)
def test_weekends_are_no_business_days(one: Any, other: Any, days: Any) -> None:
    assert business_days_between(one, other) == days
