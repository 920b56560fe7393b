"""The ledger's figures: every dollar has one place, and a broken ledger would say so."""

import asyncpg

from services.remittance.domain.ledger import BUCKET_NAMES
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


async def test_every_dollar_of_a_practice_has_one_place(books: Books) -> None:
    await books.send(Sent("P1"))
    await books.send(Sent("P2"))
    await books.receive(
        an_835(
            answer("P1", line(13500, 9300, *PAID, control="P1L1")),
            answer("NOBODY", line(5000, 4000, ("CO", "45", 1000))),
            plb=[("WO", "OLD", 1000)],
        )
    )
    found = await books.totals()
    assert found["billed_cents"] == sum(found[f"{n}_cents"] for n in BUCKET_NAMES if n not in ("billed", "credits"))
    assert found["era_received_cents"] == 12300
    assert (found["payer_paid_cents"], found["suspense_cents"], found["provider_adjustment_cents"]) == (
        9300, 4000, 1000,
    )  # fmt: skip


async def test_a_ledger_that_somebody_has_broken_says_so(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.totals()
    connection = await asyncpg.connect(books.api.database.admin_url)
    try:
        changed = "update remittance.line set billed_cents = 1, in_flight_cents = 1 where claim_id = $1"
        await connection.execute(changed, claim.claim_id)
    finally:
        await connection.close()
    assert (await books.api.get("/v1/ledger/totals"))["ledger_imbalance_cents"] > 0
