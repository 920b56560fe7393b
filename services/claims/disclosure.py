"""Whether a payer may learn of a session: not of one in a substance use program without consent (42 CFR Part 2).

That a consent is needed is itself what may not be told, so events say only that the claim is on hold.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from libs.common.db import Transaction
from services.claims import tables

HOLD: Final = "disclosure_hold"
WORDS: Final = "no consent of the patient to disclosure to this payer is in force; record one, or bill the patient"
NOTICE: Final = "42 CFR PART 2 PROHIBITS UNAUTHORIZED USE OR DISCLOSURE OF THESE RECORDS"
"""What goes with each disclosure; source: 42 CFR 2.32(a)(2)."""


def is_protected(detail: Mapping[str, Any]) -> bool:
    """The session took place in a program whose records Part 2 protects, as the EHR says."""
    return bool((detail.get("sensitivity") or {}).get("part2_program"))


def first_payer(detail: Mapping[str, Any]) -> str | None:
    """The payer that the EHR names first; None where nobody but the patient pays."""
    named = sorted(detail["coverages"], key=lambda one: int(one["rank"]))
    return named[0]["payer"]["id"] if named else None


async def allowed(tx: Transaction, patient_id: str, detail: Mapping[str, Any], payer_id: str | None) -> bool:
    """The payer may learn of the session today; where there is no payer, nobody learns of it."""
    if payer_id is None or not is_protected(detail):
        return True
    table = tables.consent
    found = await tx.scalar(
        sa.select(sa.literal(1))
        .where(
            table.c.patient_id == patient_id,
            table.c.revoked_at.is_(None),
            table.c.given_on <= tx.today,
            sa.or_(table.c.expires_on.is_(None), table.c.expires_on >= tx.today),
            sa.or_(sa.func.cardinality(table.c.payer_ids) == 0, table.c.payer_ids.contains([payer_id])),
        )
        .limit(1)
    )
    return found is not None
