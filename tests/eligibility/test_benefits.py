"""A 271 says what a session in mental health costs, limits and needs; golden answers by hand, and the corpus."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from libs import x12
from services.eligibility.benefits import Amounts, Asked, Benefits, Said, read

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "x12-corpus" / "271"
VISIT = Asked(service_date=date(2026, 10, 5), place_of_service="11", procedures=("90834",))

HEAD = (
    "ISA*00*          *00*          *ZZ*HRBBH          *ZZ*PARITY01       *261005*1200*^*00501*000000001*0*T*:",
    "GS*HB*HRBBH*PARITY01*20261005*1200*1*X*005010X279A1",
    "ST*271*0001*005010X279A1",
    "BHT*0022*11*E000000001*20261005*1200",
    "HL*1**20*1",
    "NM1*PR*2*HARBOR BEHAVIORAL*****PI*HRBBH",
    "HL*2*1*21*1",
    "NM1*1P*2*BRIGHT MINDS*****XX*1999999992",
    "HL*3*2*22*0",
    "TRN*2*E000000001*9PARITY010",
    "NM1*IL*1*RIVERA*JO****MI*HB100200300",
    "REF*6P*G9",
    "DTP*346*D8*20260101",
)


def said(*segments: str, asked: Asked = VISIT, dates: tuple[str, ...] = ()) -> Benefits:
    """What we read from a 271 with these statements."""
    whole = (*HEAD, *dates, *segments, "SE*99*0001", "GE*1*1", "IEA*1*000000001", "")
    answer = x12.read("~".join(whole).encode()).one(x12.EligibilityResponse).answers[0]
    return read(answer, asked)


def test_an_active_plan_with_its_name_group_and_begin() -> None:
    found = said("EB*1*IND*30^MH*PR*HARBOR CHOICE")
    assert (found.standing, found.plan_name, found.group_number) == ("active", "HARBOR CHOICE", "G9")
    assert (found.begins, found.active) == (date(2026, 1, 1), True)


@pytest.mark.parametrize("code", ["6", "7", "8"])
def test_an_inactive_plan(code: str) -> None:
    assert said(f"EB*{code}*IND*30").standing == "inactive"


def test_a_plan_that_ended_before_the_visit_is_inactive_whatever_else_it_says() -> None:
    assert said("EB*1*IND*30", dates=("DTP*347*D8*20261004",)).standing == "inactive"
    assert said("EB*1*IND*30", dates=("DTP*347*D8*20261005",)).standing == "active"


def test_a_plan_that_begins_later_is_inactive() -> None:
    early = Asked(service_date=date(2025, 12, 31), place_of_service="11")
    assert said("EB*1*IND*30", asked=early).standing == "inactive"


def test_the_statement_about_mental_health_beats_the_one_about_the_plan() -> None:
    found = said("EB*1*IND*30", "EB*B*IND*30***27*50****N*Y", "EB*B*IND*MH***27*25****N*Y")
    assert found.copays_cents == (2_500,)


def test_an_outpatient_clinician_is_closer_than_mental_health_at_large() -> None:
    found = said("EB*1*IND*30", "EB*B*IND*MH***27*40*****Y", "EB*B*IND*CF***27*25*****Y")
    assert found.copays_cents == (2_500,)


def test_an_inpatient_facility_is_not_this_session() -> None:
    found = said("EB*1*IND*30^MH", "EB*A*IND*CG*****.2***Y*Y")
    assert found.coinsurances == ()


def test_a_statement_out_of_network_is_left_out() -> None:
    found = said("EB*1*IND*MH", "EB*A*IND*MH*****.2****Y", "EB*A*IND*MH*****.4****N")
    assert found.coinsurances == (Decimal("0.2"),)


def test_the_place_of_service_decides() -> None:
    rows = ("EB*1*IND*MH", "EB*B*IND*MH***27*30*****Y", "III*ZZ*11", "EB*B*IND*MH***27*10*****Y", "III*ZZ*10")
    video = Asked(service_date=date(2026, 10, 5), place_of_service="10")
    assert said(*rows).copays_cents == (3_000,)
    assert said(*rows, asked=video).copays_cents == (1_000,)
    assert said(*rows).telehealth is True


def test_a_copay_of_nothing_is_an_answer_and_none_is_none() -> None:
    assert said("EB*1*IND*MH", "EB*B*IND*MH***27*0*****Y").copays_cents == (0,)
    assert said("EB*1*IND*MH").copays_cents == ()


def test_two_copays_stated_equally_closely_are_both_kept_and_flagged() -> None:
    found = said("EB*1*IND*MH", "EB*B**MH***27*25", "EB*B**MH***27*50")
    assert found.copays_cents == (2_500, 5_000)
    assert "Two copays are stated equally specifically." in found.warnings


def test_the_deductible_and_what_is_left_of_it() -> None:
    found = said("EB*1*IND*MH", "EB*C*IND*30***23*1500*****Y", "EB*C*IND*30***29*400*****Y", "EB*C*FAM*30***29*1900")
    assert found.deductible == Amounts(total_cents=150_000, left_cents=40_000)
    assert found.family_deductible == Amounts(left_cents=190_000)


def test_used_to_date_gives_what_is_left() -> None:
    found = said("EB*1*IND*MH", "EB*C*IND*30***23*1500", "EB*C*IND*30***24*1600")
    assert found.deductible == Amounts(total_cents=150_000, left_cents=0)


def test_what_is_left_of_the_out_of_pocket_maximum() -> None:
    found = said("EB*1*IND*MH", "EB*G*IND*30***23*6000", "EB*G*IND*30***29*4200.50")
    assert found.out_of_pocket == Amounts(total_cents=600_000, left_cents=420_050)


def test_a_copay_waives_the_deductible_unless_the_payer_says_otherwise() -> None:
    copay = ("EB*1*IND*MH", "EB*B*IND*MH***27*25*****Y")
    assert said(*copay, "EB*C*IND*30***29*400").deductible_applies is False
    assert said(*copay, "EB*C*IND*MH***29*400*****Y").deductible_applies is None
    after = (*copay, "MSG*COPAY APPLIES ONCE THE DEDUCTIBLE IS MET", "EB*C*IND*MH***29*400*****Y")
    assert said(*after).deductible_applies is True
    waived = (*copay, "MSG*DEDUCTIBLE WAIVED AFTER COPAY", "EB*C*IND*30***29*400")
    assert said(*waived).deductible_applies is False


def test_visits_and_how_many_are_left() -> None:
    found = said("EB*1*IND*MH", "EB*F*IND*MH***23***VS*30*N*Y", "EB*F*IND*MH***29***VS*22*N*Y")
    assert (found.visits, found.visits_left, found.visits_period) == (30, 22, "23")


def test_a_limit_told_as_a_delivery_pattern() -> None:
    found = said("EB*1*IND*MH", "EB*F*IND*CF", "HSD*VS*30***22")
    assert (found.visits, found.visits_left) == (30, None)


@pytest.mark.parametrize("answer", ["Y", "N", "U"])
def test_authorization_for_visits_in_general(answer: str) -> None:
    found = said("EB*1*IND*MH", f"EB*B*IND*MH***27*25****{answer}*Y")
    assert found.authorization == (Said(procedure="90834", required=answer),)


def test_authorization_for_a_procedure_beats_that_for_visits() -> None:
    long = Asked(service_date=date(2026, 10, 5), place_of_service="11", procedures=("90834", "90837"))
    found = said("EB*1*IND*MH", "EB*B*IND*MH***27*25****N*Y", "EB*CB*IND*********Y*Y*HC:90837", asked=long)
    assert found.authorization == (
        Said(procedure="90834", required="N"),
        Said(procedure="90837", required="Y", exact=True),
    )


def test_a_limitation_does_not_say_that_every_visit_needs_authorization() -> None:
    found = said("EB*1*IND*MH", "EB*B*IND*CF***27*25****N*Y", "EB*F*IND*CF***29***VS*22*Y*Y")
    assert found.authorization == (Said(procedure="90834", required="N"),)


def test_a_payer_that_says_nothing_about_authorization() -> None:
    assert said("EB*1*IND*MH").authorization == (Said(procedure="90834", required=""),)


CARVED_OUT = (
    "EB*1*IND*30*PR*MERIDIAN PPO",
    "EB*U*IND*MH^AI",
    "LS*2120",
    "NM1*Y2*2*HARBOR BEHAVIORAL*****PI*HRBBH",
    "PER*IC**TE*8005550121",
    "LE*2120",
    "EB*I*IND*MH",
)


def test_a_carve_out_names_its_administrator() -> None:
    found = said(*CARVED_OUT)
    assert found.administrator is not None
    assert (found.administrator.edi_id, found.administrator.phone) == ("HRBBH", "8005550121")
    assert found.administrator.evidence == "EB*U/2120 Y2"
    assert found.active


def test_a_pharmacy_carve_out_is_not_ours() -> None:
    pharmacy = ("EB*1*IND*30^MH", "EB*U*IND*88", "LS*2120", "NM1*Y2*2*PILLS*****PI*999", "LE*2120")
    assert said(*pharmacy).administrator is None


def test_mental_health_that_is_not_covered() -> None:
    found = said("EB*1*IND*30", "EB*I*IND*MH")
    assert (found.mental_health_covered, found.active) == (False, False)


def test_another_payer_is_named() -> None:
    rows = ("EB*1*IND*30^MH", "EB*R*IND*30", "LS*2120", "NM1*PRP*2*OTHER PLAN*****PI*123", "LE*2120")
    assert said(*rows).other_payers == ("OTHER PLAN",)


EAP = (
    "EB*1*IND*30^MH*PR*SUMMIT PLAN",
    "EB*B*IND*MH***27*25****N*Y",
    "EB*B*IND*MH**EMPLOYEE ASSISTANCE PROGRAM*27*0****Y*Y",
    "EB*F*IND*MH**EMPLOYEE ASSISTANCE PROGRAM*29***VS*6*Y*Y",
)


def test_an_eap_is_a_benefit_of_its_own() -> None:
    plan = said(*EAP)
    assert (plan.copays_cents, plan.visits_left, plan.authorization[0].required) == ((2_500,), None, "N")
    session = Asked(service_date=date(2026, 10, 5), place_of_service="11", procedures=("90834",), eap=True)
    eap = said(*EAP, asked=session)
    assert (eap.copays_cents, eap.visits_left, eap.authorization[0].required) == ((0,), 6, "Y")


def test_messages_about_the_session_are_shown() -> None:
    found = said("EB*1*IND*MH", "EB*B*IND*MH***27*25", "MSG*FIRST 3 VISITS FREE", "EB*A*IND*A7****.2", "MSG*INPATIENT")
    assert found.messages == ("FIRST 3 VISITS FREE",)


def test_a_payer_that_ignores_mental_health_is_noticed() -> None:
    assert any("nothing about mental health" in text for text in said("EB*1*IND*30").warnings)


def of_corpus(name: str) -> Benefits:
    answer = x12.read((CORPUS / name).read_bytes()).one(x12.EligibilityResponse).answers[0]
    return read(answer, Asked(service_date=date(2026, 1, 20), place_of_service="11", procedures=("90834",)))


needs_corpus = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")


@needs_corpus
def test_the_corpus_plan_with_everything() -> None:
    found = of_corpus("synthetic__bh_full_benefits.edi")
    assert (found.copays_cents, found.deductible_applies) == ((2_500,), False)
    assert found.deductible == Amounts(total_cents=150_000, left_cents=40_000)
    assert found.out_of_pocket == Amounts(total_cents=600_000, left_cents=420_000)
    assert (found.visits, found.visits_left) == (30, 22)
    assert found.authorization == (Said(procedure="90834", required="N"),)


@needs_corpus
def test_the_corpus_carve_out() -> None:
    found = of_corpus("synthetic__bh_carveout_MCO.edi")
    assert found.administrator is not None
    assert found.administrator.edi_id == "99887"


@needs_corpus
def test_the_corpus_copays_without_a_network_flag() -> None:
    assert of_corpus("synthetic__copay_no_network_flag.edi").copays_cents == (2_500, 5_000)


@needs_corpus
def test_the_corpus_with_another_repetition_separator() -> None:
    assert of_corpus("synthetic__repeat_sep_pipe.edi").copays_cents == (2_500,)
