"""What is allowed, who bears what: the arithmetic of payers."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sandbox.accumulators import Effect, units_used, used
from services.sandbox.adjudicate import adjudicate
from services.sandbox.claims837 import Adjustment, Claim, Line, PriorLine
from services.sandbox.decisions import Authorization, LineDecision, Standing
from services.sandbox.plans import payers
from tests.sandbox.scenes import MONDAY, a_claim, a_line, a_member, a_standing

MEDICARE = {"payer_id": "pay_medicare", "plan_id": "medicare_part_b"}
SUMMIT = {"payer_id": "pay_summit", "plan_id": "summit_assist"}
CARVED_OUT = {"plan_id": "harbor_meridian"}


def line_of(claim: Claim, standing: Standing) -> LineDecision:
    [line] = adjudicate(claim, "ICN1", payers()[standing.member.payer_id], standing).lines
    return line


def said(line: LineDecision) -> dict[str, int]:
    return {f"{a.group}{a.reason}": a.cents for a in line.adjustments} | {"paid": line.paid_cents}


def test_medicare_takes_two_per_cent_of_what_it_would_pay() -> None:
    member = a_member(**MEDICARE, deductible_used_cents=28300)
    line = line_of(a_claim(a_line(charge_cents=10000)), a_standing(member))
    assert said(line) == {"PR2": 2000, "CO253": 160, "paid": 7840}


def test_the_deductible_comes_before_the_coinsurance() -> None:
    line = line_of(a_claim(), a_standing(a_member(deductible_used_cents=45000)))
    assert said(line) == {"CO45": 3000, "PR1": 5000, "PR2": 1100, "paid": 4400}


def test_the_family_deductible_ends_the_members_own() -> None:
    line = line_of(a_claim(), a_standing(a_member(family_deductible_used_cents=99000)))
    assert said(line) == {"CO45": 3000, "PR1": 1000, "PR2": 1900, "paid": 7600}


def test_a_copay_after_the_deductible() -> None:
    met = a_member(**CARVED_OUT, deductible_used_cents=30000)
    assert said(line_of(a_claim(), a_standing(met))) == {"CO45": 3000, "PR3": 3000, "paid": 7500}
    unmet = a_member(**CARVED_OUT, deductible_used_cents=20000)
    assert said(line_of(a_claim(), a_standing(unmet))) == {"CO45": 3000, "PR1": 10000, "PR3": 500, "paid": 0}


def test_one_copay_for_a_visit() -> None:
    claim = a_claim(a_line(code="90837", charge_cents=20000), a_line(number=2, code="90785", charge_cents=3000))
    first, second = adjudicate(claim, "I", payers()["pay_summit"], a_standing(a_member(**SUMMIT))).lines
    assert (said(first), said(second)) == (
        {"CO45": 4500, "PR3": 2500, "paid": 13000},
        {"CO45": 1400, "paid": 1600},
    )


def test_an_eap_session_costs_the_member_nothing() -> None:
    eap = Authorization(
        number="A1", codes=(), units=6, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31), eap=True
    )
    claim = a_claim(a_line(modifiers=("HJ",)), authorization="A1")
    line = line_of(claim, a_standing(a_member(**SUMMIT), authorizations=(eap,)))
    assert said(line) == {"CO45": 1700, "paid": 11800}


def test_the_years_maximum_caps_the_members_share() -> None:
    line = line_of(a_claim(), a_standing(a_member(deductible_used_cents=50000, oop_used_cents=399000)))
    assert said(line) == {"CO45": 3000, "PR2": 1000, "paid": 9500}


def test_a_charge_below_the_fee_is_all_that_is_allowed() -> None:
    line = line_of(a_claim(a_line(charge_cents=9000)), a_standing(a_member(deductible_used_cents=50000)))
    assert said(line) == {"PR2": 1800, "paid": 7200}


def test_units_multiply_the_fee() -> None:
    member = a_member(payer_id="pay_bluebonnet", plan_id="bluebonnet_star")
    claim = a_claim(a_line(code="H0004", units=4, modifiers=("HO",), charge_cents=12000))
    assert said(line_of(claim, a_standing(member))) == {"CO45": 4020, "paid": 7980}  # 4 x 21.00 at 95 %


def test_as_secondary_it_pays_what_the_first_payer_left_to_the_patient() -> None:
    prior = PriorLine(
        payer="04412",
        paid_cents=6680,
        adjustments=(
            Adjustment(group="CO", reason="45", cents=4480),
            Adjustment(group="CO", reason="253", cents=136),
            Adjustment(group="PR", reason="1", cents=2000),
            Adjustment(group="PR", reason="2", cents=1704),
        ),
    )
    claim = a_claim(a_line(charge_cents=15000, prior=(prior,)), sequence="S", prior_payer="04412")
    decision = adjudicate(claim, "I", payers()["pay_summit"], a_standing(a_member(**SUMMIT)))
    assert decision.status == "2"
    assert said(decision.lines[0]) == {"OA23": 11296, "paid": 3704}


CODES = ("90791", "90832", "90834", "90837", "90846", "90853", "90785", "H0015", "99213")


@st.composite
def a_year_of_claims(draw: st.DrawFn) -> list[Claim]:
    claims = []
    for number in range(draw(st.integers(1, 25))):
        day = MONDAY + timedelta(days=draw(st.integers(-20, 20)))
        lines = [
            Line(
                number=n,
                code=draw(st.sampled_from(CODES)),
                modifiers=draw(st.sampled_from([(), ("95",), ("HJ",), ("59",)])),
                charge_cents=draw(st.integers(0, 40000)),
                units=draw(st.integers(1, 3)),
                pointers=(1,),
                date=day,
            )
            for n in range(1, draw(st.integers(1, 3)) + 1)
        ]
        place = draw(st.sampled_from(["11", "10"]))
        claims.append(a_claim(*lines, pcn=f"P{number}", place=place, authorization="A1"))
    return claims


@settings(max_examples=60, deadline=None)
@given(
    a_year_of_claims(),
    st.sampled_from(["harbor_choice", "harbor_meridian", "summit_assist", "medicare_part_b", "bluebonnet_star"]),
)
def test_accumulators_never_pass_their_limits_and_every_line_adds_up(claims: list[Claim], plan_id: str) -> None:
    payer = next(payer for payer in payers().values() if plan_id in payer.plans)
    benefits = payer.plans[plan_id].benefits_on(MONDAY)
    held = Authorization(
        number="A1",
        codes=(),
        units=5,
        valid_from=date(2026, 1, 1),
        valid_to=date(2026, 12, 31),
        eap=plan_id == "summit_assist",
    )
    member = a_member(payer_id=payer.payer_id, plan_id=plan_id)
    effects: tuple[Effect, ...] = ()
    for number, claim in enumerate(claims):
        standing = a_standing(member, effects=effects, authorizations=(held,), received=MONDAY)
        decision = adjudicate(claim, f"I{number}", payer, standing)
        assert decision.charge_cents == claim.charge_cents
        assert 0 <= decision.paid_cents <= decision.charge_cents
        effects += tuple(line.effect for line in decision.lines if line.effect)
        so_far = used(member, effects, 2026)
        assert so_far.deductible_cents <= benefits.deductible_cents
        assert benefits.oop_max_cents is None or so_far.oop_cents <= benefits.oop_max_cents
        assert benefits.visit_limit is None or so_far.visits <= benefits.visit_limit
        assert units_used(effects, "A1") <= 5
        assert so_far.eap_sessions <= 6
    keys = [effect.key for effect in effects]
    assert len(keys) == len(set(keys)), "nothing is paid twice"
