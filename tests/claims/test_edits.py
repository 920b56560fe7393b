"""Claim edits: what is put right, what is held, and why."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.codes.payers import payer
from libs.codes.procedures import procedures
from services.claims.domain import Claim, Content, Line, Status
from services.claims.edits import EDITS, REPAIRS, Facts, run
from services.claims.rules import pack
from tests.claims.test_domain import a_claim, a_line

DAY = date(2026, 10, 5)
SIGNED: dict[str, Any] = {
    "signed_at": "2026-10-05T17:10:00-05:00",
    "signer_npi": "1234567893",
    "cosigned": False,
    "treatment_plan": {"effective": "2026-08-01", "review_due": "2026-10-30"},
    "attests": {"telehealth_consent": True},
}


def with_lines(*lines: Line, **changes: Any) -> Claim:
    content = Content(place_of_service="11", modality="in_person", diagnoses=("F331", "F411"), lines=lines)
    return a_claim(content=replace(content, **changes))


def facts(claim: Claim | None = None, payer_id: str = "pay_harborbh", **changes: Any) -> Facts:
    given_values: dict[str, Any] = {
        "claim": claim or with_lines(a_line()),
        "payer": payer(payer_id, DAY),
        "today": DAY,
        "documentation": SIGNED,
        "taxonomy": "1041C0700X",
    }
    return Facts(**given_values | changes)


def codes(of: Facts) -> list[str]:
    return [finding.code for finding in run(of)[1] if finding.severity != "warning"]


def modifiers(of: Facts) -> list[tuple[str, ...]]:
    return [line.modifiers for line in run(of)[0].lines]


def test_a_clean_claim_has_nothing_to_say() -> None:
    assert run(facts())[1] == []


@pytest.mark.parametrize(
    ("payer_id", "modality", "expected"),
    [
        ("pay_harborbh", "video", ("95",)),
        ("pay_harborbh", "audio", ("93",)),
        ("pay_medicare", "video", ()),
        ("pay_harborbh", "in_person", ()),
    ],
)
def test_telehealth_carries_what_its_payer_wants(payer_id: str, modality: str, expected: tuple[str, ...]) -> None:
    place = "11" if modality == "in_person" else "10"
    claim = with_lines(a_line(), modality=modality, place_of_service=place)
    assert modifiers(facts(claim, payer_id)) == [expected]


def test_medicare_is_not_sent_a_telehealth_modifier() -> None:
    claim = with_lines(a_line(modifiers=("95",)), modality="video", place_of_service="10")
    assert modifiers(facts(claim, "pay_medicare")) == [()]
    assert codes(facts(claim, "pay_medicare")) == ["telehealth_modifier_removed"]


def test_an_eap_session_has_its_modifier_and_needs_its_authorization() -> None:
    found = facts(payer_id="pay_summit", eap=True)
    assert modifiers(found) == [("HJ",)]
    assert codes(found) == ["eap_modifier_added", "eap_authorization_missing"]
    approved = facts(with_lines(a_line(), authorization_number="EAP-1"), "pay_summit", eap=True)
    assert codes(approved) == ["eap_modifier_added"]


@pytest.mark.parametrize(
    ("documentation", "code"),
    [
        ({"signed_at": None}, "note_unsigned"),
        ({"signed_at": "2026-12-05T17:10:00-05:00"}, "note_signed_too_late"),
        ({"signer_npi": "1999999984"}, "signer_mismatch"),
        ({"treatment_plan": {"effective": "2026-10-06", "review_due": None}}, "outside_plan"),
        ({"treatment_plan": {"effective": "2026-01-06", "review_due": "2026-10-04"}}, "outside_plan"),
    ],
)
def test_what_the_documentation_lacks_holds_the_claim(documentation: dict[str, Any], code: str) -> None:
    assert codes(facts(documentation=SIGNED | documentation)) == [code]


def test_only_medicaid_wants_a_plan_for_every_therapy() -> None:
    without = SIGNED | {"treatment_plan": None}
    assert codes(facts(documentation=without)) == []
    assert codes(facts(payer_id="pay_bluebonnet", documentation=without)) == ["plan_missing"]
    intake = with_lines(a_line(code="90791"))
    assert codes(facts(intake, "pay_bluebonnet", documentation=without)) == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (a_line(code="90837"), "up_code"),
        (a_line(minutes=None), "time_missing"),
        (a_line(code="99443", minutes=25), "code_not_in_force"),
        (a_line(code="90785"), "add_on_without_primary"),
        (a_line(code="90791", units=2), "units_over_limit"),
        (a_line(modifiers=("95", "93")), "modifier_conflict"),
        (a_line(modifiers=("ZZ",)), "modifier_unknown"),
        (a_line(code="90792"), "clinician_may_not_bill_code"),
        (a_line(pointers=(3,)), "diagnosis_pointer_invalid"),
        (a_line(charge_cents=None), "charge_missing"),
    ],
)
def test_what_any_payer_would_refuse_holds_the_claim(line: Line, code: str) -> None:
    assert code in codes(facts(with_lines(line)))


def test_more_minutes_than_the_code_takes_is_only_said() -> None:
    found = run(facts(with_lines(a_line(minutes=55))))[1]
    assert [(one.code, one.severity, one.suggestion) for one in found] == [("missed_revenue", "warning", "90837")]


def test_place_and_modality_must_agree() -> None:
    assert "place_modality_mismatch" in codes(facts(with_lines(a_line(), place_of_service="10")))
    assert "place_modality_mismatch" in codes(facts(with_lines(a_line(), modality="video")))
    assert "place_unknown" in codes(facts(with_lines(a_line(), place_of_service="98")))


def test_a_z_code_first_is_held() -> None:
    assert codes(facts(with_lines(a_line(), diagnoses=("Z630",)))) == ["z_code_primary"]


def test_the_filing_limit_of_the_payer_counts_from_the_date_of_service() -> None:
    assert codes(facts(today=date(2027, 1, 3))) == []
    assert run(facts(today=date(2027, 1, 3)))[1][0].code == "timely_filing_near"
    assert codes(facts(today=date(2027, 1, 4))) == ["timely_filing_passed"]


def test_medicare_knows_which_kinds_of_clinician_it_takes() -> None:
    assert codes(facts(payer_id="pay_medicare", taxonomy="101YA0400X")) == ["clinician_not_taken_by_medicare"]


def beside(*lines: Line, external_id: str = "ehr-0") -> Claim:
    return replace(with_lines(*lines), id="clm_2", encounter_id="enc_2", external_id=external_id)


def test_group_and_therapy_on_one_day_need_a_modifier_on_the_second() -> None:
    group, therapy = a_line(code="90853"), a_line()
    assert codes(facts(with_lines(group), others=[beside(therapy)])) == []
    assert codes(facts(with_lines(therapy), others=[beside(group)])) == ["distinct_modifier_missing"]
    marked = a_line(modifiers=("XE",))
    assert codes(facts(with_lines(marked), others=[beside(group)])) == []


def test_intake_and_therapy_on_one_day_hold_the_later_one_only() -> None:
    intake, therapy = a_line(code="90791"), a_line()
    assert codes(facts(with_lines(therapy), others=[beside(intake)])) == ["same_day_conflict"]
    assert codes(facts(with_lines(therapy), others=[beside(intake, external_id="ehr-9")])) == []


def test_another_clinicians_session_is_another_matter() -> None:
    other = replace(beside(a_line(code="90791")), provider_npi="1999999984")
    assert codes(facts(others=[other])) == []


def test_a_visit_and_its_add_on_go_together() -> None:
    lines = (a_line(code="99214", minutes=None), a_line(id="sln_2", code="90836"))
    assert codes(facts(with_lines(*lines), taxonomy="2084P0800X")) == []


def test_every_rule_names_an_edit_that_exists() -> None:
    for rule in pack():
        assert rule.edit in (REPAIRS if rule.severity == "fixed" else EDITS), rule.id


@given(st.sampled_from(sorted(procedures())), st.integers(1, 40), st.none() | st.integers(0, 300))
def test_what_the_rules_put_right_stays_right(code: str, units: int, minutes: int | None) -> None:
    claim = with_lines(a_line(code=code, units=units, minutes=minutes), modality="video", place_of_service="10")
    for payer_id in ("pay_harborbh", "pay_medicare", "pay_summit"):
        once = facts(claim, payer_id, eap=True)
        content, _ = run(once)
        again, found = run(replace(once, claim=replace(claim, content=content)))
        assert again == content
        assert not [finding for finding in found if finding.severity == "fixed"]


def test_the_same_service_twice_on_a_day_needs_its_modifier_or_the_payer_sees_a_duplicate() -> None:
    again = with_lines(a_line())
    assert codes(facts(again, others=[beside(a_line())])) == ["repeat_modifier_missing"]
    assert codes(facts(again, others=[beside(a_line(), external_id="ehr-9")])) == [], "the other one is the second"
    sent = replace(beside(a_line(), external_id="ehr-9"), status=Status.SUBMITTED)
    assert codes(facts(again, others=[sent])) == ["repeat_modifier_missing"]
    assert codes(facts(with_lines(a_line(modifiers=("76",))), others=[sent])) == []
    two = with_lines(a_line(), a_line(id="sln_2"))
    assert codes(facts(two)) == ["repeat_modifier_missing"]


def test_the_units_of_the_day_are_counted_over_its_claims() -> None:
    five = a_line(code="H0004", units=5, minutes=75)
    found = run(facts(with_lines(replace(five, modifiers=("76",))), others=[beside(five)]))[1]
    assert [finding.code for finding in found] == ["units_over_limit"]
    assert codes(facts(with_lines(replace(five, units=3, minutes=45, modifiers=("76",))), others=[beside(five)])) == []
    [said] = run(facts(with_lines(replace(five, units=3, minutes=45)), others=[beside(five)]))[1]
    assert said.message.endswith("put the units of the day on one line")


def test_more_minutes_than_the_clock_shows_are_the_clinicians_work() -> None:
    assert codes(facts(with_lines(a_line(minutes=45)), session_minutes=45)) == []
    assert codes(facts(with_lines(a_line(minutes=46)), session_minutes=45)) == ["minutes_exceed_session"]
    assert codes(facts(with_lines(a_line(minutes=46)), session_minutes=None)) == []


@pytest.mark.parametrize(("minutes", "expected"), [(0, []), (5, []), (6, ["clinician_overlap"])])
def test_five_minutes_of_overlap_are_left_to_clocks(minutes: int, expected: list[str]) -> None:
    assert codes(facts(overlap_minutes=minutes)) == expected


@pytest.mark.parametrize(
    ("place", "at_home", "agrees"),
    [("10", True, True), ("10", False, False), ("02", False, True), ("02", True, False), ("10", None, True)],
)
def test_ten_is_the_patients_home_and_two_is_elsewhere(place: str, at_home: bool | None, agrees: bool) -> None:
    claim = with_lines(a_line(modifiers=("95",)), modality="video", place_of_service=place)
    assert ("place_modality_mismatch" not in codes(facts(claim, at_home=at_home))) is agrees


def test_a_line_that_has_a_telehealth_modifier_gets_no_second_one() -> None:
    lines = (a_line(modifiers=("GT",)), a_line(id="sln_2", code="90785"))
    assert modifiers(facts(with_lines(*lines, modality="video", place_of_service="10"))) == [("GT",), ("95",)]
