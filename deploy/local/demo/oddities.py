"""What goes wrong in the month, and with which session: a month without trouble would show little.

Sessions are chosen by payer and place in that payer's month, so that the same seed has the same trouble.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from deploy.local.demo.practice import Practice, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """The `place`-th session of that payer and kind has this wrong with it."""

    name: str
    payer_id: str
    kind: str
    place: int
    words: str
    fault: dict[str, Any] | None = field(default=None)
    """What the payer does wrong, where it is the payer."""


ODDITIES = (
    Oddity(name="up_code", payer_id="pay_meridian", kind="individual", place=5, words="45 minutes sent as 90837"),
    Oddity(name="up_code", payer_id="pay_medicare", kind="individual", place=9, words="45 minutes sent as 90837"),
    Oddity(name="up_code_left", payer_id="pay_summit", kind="individual", place=14, words="sent as 90837, left so"),
    Oddity(name="unsigned", payer_id="pay_meridian", kind="individual", place=11, words="note signed a day late"),
    Oddity(name="unsigned_left", payer_id="pay_medicare", kind="medication", place=6, words="note never signed"),
    Oddity(name="no_level_modifier", payer_id="pay_bluebonnet", kind="skills", place=1, words="H0004 without HO"),
    Oddity(name="no_level_modifier", payer_id="pay_bluebonnet", kind="skills", place=5, words="H0004 without HO"),
    Oddity(name="webhook_twice", payer_id="pay_meridian", kind="individual", place=2, words="same webhook twice"),
    Oddity(name="sent_twice", payer_id="pay_summit", kind="individual", place=3, words="same session, new webhook id"),
    Oddity(name="second_id", payer_id="pay_medicare", kind="individual", place=4, words="same session, second id"),
    Oddity(name="malformed", payer_id="pay_summit", kind="individual", place=7, words="unknown payer, then right"),
    Oddity(
        name="timeout", payer_id="pay_medicare", kind="individual", place=12, words="clearinghouse hangs up",
        fault={"fault": "timeout_after_accept"},
    ),
    Oddity(
        name="rejected", payer_id="pay_summit", kind="individual", place=5, words="277CA rejects the claim",
        fault={"fault": "reject_277ca", "category": "A7", "status": "562", "entity": "85"},
    ),
    Oddity(
        name="remit_first", payer_id="pay_meridian", kind="individual", place=8, words="835 before its 277CA",
        fault={"fault": "835_before_277ca", "payer_id": "pay_harborbh"},
    ),
    Oddity(
        name="answered_twice", payer_id="pay_meridian", kind="family", place=2, words="277CA and 835 twice",
        fault={"fault": "answer_twice", "payer_id": "pay_harborbh"},
    ),
    Oddity(
        name="reversed", payer_id="pay_meridian", kind="individual", place=1, words="reversed, paid anew at 90 %",
        fault={"fault": "reverse_and_correct", "days": 7, "percent": 90, "payer_id": "pay_harborbh"},
    ),
    Oddity(
        name="recouped", payer_id="pay_summit", kind="individual", place=1, words="taken back by PLB",
        fault={"fault": "recoup", "days": 7},
    ),
    Oddity(
        name="out_of_balance", payer_id="pay_summit", kind="individual", place=10, words="835 out of balance by $10",
        fault={"fault": "unbalanced_835", "cents": 1000, "level": "transaction"},
    ),
    Oddity(
        name="claim_out_of_balance", payer_id="pay_bluebonnet", kind="individual", place=6, words="claim off by $5",
        fault={"fault": "unbalanced_835", "cents": 500, "level": "claim"},
    ),
    Oddity(
        name="late", payer_id="pay_bluebonnet", kind="individual", place=3, words="835 ten days late",
        fault={"fault": "late_835", "days": 10},
    ),
    Oddity(
        name="two_payments", payer_id="pay_meridian", kind="individual", place=14, words="paid apart from its day",
        fault={"fault": "two_payments", "payer_id": "pay_harborbh"},
    ),
    Oddity(
        name="not_necessary", payer_id="pay_meridian", kind="individual", place=16, words="denied CO50, appealed",
        fault={"fault": "deny_50", "payer_id": "pay_harborbh"},
    ),
    Oddity(
        name="not_documented", payer_id="pay_medicare", kind="individual", place=2, words="denied CO16, given up",
        fault={"fault": "deny_16"},
    ),
)  # fmt: skip


def with_oddities(practice: Practice) -> Practice:
    """The practice with its trouble."""
    struck = {session.external_id: oddity for oddity, session in chosen(practice)}
    sessions = tuple(
        replace(session, oddity=struck[session.external_id].name) if session.external_id in struck else session
        for session in practice.sessions
    )
    return replace(practice, sessions=sessions)


def chosen(practice: Practice) -> Iterable[tuple[Oddity, Session]]:
    """Each oddity with the session that it strikes."""
    for oddity in ODDITIES:
        fitting = [s for s in practice.sessions if s.patient.payer_id == oddity.payer_id and s.kind == oddity.kind]
        fitting = [s for s in fitting if s.patient.known_to_payer and s.patient.covered_until is None]
        yield oddity, fitting[oddity.place]


def scenarios(practice: Practice) -> list[dict[str, Any]]:
    """What the payers are asked to do wrong."""
    return [
        {
            "member_id": session.patient.member_id,
            "service_date": session.service_date.isoformat(),
            "payer_id": session.patient.payer_id,
            **oddity.fault,
        }
        for oddity, session in chosen(practice)
        if oddity.fault is not None
    ]
