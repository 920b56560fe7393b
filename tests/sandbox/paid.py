"""Parts of a payment for tests."""

from typing import Any

from services.sandbox.claims837 import Adjustment
from services.sandbox.decisions import Decision, LineDecision
from services.sandbox.remit835 import ClaimPaid
from tests.sandbox.scenes import MONDAY, a_claim, a_line


def a_claim_paid(paid_cents: int, **changes: Any) -> ClaimPaid:
    """A claim of 500.00 of which so much is paid and the rest written off."""
    line = a_line(charge_cents=50000)
    rest = Adjustment(group="CO", reason="45", cents=50000 - paid_cents)
    decided = LineDecision(
        line=line,
        paid_cents=paid_cents,
        allowed_cents=paid_cents,
        adjustments=(rest,) if rest.cents else (),
    )
    values: dict[str, Any] = {
        "claim": a_claim(line),
        "decision": Decision(status="1", lines=(decided,)),
        "icn": "HB2627800000001",
        "received": MONDAY,
    }
    return ClaimPaid(**(values | changes))
