"""An 835 as raw segments; pyx12 reads it too where it is installed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sandbox.claims837 import Adjustment
from services.sandbox.decisions import Decision, LineDecision
from services.sandbox.pay import Takeback, compose
from services.sandbox.plans import payers
from services.sandbox.remit835 import ClaimPaid, ProviderAdjustment, Remittance, write_835
from services.sandbox.segments import Header
from tests.sandbox.files import said, segments
from tests.sandbox.oracle import complaints, needs_pyx12
from tests.sandbox.paid import a_claim_paid
from tests.sandbox.scenes import MONDAY, a_claim, a_line, imbalances

HEADER = Header(
    sender="HRBBH",
    receiver="BRIGHTMINDS",
    control_number=1,
    created=datetime(2026, 10, 6, 23, tzinfo=UTC),
    functional_id="HP",
    version="005010X221A1",
)


def a_remittance(
    *claims: ClaimPaid, adjustments: tuple[ProviderAdjustment, ...] = (), payer: str = "pay_harborbh", skew: int = 0
) -> bytes:
    remittance = Remittance(
        payer=payers()[payer],
        payee=claims[0].claim,
        claims=claims,
        adjustments=adjustments,
        trace="T100",
        produced=date(2026, 10, 6),
        effective=date(2026, 10, 7),
        skew_cents=skew,
    )
    return write_835(remittance, HEADER)


def test_zero_is_a_notice_and_a_check_has_no_bank() -> None:
    assert said(a_remittance(a_claim_paid(0)), "BPR") == ["BPR*H*0*C*NON************20261007"]
    check = a_remittance(a_claim_paid(100), payer="pay_summit")
    assert said(check, "BPR") == ["BPR*I*1*C*CHK************20261007"]


def test_a_reversal_mirrors_every_amount_and_keeps_its_groups() -> None:
    decided = LineDecision(
        line=a_line(units=3),
        paid_cents=8000,
        allowed_cents=10500,
        adjustments=(
            Adjustment(group="CO", reason="45", cents=3000),
            Adjustment(group="PR", reason="1", cents=1500),
            Adjustment(group="PR", reason="2", cents=1000),
        ),
    )
    part = ClaimPaid(
        claim=a_claim(a_line(units=3)),
        decision=Decision(status="1", lines=(decided,)),
        icn="HB1",
        received=MONDAY,
    )
    first, mirrored = (
        said(a_remittance(one), "CLP", "SVC", "CAS") for one in (part, replace(part, reversal=True, original_icn="HB1"))
    )
    assert first == [
        "CLP*PCN1*1*135*80*25*12*HB1*11*1",
        "SVC*HC:90834*135*80**3",
        "CAS*CO*45*30",
        "CAS*PR*1*15**2*10",
    ]
    assert mirrored == [
        "CLP*PCN1*22*-135*-80*-25*12*HB1*11*1",
        "SVC*HC:90834*-135*-80**-3",
        "CAS*CO*45*-30",
        "CAS*PR*1*-15**2*-10",
    ]


def test_a_claim_paid_in_parts_shows_the_lines_of_each() -> None:
    lines = (a_line(), a_line(number=2, code="90785", charge_cents=3000))
    decision = Decision(status="1", lines=tuple(LineDecision(line=n, paid_cents=n.charge_cents) for n in lines))
    part = ClaimPaid(claim=a_claim(*lines), decision=decision, icn="HB1", received=MONDAY, line_numbers=(2,))
    assert said(a_remittance(part), "CLP", "SVC") == ["CLP*PCN1*1*30*30**12*HB1*11*1", "SVC*HC:90785*30*30**1"]


def test_seven_provider_adjustments_take_two_segments() -> None:
    pairs = tuple(ProviderAdjustment(code="WO", reference=f"I{n}", cents=100) for n in range(7))
    body = a_remittance(a_claim_paid(10000), adjustments=pairs)
    assert [len(segment.split("*")) for segment in said(body, "PLB")] == [15, 5]
    assert said(body, "PLB")[1] == "PLB*1234567893*20261231*WO:I6*1"
    assert imbalances(body) == []


@pytest.mark.parametrize(
    ("part", "skew", "found"),
    [
        (a_claim_paid(100, skew_cents=1000), 0, ["claim PCN1/1", "line of PCN1/1"]),
        (a_claim_paid(100), 250, ["transaction: 3.5 is stated, 1 is explained"]),
    ],
)
def test_a_scenarios_mistake_is_where_it_was_asked_for(part: ClaimPaid, skew: int, found: list[str]) -> None:
    assert imbalances(a_remittance(part, skew=skew)) == found


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50000), st.booleans(), st.integers(0, 300)), min_size=1, max_size=6),
    st.lists(st.integers(1, 90000), max_size=9),
    st.integers(0, 90000),
)
def test_every_835_balances_by_line_claim_and_transaction(
    parts: list[tuple[int, bool, int]], wanted: list[int], carried: int
) -> None:
    claims = tuple(
        a_claim_paid(cents, reversal=reversal, interest_cents=0 if reversal else interest)
        for cents, reversal, interest in parts
    )
    takebacks = tuple(Takeback(icn=f"I{n}", cents=cents) for n, cents in enumerate(wanted))
    composed = compose(claims, takebacks, carried, "T99", "T100")
    body = a_remittance(*claims, adjustments=composed.adjustments)
    assert imbalances(body) == []
    assert not said(body, "BPR*I*-", "BPR*I*0*")


@needs_pyx12
def test_others_can_read_it(tmp_path: Path) -> None:
    pairs = (ProviderAdjustment(code="L6", reference="HB1", cents=-50),)
    reversal = a_claim_paid(2000, reversal=True, original_icn="HB1")
    body = a_remittance(a_claim_paid(10000, interest_cents=50), reversal, adjustments=pairs)
    assert complaints(body, tmp_path) == []
    assert len(segments(body)) > 30
