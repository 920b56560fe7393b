"""What a decision means for the claim, in the words that claims acts on."""

from typing import Any

import pytest

from libs.common.events import PaymentPosted
from tests.remittance.payers import Books, Sent, an_835, answer, line

CO45 = ("CO", "45", 1700)


@pytest.mark.parametrize(
    ("paid", "adjustments", "outcome"),
    [
        (11800, [CO45], "paid"),
        (9300, [CO45, ("PR", "3", 2500)], "paid"),
        (0, [("CO", "24", 13500)], "paid"),
        (0, [CO45, ("PR", "1", 11800)], "patient_responsibility"),
        (0, [("CO", "197", 13500)], "denied"),
        (0, [CO45, ("PR", "204", 11800)], "denied"),
        (5000, [CO45, ("CO", "197", 6800)], "partially_paid"),
        (0, [CO45, ("CO", "197", 6800), ("PR", "3", 5000)], "partially_paid"),
        (9300, [CO45, ("CO", "Z9", 2500)], "partially_paid"),
    ],
)
async def test_the_outcome_of_a_decision(books: Books, paid: Any, adjustments: Any, outcome: Any) -> None:
    await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13500, paid, *adjustments, control="P1L1"))))
    [posted] = await books.api.told(PaymentPosted)
    assert posted.outcome == outcome


async def test_each_line_is_told_with_what_moved_on_it(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13500, 4000)))
    said = line(13500, 9300, CO45, ("PR", "3", 2500), control="P1L1")
    await books.receive(an_835(answer("P1", said)))
    [posted] = await books.api.told(PaymentPosted)
    [moved] = posted.lines
    assert (moved.line_id, moved.paid_cents, moved.contractual_cents) == (claim.line_ids[0], 9300, 1700)
    assert (posted.outcome, posted.buckets.in_flight_cents) == ("partially_paid", 4000)
