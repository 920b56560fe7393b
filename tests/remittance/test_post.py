"""From an 835 to the ledger: what posts, what waits, and what is told."""

from libs.common.events import EraReceived, PaymentPosted, ReceivableChanged
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line


async def test_a_paid_claim_is_posted_to_the_cent(books: Books):
    claim = await books.send(Sent("P1"))
    assert await books.stands(claim) == {"in_flight": 13500}

    [era] = await books.receive(an_835(answer("P1", line(13500, 9300, *PAID, control="P1L1"))))

    assert await books.stands(claim) == {"payer_paid": 9300, "contractual": 1700, "patient": 2500}
    found = await books.remittance(era)
    assert (found["status"], found["claims"][0]["match"]["method"], found["auto_post_rate"]) == ("posted", "pcn", 1.0)
    totals = await books.totals()
    assert (totals["era_clearing_cents"], totals["suspense_cents"]) == (9300, 0)
    [posted] = await books.api.told(PaymentPosted)
    assert (posted.entry, posted.outcome, posted.paid_cents, posted.patient_cents) == ("payment", "paid", 9300, 2500)
    assert posted.payer_control_number == "ICN1"
    [received] = await books.api.told(EraReceived)
    assert (received.balance, received.claims, received.waiting) == ("balanced", 1, 0)
    assert (received.payer_id, received.practice_id) == ("pay_harborbh", books.practice_id)
    changes = await books.api.told(ReceivableChanged)
    assert [c.buckets.in_flight_cents for c in changes] == [13500, 0]
    assert await books.reasons() == []
