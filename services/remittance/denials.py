"""Money that a payer denied: raised once per line and decision, and moved when somebody decides, never by itself."""

from libs.common.db import Row, Transaction
from libs.common.events import DenialRaised, DenialResolved, Envelope
from libs.common.ids import new_id
from services.remittance import ledger
from services.remittance.domain.adjustments import Adjustment, classified
from services.remittance.ledger import Restated
from services.remittance.store import cases, claims
from services.remittance.store.claims import Receivable


async def raise_new(tx: Transaction, claim: Receivable, restated: Restated) -> None:
    """Every decision that left something of a line denied has its denial told, once."""
    shares = {
        (posting_id, line_id): share.denied
        for line_id, standing in restated.standings.items()
        for posting_id, share in standing.shares.items()
        if share.denied
    }
    if not shares:
        return
    for row in await cases.without_denial(tx, claim.claim_id):
        denied = shares.get((row["posting_id"], row["line_id"]))
        if denied:
            leading = await _leading(tx, row)
            event = DenialRaised(
                claim_id=claim.claim_id,
                denial_id=new_id("dnl"),
                line_id=row["line_id"],
                era_id=row["era_id"],
                practice_id=claim.practice_id,
                payer_id=row["payer_id"],
                group_code=leading.group,
                reason_code=leading.reason,
                remark_codes=list(row["remark_codes"]),
                denied_cents=denied,
                code_family=row["code_family"],
                payer_control_number=row["icn"][:50] or None,
                first_pass=row["first_pass"],
                raised_on=tx.today,
            )
            await cases.add_denial(tx, event, posting_id=row["posting_id"])
            await ledger.tell(tx, claim, event)


async def _leading(tx: Transaction, row: Row) -> Adjustment:
    """The reason that a denial goes by."""
    said = [Adjustment(group=group, reason=reason, amount_cents=cents) for group, reason, cents in row["adjustments"]]
    payer_id, on = row["payer_id"], row["service_date"]
    found = classified(said, payer_id=payer_id, on=on).leading
    if found is None:
        found = classified(said, payer_id=payer_id, on=on, readings=await cases.readings(tx)).leading
    assert found is not None, "what is denied has a reason"
    return found


async def on_denial_resolved(tx: Transaction, event: Envelope[DenialResolved]) -> None:
    """The denied money follows what was decided: in flight again, written off, or the patient's."""
    said = event.data
    claim = await claims.lock(tx, said.claim_id)
    if claim is None:
        return
    if await cases.resolve(tx, said.denial_id, resolution=said.resolution, sequence=event.sequence):
        restated = await ledger.restate(tx, claim, "denial_resolved")
        await raise_new(tx, claim, restated)
