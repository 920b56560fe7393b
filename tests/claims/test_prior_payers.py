"""What an earlier payer decided, as the next one reads it in the claim: by our checker, by the sandbox, by others."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from libs import x12
from libs.codes.payers import payer
from services.claims import build837, prior_payers
from services.claims.build837 import Before, Material
from services.claims.prior_payers import UNBALANCED, UNDECIDED
from services.sandbox.accumulators import Member
from services.sandbox.acknowledge import judge
from services.sandbox.adjudicate import adjudicate
from services.sandbox.claims837 import Claim as FiledClaim
from services.sandbox.claims837 import read_claims
from services.sandbox.decisions import Rostered, Standing
from services.sandbox.intake837 import Known, refuse
from services.sandbox.plans import payer_by_edi
from services.sandbox.segments import read_interchange
from tests.claims.test_build837 import ACCOUNT, NOW, PRACTICE, material
from tests.claims.test_domain import a_claim, a_line
from tests.sandbox.oracle import complaints, needs_pyx12

SERVED = date(2026, 10, 5)
HARBOR = {"member_id": "HB123", "group_number": "G9", "relationship": "self"}
Reasons = list[tuple[str, str, int]]


def _adjusted(reasons: Reasons) -> list[dict[str, Any]]:
    return [{"group": group, "reason": reason, "amount_cents": cents} for group, reason, cents in reasons]


def decided(
    *lines: tuple[str, int, int, Reasons], rank: int = 1, claim_level: Reasons | None = None, **changes: Any
) -> dict[str, Any]:
    """A payer's decision as remittance tells it: lines as (id, charge, paid, reasons)."""
    given: dict[str, Any] = {
        "posting_id": f"pst_{rank}",
        "payer_id": "pay_harborbh" if rank == 1 else "pay_summit",
        "rank": rank,
        "payer_control_number": f"ICN{rank}",
        "decided_on": "2026-10-05",
        "charge_cents": sum(charge for _, charge, _, _ in lines),
        "paid_cents": sum(paid for _, _, paid, _ in lines),
        "adjustments": _adjusted(claim_level or []),
        "remark_codes": [],
        "lines": [
            {
                "line_id": line_id,
                "procedure": "90834",
                "modifiers": [],
                "charge_cents": charge,
                "paid_cents": paid,
                "adjustments": _adjusted(reasons),
            }
            for line_id, charge, paid, reasons in lines
        ],
    }
    return given | changes


ONE = ("sln_1", 17_500, 9_600, [("CO", "45", 5_500), ("PR", "2", 1_400), ("PR", "3", 1_000)])


def second(*found: dict[str, Any], rank: int = 2, payer_id: str = "pay_summit", **changes: Any) -> Material:
    """The claim that goes to the payer after those which have decided."""
    before = tuple(
        Before(said=said, payer=payer(said.payer_id, SERVED), identity=HARBOR)
        for said in prior_payers.said(found, ("sln_1",))
    )
    first = material(payer_id, **{"answer": {"member_id": "S777"}, "before": before} | changes)
    return replace(first, claim=replace(first.claim, rank=rank))


def file_of(of: Material) -> bytes:
    return build837.file(ACCOUNT, of.practice, 1, NOW, (build837.claim_record(of),))


SENT = {
    "decided by line": second(decided(ONE)),
    "a line denied": second(decided(("sln_1", 17_500, 0, [("CO", "197", 15_000), ("PR", "3", 2_500)]))),
    "something withheld of the claim as a whole": second(decided(ONE, claim_level=[("CO", "104", 200)])),
    "decided as a whole": second(
        decided(claim_level=[("CO", "45", 5_500), ("PR", "1", 2_400)], charge_cents=17_500, paid_cents=9_600)
    ),
    "with remarks": second(decided(ONE, remark_codes=["MA01", "MA18"])),
    "to Medicare, which is second to a working person's plan": second(decided(ONE), payer_id="pay_medicare"),
    "to a third payer": second(
        decided(ONE),
        decided(("sln_1", 17_500, 1_400, [("OA", "23", 15_100), ("PR", "2", 1_000)]), rank=2),
        rank=3,
        payer_id="pay_bluebonnet",
    ),
    "for a child of the subscriber": second(
        decided(ONE), answer={"member_id": "S777", "relationship": "child", "subscriber_first_name": "Max"}
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_our_checker_and_the_payers_own_reader_find_no_fault(name: str) -> None:
    body = file_of(SENT[name])
    assert [(found.code, found.message) for found in x12.check(body).findings] == []
    judgement = judge(read_interchange(body).groups[0])
    assert ([verdict.errors for verdict in judgement.verdicts], judgement.reasons) == ([()], ())


@needs_pyx12
@pytest.mark.thorough
@pytest.mark.parametrize("name", SENT)
def test_others_can_read_it(name: str, tmp_path: Path) -> None:
    assert complaints(file_of(SENT[name]), tmp_path) == []


def test_the_file_says_who_paid_what_and_what_is_left() -> None:
    text = file_of(second(decided(ONE))).decode()
    segments = [part for part in text.split("~") if part.startswith(("SBR", "AMT*D", "AMT*EAF", "OI", "SVD", "CAS"))]
    assert segments == [
        "SBR*S*18*******CI",
        "SBR*P*18*G9******CI",
        "AMT*D*96",
        "OI***Y***Y",
        "SVD*HRBBH*96*HC:90834**1",
        "CAS*CO*45*55",
        "CAS*PR*2*14**3*10",
        "AMT*EAF*24",
    ]
    assert "NM1*PR*2*HARBOR BEHAVIORAL*****PI*HRBBH~REF*F8*ICN1~" in text
    assert text.count("DTP*573") == 1


def test_why_medicare_is_second_goes_by_the_patients_age() -> None:
    disabled = second(decided(ONE), payer_id="pay_medicare")
    assert b"SBR*S*18***43****MB" in file_of(disabled)
    detail = {**disabled.detail, "patient": disabled.detail["patient"] | {"dob": "1961-10-05"}}
    assert b"SBR*S*18***12****MB" in file_of(replace(disabled, detail=detail))


@pytest.mark.parametrize(
    ("found", "lacks"),
    [
        ([], UNDECIDED),
        ([decided(ONE)], None),
        ([decided(("sln_2", 17_500, 17_500, []))], UNDECIDED),
        ([decided(("sln_1", 17_500, 9_600, [("CO", "45", 5_500)]))], UNBALANCED),
        ([decided(claim_level=[("CO", "45", 7_900)], charge_cents=17_500, paid_cents=9_600)], None),
        ([decided(claim_level=[("CO", "45", 7_900)], charge_cents=16_000, paid_cents=8_100)], UNBALANCED),
        # the second look at a line is the one that counts
        ([decided(("sln_1", 17_500, 0, [("CO", "197", 1)])), decided(ONE)], None),
    ],
)
def test_a_claim_goes_on_once_every_charge_is_accounted_for(found: list[dict[str, Any]], lacks: str | None) -> None:
    assert prior_payers.lacks(a_claim(rank=2), found) == lacks


def test_two_lines_that_were_paid_in_two_payments_are_told_together() -> None:
    lines = (a_line(), a_line(id="sln_2", code="90785", charge_cents=1_000))
    claim = a_claim(rank=2, content=replace(a_claim().content, lines=lines))
    first, other = decided(ONE), decided(("sln_2", 1_000, 400, [("CO", "45", 600)]), payer_control_number="ICN9")
    assert prior_payers.lacks(claim, [first]) == UNDECIDED
    assert prior_payers.lacks(claim, [first, other]) is None
    [said] = prior_payers.said([first, other], ("sln_1", "sln_2"))
    assert (said.paid_cents, said.claim_number) == (10_000, "ICN9")
    [of_one_line] = prior_payers.said([first, other], ("sln_2",))
    assert (of_one_line.paid_cents, list(of_one_line.lines)) == (400, ["sln_2"])


def _filed(of: Material) -> FiledClaim:
    [claim] = read_claims(judge(read_interchange(file_of(of)).groups[0]).accepted[0])
    return claim


@pytest.mark.parametrize(
    ("name", "status", "left"), [("decided by line", "2", 2_400), ("with remarks", "2", 2_400), ("third", "3", 1_000)]
)
def test_a_later_payer_takes_it_and_pays_what_the_one_before_left(name: str, status: str, left: int) -> None:
    third = (decided(ONE), decided(("sln_1", 17_500, 1_400, [("OA", "23", 15_100), ("PR", "2", 1_000)]), rank=2))
    claim = _filed(second(*third, rank=3) if name == "third" else SENT[name])
    summit = payer_by_edi("SUMMT")
    assert summit is not None
    member = Member(
        payer_id="pay_summit", member_id="S777", plan_id=summit.default_plan, first_name="JO", last_name="RIVERA",
        birth_date=date(1990, 4, 12), effective_from=date(2026, 1, 1), used_year=2026,
    )  # fmt: skip
    assert refuse(claim, summit, Known(member=member), NOW.date()) == ()
    roster = (Rostered(npi="1234567893", billing_npi=PRACTICE["npi"], effective_from=date(2026, 1, 1)),)
    decision = adjudicate(claim, "SM1", summit, Standing(member=member, received=NOW.date(), roster=roster))
    assert (decision.status, decision.charge_cents) == (status, 17_500)
    assert decision.paid_cents + decision.patient_cents == left
    prior = decision.lines[0].adjustments[0]
    assert (prior.group, prior.reason, prior.cents) == ("OA", "23", 17_500 - left)
