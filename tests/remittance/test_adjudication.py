"""What payers have decided, as the next payer will be told it: each amount at the level where it stood."""

from libs.common.events import PaymentPosted
from libs.common.events.remittance import Adjudication
from tests.remittance.payers import PAID, PAID_ON, Books, Sent, adjusted, an_835, answer, line, taken_back


async def told(books: Books) -> list[Adjudication]:
    """The decisions in the newest posting."""
    newest = (await books.api.told(PaymentPosted))[-1]
    assert newest.sealed is not None
    return list(newest.sealed.decisions)


async def test_line_and_claim_level_stay_apart(books: Books) -> None:
    claim = await books.send(Sent("P1", charges=(13_500, 4_000)))
    lines = line(13_500, 9_300, *PAID, control="P1L1"), line(4_000, 4_000, control="P1L2", procedure="90785")
    withheld = ("CO", "104", 300)
    decision = answer("P1", *lines, paid_cents=13_000, adjustments=adjusted(withheld), moa=("", "", "MA01"))
    await books.receive(an_835(decision))
    [said] = await told(books)
    assert [(a.group, a.reason, a.amount_cents) for a in said.adjustments] == [withheld]
    assert [(one.line_id, one.charge_cents, one.paid_cents) for one in said.lines] == [
        (claim.line_ids[0], 13_500, 9_300), (claim.line_ids[1], 4_000, 4_000),
    ]  # fmt: skip
    assert [(a.group, a.reason, a.amount_cents) for a in said.lines[0].adjustments] == list(PAID)
    assert (said.payer_control_number, said.remark_codes, said.decided_on) == ("ICN1", ["MA01"], PAID_ON)


async def test_what_was_taken_back_is_told_no_more(books: Books) -> None:
    await books.send(Sent("P1"))
    first = answer("P1", line(13_500, 9_300, *PAID, control="P1L1"))
    await books.receive(an_835(first))
    again = answer("P1", line(13_500, 10_300, ("CO", "45", 3_200), control="P1L1"), icn="ICN2")
    await books.receive(an_835(taken_back(first), again, trace="EFT2"))
    assert [one.payer_control_number for one in await told(books)] == ["ICN2"]


async def test_the_second_payers_decision_stands_beside_the_firsts(books: Books) -> None:
    claim = await books.send(Sent("P1"))
    await books.receive(an_835(answer("P1", line(13_500, 9_300, *PAID, control="P1L1"))))
    again = Sent("P2", claim.claim_id, claim.patient_id, claim.encounter_id, claim.charges, claim.line_ids, attempt=2)
    await books.send(again, rank=2, payer="pay_summit")
    said = line(13_500, 2_000, ("OA", "23", 11_000), ("PR", "2", 500), control="P2L1")
    await books.receive(an_835(answer("P2", said, status="2", icn="SM1"), trace="EFT2", payer="SUMMT"))
    assert [(one.rank, one.payer_id) for one in await told(books)] == [(1, "pay_harborbh"), (2, "pay_summit")]
