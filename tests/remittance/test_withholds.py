"""What a payer withheld comes back with a later remittance, and is paid on the lines that it was withheld from."""

from tests.remittance.payers import Books, Sent, an_835, answer, line, taken_back

WITHHELD = (("CO", "45", 1500), ("CO", "104", 500))


async def withheld(books: Books, number: int) -> Sent:
    """A claim from which the payer withholds 5.00."""
    claim = await books.send(Sent(f"P{number}"))
    said = line(13500, 11500, *WITHHELD, control=claim.control(1))
    await books.receive(an_835(answer(claim.pcn, said, icn=f"ICN{number}"), trace=f"T{number}"))
    assert (await books.stands(claim))["withheld"] == 500
    return claim


async def returned(books: Books, cents: int, reference: str = "2026Q3", payer: str = "HRBBH") -> None:
    await books.receive(an_835(trace="RET", plb=[("E3", reference, -cents)], payer=payer))


async def test_a_return_moves_what_was_withheld_to_what_the_payer_paid(books: Books) -> None:
    first, second = await withheld(books, 1), await withheld(books, 2)
    await returned(books, 800)
    stand = sorted([await books.stands(first), await books.stands(second)], key=lambda one: one["payer_paid"])
    assert stand == [
        {"payer_paid": 11800, "contractual": 1500, "withheld": 200}, {"payer_paid": 12000, "contractual": 1500},
    ]  # fmt: skip
    totals = await books.totals()
    assert (totals["suspense_cents"], totals["provider_adjustments"].get("withhold", 0)) == (0, 0)
    assert await books.reasons() == []


async def test_a_return_for_a_claim_that_the_payer_names_is_that_claims(books: Books) -> None:
    first, second = await withheld(books, 1), await withheld(books, 2)
    await returned(books, 500, reference="ICN2")
    assert (await books.stands(first))["withheld"] == 500
    assert await books.stands(second) == {"payer_paid": 12000, "contractual": 1500}


async def test_more_than_was_withheld_stays_in_its_account_and_is_looked_at(books: Books) -> None:
    claim = await withheld(books, 1)
    await returned(books, 700)
    assert await books.stands(claim) == {"payer_paid": 12000, "contractual": 1500}
    assert (await books.totals())["provider_adjustments"]["withhold"] == -200
    assert await books.reasons() == ["plb_unlinked"]


async def test_a_claim_that_is_taken_back_after_its_withhold_came_gives_that_up_too(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    said = answer("P1", line(13500, 11500, *WITHHELD, control="P1L1"))
    await books.receive(an_835(said))
    await returned(books, 500)
    again = answer("P1", line(13500, 12000, ("CO", "45", 1500), control="P1L1"), icn="ICN2")
    await books.receive(an_835(taken_back(said), again, trace="T2"))
    assert await books.stands(claim) == {"payer_paid": 12000, "contractual": 1500}
    assert (await books.totals())["suspense_cents"] == 500


async def test_what_another_payer_withholds_is_not_paid_by_this_one(books: Books) -> None:
    claim = await withheld(books, 1)
    await returned(books, 500, payer="SUMMT")
    assert (await books.stands(claim))["withheld"] == 500
