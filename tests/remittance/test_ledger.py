"""Whatever happens and in whatever order: every charge and every payment is accounted for, in the database too."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from libs import x12
from libs.common.events import DenialRaised, ReceivableChanged
from tests.remittance.payers import PAID, Books, Sent, an_835, answer, line, taken_back
from tests.remittance.test_denials import resolve
from tests.remittance.test_patients import pay, visited

Step = Callable[[], Awaitable[object]]


def story(books: Books, chance: random.Random, n: int) -> list[Step]:
    """What happens to one claim: charged, decided, perhaps denied, resent, taken back, corrected, paid twice."""
    claim = Sent(f"C{n}", charges=(13500, 4000), patient_id=f"pat_{n % 2}{books.practice_id[4:]}")
    again = Sent(
        f"D{n}", claim.claim_id, claim.patient_id, claim.encounter_id, (14000, 4000), claim.line_ids, attempt=2
    )

    def era(*said: x12.ClaimPayment, trace: str) -> Step:
        amount = sum(one.paid_cents for one in said)
        plb = [("FB", f"{trace}{n}", amount)] if amount < 0 else []
        return lambda: books.receive(an_835(*said, trace=f"{trace}{n}", plb=plb))

    small = line(4000, 4000, control=f"C{n}L2")
    paid = answer(f"C{n}", line(13500, 9300, *PAID, control=f"C{n}L1"), small, icn=f"I{n}")
    denied = answer(f"C{n}", line(13500, 0, ("CO", "197", 13500), control=f"C{n}L1"), small, icn=f"J{n}")
    partly = answer(
        f"D{n}",
        line(14000, 8000, ("CO", "45", 1000), ("CO", "119", 3000), ("PR", "1", 2000), control=f"D{n}L1"),
        line(4000, 4000, control=f"D{n}L2"),
        icn=f"K{n}",
    )
    unknown = answer(f"D{n}", line(14000, 9000, ("CO", "Z1", 5000), control=f"D{n}L1"), icn=f"L{n}")
    first = chance.choice([paid, denied])
    steps = [
        lambda: books.send(claim),
        era(first, trace="A"),
        lambda: visited(books, claim, chance.choice([0, 1000, 2500])),
    ]
    if chance.random() < 0.7:
        steps += [lambda: books.send(again, frequency="7"), era(taken_back(first), trace="B")]
        steps += [era(chance.choice([partly, unknown]), trace="C")]
    if chance.random() < 0.3:
        steps += [era(replace(first, payer_control_number=f"M{n}"), trace="X")]
    if chance.random() < 0.5:
        steps += [lambda: pay(books, claim, 1500)]
    return steps


async def settle_denials(books: Books) -> None:
    """Every denial gets the decision that its amount says, so that runs can be compared."""
    for raised in await books.api.told(DenialRaised):
        await resolve(books, raised, "written_off" if raised.denied_cents == 3000 else "appealed", sequence=50)


@pytest.mark.parametrize("seed", range(2))
async def test_the_figures_do_not_depend_on_the_order_of_arrival(books: Books, seed: int) -> None:
    steps = [step for n in range(3) for step in story(books, random.Random(seed * 100 + n), n)]
    random.Random(seed).shuffle(steps)
    for step in steps:
        await step()
    await settle_denials(books)
    shuffled = await books.totals()

    other = Books(books.api, practice_id=books.practice_id)
    other.api.tenant = f"{books.api.tenant}b"
    await other.know_practice()
    for step in [step for n in range(3) for step in story(other, random.Random(seed * 100 + n), n)]:
        await step()
    await settle_denials(other)
    assert await other.totals() == shuffled


async def test_what_is_told_of_every_claim_is_what_the_ledger_says(books: Books) -> None:
    steps = [step for n in range(3) for step in story(books, random.Random(n), n)]
    random.Random(7).shuffle(steps)
    for step in steps:
        await step()
    newest: dict[str, ReceivableChanged] = {}
    for told in await books.api.told(ReceivableChanged):
        newest[told.claim_id] = told
    totals = await books.totals()
    for name in ("billed", "payer_paid", "patient", "patient_paid", "denied_open", "in_flight", "credits"):
        assert sum(getattr(t.buckets, f"{name}_cents") for t in newest.values()) == totals[f"{name}_cents"]
