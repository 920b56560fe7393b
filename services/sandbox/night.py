"""The payer's night: at 22:00 what came in is adjudicated, on payment days at 23:00 what was decided is paid."""

from dataclasses import replace
from datetime import datetime

from libs.common import timers
from libs.common.db import Database, Transaction
from libs.common.timers import Due, Work
from services.sandbox import crossover, payments, store
from services.sandbox.adjudicate import adjudicate
from services.sandbox.decisions import Decision, Standing
from services.sandbox.desk import Desk, open_desk
from services.sandbox.plans import Payer, payers
from services.sandbox.scenarios import Faults, Scenario
from services.sandbox.store import FiledClaim

NIGHT = "sandbox.night"
TENANT = "sandbox"
"""The kernel keeps due work by tenant; all of the sandbox's is under this one."""


async def run(work: Work, due: Due) -> None:
    """All that is due at this payer is done, in the order of business time, however far the clock has jumped."""
    while await step(work.db, due.id):
        pass


async def run_all(db: Database) -> None:
    """Every payer's due work is done; for tests and for a sandbox without a worker."""
    for payer_id in payers():
        while await step(db, payer_id):
            pass


async def step(db: Database, payer_id: str) -> bool:
    """The payer's next run is done in one transaction; False when nothing is due."""
    async with db.transaction(TENANT) as tx:
        await store.lock_payer(tx, payer_id)
        at = await store.next_due(tx, payer_id)
        if at is None:
            await timers.clear(tx, NIGHT, payer_id)
            return False
        if at > tx.now:
            await timers.set(tx, NIGHT, payer_id, at=at)
            return False
        payer = payers()[payer_id]
        if not await _adjudicate_all(tx, payer, at):
            await payments.pay_all(tx, payer, at)
        return True


async def _adjudicate_all(tx: Transaction, payer: Payer, at: datetime) -> bool:
    """What waits for the run of `at` is decided, one claim after the other; False when nothing waits."""
    waiting = await store.pending(tx, payer.payer_id, at)
    if not waiting:
        return False
    desk = await open_desk(tx, payer, waiting)
    for one in waiting:
        original = await _reverse_original(tx, payer, desk, one, at)
        if one.claim.frequency == "8":
            await store.set_status(tx, one.icn, "voided")
            continue
        decision = adjudicate(one.claim, one.icn, payer, _standing(desk, one))
        decision = await crossover.pass_on(tx, payer, one, decision, at)
        if decision.passed_on_to:
            due = await store.next_due(tx, decision.passed_on_to)
            assert due is not None, "it has just been given a claim"
            await timers.set(tx, NIGHT, decision.passed_on_to, at=due)
        await store.decide(tx, one, decision)
        desk.decided(replace(one, status="decided", decision=decision))
        await payments.schedule(tx, payer, one, decision, at, after=original)
        await _correct_later(tx, payer, one, decision, at)
    return True


def _standing(desk: Desk, one: FiledClaim) -> Standing:
    faults = _faults(one)
    return Standing(
        member=desk.member(one.member_id),
        received=one.received_at.date(),
        effects=desk.effects_of_family(one.member_id),
        roster=desk.roster_of(one.claim.billing.id),
        authorizations=desk.authorizations_of(one.member_id),
        forced=faults.denial(),
        fee_percent=faults.fee_percent(),
    )


def _faults(one: FiledClaim) -> Faults:
    """The scenarios that intake found for the claim."""
    return Faults(tuple(Scenario(member_id=one.member_id, fault=f, params=p) for f, p in one.faults.items()))


async def _reverse_original(
    tx: Transaction, payer: Payer, desk: Desk, one: FiledClaim, at: datetime
) -> FiledClaim | None:
    """The claim that this one replaces is taken back line by line, and its accumulators with it."""
    if one.replaced_icn is None:
        return None
    original = desk.filed(one.replaced_icn)
    assert original.decision is not None, "originals are adjudicated before what replaces them"
    await store.reverse(tx, original.icn)
    desk.reversed(original.icn)
    await payments.schedule_reversal(tx, payer, original, at)
    return original


async def _correct_later(tx: Transaction, payer: Payer, one: FiledClaim, decision: Decision, at: datetime) -> None:
    """A scenario's own second thoughts: a takeback by PLB, or the same claim decided anew under a new number."""
    faults = _faults(one)
    recoup = faults.get("recoup")
    if recoup is not None and decision.paid_cents > 0:
        await payments.take_back_later(tx, payer, one, decision, at, recoup)
    correct = faults.get("reverse_and_correct")
    if correct is not None and one.replaced_icn is None:
        await payments.correct_later(tx, payer, one, at, correct)
