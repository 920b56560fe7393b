"""Faults on demand: what a payer does wrong, by member and date, so that timing changes nothing. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from services.sandbox.intake837 import Refusal
from services.sandbox.plans import Reason

FAULTS = {
    "timeout_after_accept": "The file is accepted, then the connection is lost (`seconds`: answers that late instead).",
    "answer_twice": "The 277CA and the 835 lie in the mailbox twice (`what`: 277CA, 835 or both).",
    "835_before_277ca": "The 277CA comes a day after the 835.",
    "no_277ca": "No 277CA ever comes.",
    "no_835": "The claim is adjudicated and no 835 ever comes.",
    "late_835": "The payment comes `days` (30) later, with interest where the payer owes it.",
    "two_payments": "The claim is paid in two payments: by lines, or apart from the others of its day.",
    "unbalanced_835": "The 835 does not balance by `cents` (1000), at the `level` claim or transaction.",
    "reverse_and_correct": "After `days` (7) a reversal, and a correction at `percent` (90) or denied for `reason`.",
    "recoup": "After `days` (7) the payment is taken back by PLB WO (`cents`: only so much).",
    "crossover": "The decided claim goes on to `next_payer_id` for `next_member_id`, with CLP02 19 and MA18.",
    "underpay": "The payer prices at `percent` (80) of its fee.",
    "reject_277ca": "Intake returns the claim: `category` (A7), `status` (562), `entity` (85).",
    "deny": "Denied for `group` (CO), `reason` (50), `remark`.",
    "aaa": "The 271 answers with AAA `reason` (42) and `follow_up` (R); for any date.",
}
DENIALS = {
    "deny_197": Reason(group="CO", reason="197", remark="M62"),
    "deny_50": Reason(group="CO", reason="50", remark="N115"),
    "deny_16": Reason(group="CO", reason="16", remark="N290"),
    "deny_11": Reason(group="CO", reason="11", remark="M76"),
    "deny_22": Reason(group="CO", reason="22", remark="MA04"),
    "deny_252": Reason(group="CO", reason="252", remark="M127"),
}
"""Shorthand: each is a fault of its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault for one member, on one date of service or on any."""

    member_id: str
    fault: str
    service_date: date | None = None
    payer_id: str | None = None
    attempt: int = 1
    """Which claim of that member and date it strikes; a resubmission is the second."""
    params: dict[str, Any] = field(default_factory=dict)

    def strikes(self, payer_id: str, member_id: str, on: date | None, attempt: int) -> bool:
        here = self.payer_id in (None, payer_id) and self.member_id == member_id
        return here and self.service_date in (None, on) and self.attempt in (0, attempt)


@dataclass(frozen=True, slots=True)
class Faults:
    """The scenarios that strike one claim."""

    struck: tuple[Scenario, ...]

    @classmethod
    def of(
        cls, scenarios: Iterable[Scenario], payer_id: str, member_id: str, on: date | None, attempt: int
    ) -> "Faults":
        return cls(tuple(one for one in scenarios if one.strikes(payer_id, member_id, on, attempt)))

    def get(self, fault: str) -> dict[str, Any] | None:
        """The parameters of a fault, or None when it does not strike."""
        return next((one.params for one in self.struck if one.fault == fault), None)

    def refusal(self) -> Refusal | None:
        """The rejection that a scenario asks for."""
        params = self.get("reject_277ca")
        if params is None:
            return None
        return Refusal(
            category=str(params.get("category", "A7")),
            status=str(params.get("status", "562")),
            entity=str(params.get("entity", "85")),
        )

    def denial(self) -> Reason | None:
        """The denial that a scenario asks for."""
        for one in self.struck:
            if one.fault in DENIALS:
                return DENIALS[one.fault]
        return denial_of(self.get("deny"))

    def fee_percent(self) -> Decimal:
        params = self.get("underpay")
        return Decimal(100) if params is None else Decimal(str(params.get("percent", 80)))

    def names(self) -> list[str]:
        return [one.fault for one in self.struck]


def denial_of(params: dict[str, Any] | None) -> Reason | None:
    """A reason from a scenario's parameters."""
    if params is None:
        return None
    return Reason(
        group=str(params.get("group", "CO")),
        reason=str(params.get("reason", "50")),
        remark=str(params.get("remark", "")),
    )
