"""A code that no table knows: a person says how it is read, and what waited for that is accounted for."""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from libs.codes.adjustments import Adjusts, classify
from libs.common import timers
from libs.common.db import Row, Transaction
from libs.common.ids import new_id
from libs.common.problems import Conflict
from libs.common.timers import Due, Work
from services.remittance import decision, denials, ledger
from services.remittance.domain.adjustments import Adjustment, Reading, classified
from services.remittance.store import cases, claims, remittances
from services.remittance.store.claims import Receivable

KIND = "remittance.classify"


async def read_code(
    tx: Transaction,
    *,
    payer_id: str | None,
    group: str,
    reason: str,
    adjusts: str,
    effective_from: date,
    effective_to: date | None,
    why: str,
) -> str:
    """From now on, and for what waits, the code is read so. Raises Conflict where a table knows it, or it is read."""
    if classify(group, reason, payer_id, effective_from) is not Adjusts.UNKNOWN:
        raise Conflict("code_known", "The table of adjustment codes knows this one.")
    reading_id = new_id("adr")
    try:
        async with tx.savepoint():
            await cases.add_reading(
                tx,
                id=reading_id,
                payer_id=payer_id,
                group_code=group,
                reason_code=reason,
                adjusts=adjusts,
                effective_from=effective_from,
                effective_to=effective_to,
                why=why,
                decided_by=tx.actor,
            )
    except sa.exc.IntegrityError:
        raise Conflict("code_read", "The code is read already from that date on.") from None
    for claim_id in sorted({row["claim_id"] for row in await cases.unclassified(tx)}):
        await timers.set(tx, KIND, claim_id, at=tx.now)
    return reading_id


async def classify_claim(work: Work, due: Due) -> None:
    """What is read by now of the claim's decisions is accounted for."""
    async with work.db.transaction(due.tenant_id) as tx:
        claim = await claims.lock(tx, due.id)
        if claim is not None:
            await _classify(tx, claim)
        await timers.done(tx, due)


async def _classify(tx: Transaction, claim: Receivable) -> None:
    readings = await cases.readings(tx)
    rows = await cases.unclassified(tx, claim_id=claim.claim_id)
    news = {row["posting_id"]: row for row in rows if await _read(tx, row, readings)}
    if not news:
        return
    restated = await ledger.restate(tx, claim, "classified", posting_id=next(iter(news)))
    for row in _newest(news.values()):
        found = await remittances.answer(tx, row["era_claim_id"])
        assert found is not None, "what is posted was answered"
        posted = decision.Posted(
            posting_id=new_id("pst"),
            submission_id=row["submission_id"],
            payer_id=row["payer_id"],
            rank=row["rank"],
            entry="classification",
            outcome=decision.outcome_of(row["posting_id"], restated),
        )
        await remittances.set_outcome(tx, row["posting_id"], posted.outcome)
        await decision.tell_posted(tx, found, claim, restated, posted, posted.outcome)
    await denials.raise_new(tx, claim, restated)


async def _read(tx: Transaction, row: Row, readings: list[Reading]) -> bool:
    """The decided line is classified as it is read now; False where that changes nothing."""
    said = [Adjustment(group=group, reason=reason, amount_cents=cents) for group, reason, cents in row["adjustments"]]
    before = classified(said, payer_id=row["payer_id"], on=row["service_date"])
    now = classified(said, payer_id=row["payer_id"], on=row["service_date"], readings=readings)
    if now.unknown == before.unknown:
        return False
    await cases.save_classes(
        tx,
        row["posting_id"],
        row["line_id"],
        contractual_cents=now.contractual,
        patient_cents=now.patient,
        denied_cents=now.denied,
        withheld_cents=now.withheld,
        explained_cents=now.explained,
        unknown_cents=now.unknown,
    )
    return True


def _newest(rows: Iterable[Row]) -> list[Row]:
    """The last decision only: the claim stands where it leaves it."""
    return list(rows)[-1:]
