"""Why a payer does not pay: each real reason, with its group, reason and remark."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.sandbox.adjudicate import adjudicate
from services.sandbox.claims837 import Claim
from services.sandbox.decisions import Authorization, Decision, Standing
from services.sandbox.plans import Reason, payers
from tests.sandbox.scenes import MONDAY, a_claim, a_line, a_member, a_standing

BLUEBONNET = {"payer_id": "pay_bluebonnet", "plan_id": "bluebonnet_star"}
SUMMIT = {"payer_id": "pay_summit", "plan_id": "summit_assist"}


def decided(claim: Claim, standing: Standing) -> Decision:
    return adjudicate(claim, "ICN1", payers()[standing.member.payer_id], standing)


def told(claim: Claim, standing: Standing) -> list[tuple[str, str, str]]:
    """Group, reason and remark of every line that is wholly refused."""
    return [
        (line.adjustments[0].group, line.adjustments[0].reason, "".join(line.remarks))
        for line in decided(claim, standing).lines
        if line.effect is None
    ]


def authorized(**changes: Any) -> Authorization:
    values: dict[str, Any] = {
        "number": "A100",
        "codes": ("90837",),
        "units": 2,
        "valid_from": date(2026, 10, 1),
        "valid_to": date(2026, 10, 31),
    }
    return Authorization(**(values | changes))


def test_before_and_after_coverage() -> None:
    member = a_member(effective_from=date(2026, 10, 6))
    assert told(a_claim(), a_standing(member)) == [("PR", "26", "")]
    member = a_member(effective_to=date(2026, 10, 4))
    assert told(a_claim(), a_standing(member)) == [("PR", "27", "")]


def test_the_medical_plan_of_a_carve_out_says_whose_it_is_not() -> None:
    member = a_member(payer_id="pay_meridian", plan_id="meridian_ppo")
    assert told(a_claim(), a_standing(member)) == [("CO", "109", "N418")]


def test_filing_is_timely_on_the_last_day_and_not_on_the_next() -> None:
    last = MONDAY + timedelta(days=90)
    assert told(a_claim(), a_standing(received=last)) == []
    assert told(a_claim(), a_standing(received=last + timedelta(days=1))) == [("CO", "29", "")]


def test_a_duplicate_is_found_by_member_date_code_modifiers_and_clinician() -> None:
    first = decided(a_claim(), a_standing()).lines[0].effect
    assert first is not None
    again = a_standing(effects=(first,))
    assert told(a_claim(pcn="OTHER"), again) == [("OA", "18", "N522")]
    assert told(a_claim(a_line(modifiers=("59",))), again) == []
    assert told(a_claim(a_line(date=MONDAY - timedelta(days=1))), again) == []


def test_a_line_that_was_denied_before_is_no_duplicate() -> None:
    denied = decided(a_claim(), a_standing(roster=()))
    assert denied.denied
    assert told(a_claim(), a_standing(effects=())) == []


def test_a_clinician_who_is_not_loaded_on_the_date() -> None:
    loaded = a_standing().roster[0]
    from_tomorrow = loaded.__class__(npi=loaded.npi, billing_npi=loaded.billing_npi, effective_from=date(2026, 10, 6))
    assert told(a_claim(), a_standing(roster=(from_tomorrow,))) == [("CO", "B7", "N570")]
    assert told(a_claim(), a_standing(a_member(**BLUEBONNET), roster=())) == [("CO", "185", "N767")]


def test_telehealth_without_its_modifier() -> None:
    assert told(a_claim(place="10"), a_standing()) == [("CO", "4", "N822")]
    assert told(a_claim(a_line(modifiers=("95",)), place="10"), a_standing()) == []
    medicare = a_member(payer_id="pay_medicare", plan_id="medicare_part_b")
    assert told(a_claim(place="10"), a_standing(medicare)) == []


def test_what_the_plan_does_not_cover() -> None:
    assert told(a_claim(a_line(code="90849")), a_standing()) == [("PR", "96", "N130")]
    assert told(a_claim(a_line(code="99499")), a_standing()) == [("PR", "204", "N130")]


def test_a_level_that_the_payer_wants_on_the_code() -> None:
    community = a_standing(a_member(**BLUEBONNET))
    assert told(a_claim(a_line(code="H0004", units=4)), community) == [("CO", "4", "N822")]
    assert told(a_claim(a_line(code="H0004", units=4, modifiers=("HO",))), community) == []


def test_a_code_for_prescribers_billed_by_a_psychologist() -> None:
    assert told(a_claim(a_line(code="90792")), a_standing()) == [("CO", "8", "N95")]


def test_an_add_on_without_its_primary() -> None:
    assert told(a_claim(a_line(code="90785")), a_standing()) == [("CO", "107", "N122")]
    both = a_claim(a_line(code="90837"), a_line(number=2, code="90785"))
    assert told(both, a_standing()) == []


@pytest.mark.parametrize(
    ("held", "number", "expected"),
    [
        ((), "A100", ("CO", "197", "M62")),
        ((authorized(),), "", ("CO", "197", "M62")),
        ((authorized(),), "A999", ("CO", "197", "M62")),
        ((authorized(codes=("90834",)),), "A100", ("CO", "197", "M62")),
        ((authorized(valid_to=date(2026, 10, 4)),), "A100", ("CO", "197", "M62")),
        ((authorized(eap=True),), "A100", ("CO", "197", "M62")),
    ],
)
def test_an_authorization_that_is_not_there(
    held: tuple[Authorization, ...], number: str, expected: tuple[str, str, str]
) -> None:
    claim = a_claim(a_line(code="90837"), authorization=number)
    assert told(claim, a_standing(a_member(**BLUEBONNET), authorizations=held)) == [expected]


def test_an_authorization_that_is_used_up() -> None:
    claim = a_claim(
        *(a_line(number=n, code="90837", date=date(2026, 10, 4 + n)) for n in (1, 2, 3)), authorization="A100"
    )
    standing = a_standing(a_member(**BLUEBONNET), authorizations=(authorized(),))
    assert told(claim, standing) == [("CO", "198", "N435")]
    assert decided(claim, standing).lines[2].effect is None


def test_visits_beyond_the_limit_are_the_patients_until_somebody_decides() -> None:
    assert told(a_claim(), a_standing(a_member(visits_used=39))) == []
    assert told(a_claim(), a_standing(a_member(visits_used=40))) == [("PR", "119", "N362")]


def test_an_eap_session_needs_its_number_and_ends_with_its_limit() -> None:
    eap = authorized(codes=(), units=10, eap=True)
    session = a_claim(a_line(modifiers=("HJ",)), authorization="A100")
    assert told(session, a_standing(a_member(**SUMMIT))) == [("CO", "197", "M62")]
    assert told(session, a_standing(a_member(**SUMMIT), authorizations=(eap,))) == []
    used_up = a_standing(a_member(**SUMMIT, eap_used=6), authorizations=(eap,))
    assert told(session, used_up) == [("PR", "119", "N362")]


def test_medicare_does_not_pay_counsellors_in_addiction() -> None:
    medicare = a_member(payer_id="pay_medicare", plan_id="medicare_part_b")
    loaded = a_standing().roster[0]
    counsellor = loaded.__class__(
        npi=loaded.npi, billing_npi=loaded.billing_npi, effective_from=date(2024, 1, 1), taxonomy="101YA0400X"
    )
    assert told(a_claim(), a_standing(medicare, roster=(counsellor,))) == [("CO", "170", "N95")]


def test_a_scenario_may_ask_for_any_denial() -> None:
    forced = Reason(group="CO", reason="50", remark="N115")
    assert told(a_claim(), a_standing(forced=forced)) == [("CO", "50", "N115")]
