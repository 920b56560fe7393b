"""The patient's share of one session, step by step."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.eligibility.benefits import Amounts, Benefits
from services.eligibility.estimate import Estimate, Line, estimate

ACTIVE = Benefits(standing="active")
SESSION = [Line(code="90834", charge_cents=17_500, allowed_cents=11_800)]


def share(benefits: Benefits, lines: list[Line] | None = None, *, eap: bool = False) -> Estimate:
    found = estimate(benefits, lines or SESSION, eap=eap)
    assert found is not None
    return found


def test_a_copay_and_nothing_else() -> None:
    found = share(replace(ACTIVE, copays_cents=(2_500,)))
    assert (found.patient_cents, found.low_cents, found.high_cents) == (2_500, 2_500, 2_500)
    assert found.steps == (
        "90834: 118.00 allowed by the fee schedule.",
        "Copay 25.00: 25.00 of the remaining 118.00.",
        "The patient's share is 25.00.",
    )


def test_a_copay_is_never_more_than_what_is_allowed() -> None:
    assert share(replace(ACTIVE, copays_cents=(20_000,))).patient_cents == 11_800


def test_the_deductible_goes_first_and_coinsurance_takes_the_rest() -> None:
    benefits = replace(
        ACTIVE,
        coinsurances=(Decimal("0.2"),),
        deductible_applies=True,
        deductible=Amounts(total_cents=50_000, left_cents=5_000),
    )
    assert share(benefits).patient_cents == 5_000 + 1_360


def test_coinsurance_is_rounded_half_up() -> None:
    benefits = replace(ACTIVE, coinsurances=(Decimal("0.15"),))
    assert share(benefits, [Line(code="90834", charge_cents=1, allowed_cents=10)]).patient_cents == 2


def test_a_copay_after_the_deductible() -> None:
    benefits = replace(ACTIVE, copays_cents=(3_000,), deductible_applies=True, deductible=Amounts(left_cents=10_000))
    assert share(benefits).patient_cents == 10_000 + 1_800


def test_where_the_payer_leaves_the_deductible_open_the_range_shows_it() -> None:
    benefits = replace(ACTIVE, copays_cents=(3_000,), deductible=Amounts(left_cents=50_000))
    found = share(benefits)
    assert (found.patient_cents, found.low_cents, found.high_cents) == (3_000, 3_000, 11_800)
    assert found.confidence < Decimal("0.9")


def test_the_smaller_of_the_persons_and_the_familys_deductible_counts() -> None:
    benefits = replace(
        ACTIVE,
        deductible_applies=True,
        deductible=Amounts(left_cents=50_000),
        family_deductible=Amounts(left_cents=1_000),
        coinsurances=(Decimal(0),),
    )
    assert share(benefits).patient_cents == 1_000


def test_never_more_than_what_is_left_of_the_out_of_pocket_maximum() -> None:
    benefits = replace(ACTIVE, copays_cents=(2_500,), out_of_pocket=Amounts(left_cents=900))
    assert share(benefits).patient_cents == 900


def test_no_visits_left_means_the_whole_charge() -> None:
    assert share(replace(ACTIVE, copays_cents=(2_500,), visits_left=0)).patient_cents == 17_500


def test_an_eap_session_costs_nothing() -> None:
    assert share(replace(ACTIVE, copays_cents=(2_500,)), eap=True).patient_cents == 0


def test_without_a_fee_on_file_a_percentage_of_the_charge_is_taken_and_said() -> None:
    found = share(replace(ACTIVE, coinsurances=(Decimal("0.2"),)), [Line(code="90834", charge_cents=20_000)])
    assert (found.allowed_cents, found.patient_cents, found.confidence) == (13_000, 2_600, Decimal("0.5"))


def test_two_possible_copays_give_a_range() -> None:
    found = share(replace(ACTIVE, copays_cents=(2_500, 5_000)))
    assert (found.low_cents, found.high_cents) == (2_500, 5_000)


def test_nothing_to_go_by_is_no_estimate() -> None:
    assert estimate(ACTIVE, SESSION) is None
    assert estimate(replace(ACTIVE, copays_cents=(2_500,)), []) is None


CENTS = st.none() | st.integers(0, 30_000)


@given(
    copay=CENTS,
    coinsurance=st.none() | st.sampled_from([Decimal("0.1"), Decimal("0.2"), Decimal("0.5")]),
    applies=st.sampled_from([True, False, None]),
    deductible=CENTS,
    family=CENTS,
    limit=CENTS,
    allowed=st.integers(0, 30_000),
)
def test_a_share_is_never_negative_nor_more_than_allowed_nor_above_the_limit(
    copay: int | None,
    coinsurance: Decimal | None,
    applies: bool | None,
    deductible: int | None,
    family: int | None,
    limit: int | None,
    allowed: int,
) -> None:
    benefits = replace(
        ACTIVE,
        copays_cents=() if copay is None else (copay,),
        coinsurances=() if coinsurance is None else (coinsurance,),
        deductible_applies=applies,
        deductible=Amounts(left_cents=deductible),
        family_deductible=Amounts(left_cents=family),
        out_of_pocket=Amounts(left_cents=limit),
    )
    found = estimate(benefits, [Line(code="90834", charge_cents=30_000, allowed_cents=allowed)])
    if found is not None:
        assert 0 <= found.low_cents <= found.patient_cents <= found.high_cents <= allowed
        assert limit is None or found.high_cents <= limit
