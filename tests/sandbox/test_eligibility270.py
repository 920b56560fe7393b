"""What a 270 asks, and why it cannot be answered."""

from dataclasses import replace
from datetime import date

import pytest

from services.sandbox.eligibility270 import Answer, Question, read_270, reject, write_271
from services.sandbox.plans import payers
from services.sandbox.segments import Header, read_interchange
from tests.sandbox.files import a_270, said
from tests.sandbox.scenes import MONDAY, a_member
from tests.sandbox.test_accumulators import an_effect
from tests.sandbox.test_remit835 import HEADER

HARBOR = payers()["pay_harborbh"]
MEMBER = a_member(member_id="W000000001")


def a_question(body: bytes | None = None) -> Question:
    return read_270(read_interchange(body or a_270()).groups[0].sets[0])


def test_a_question_is_read() -> None:
    question = a_question()
    assert (question.payer_edi, question.provider_npi, question.on) == ("HRBBH", "1234567893", MONDAY)
    assert (question.subscriber.last, question.subscriber.id) == ("DOE", "W000000001")
    assert question.service_types == ("30", "MH")


@pytest.mark.parametrize(
    ("body", "level", "reason"),
    [
        (a_270(npi="1234567890"), "2100B", "43"),
        (a_270(born="19800102"), "2100C", "71"),
        (a_270(last="ROE"), "2100C", "73"),
        (a_270(on="20240901"), "2100C", "62"),
        (a_270(on="20270201"), "2100C", "63"),
    ],
)
def test_each_reason_not_to_answer_has_its_level(body: bytes, level: str, reason: str) -> None:
    rejection = reject(a_question(body), HARBOR, MEMBER, MONDAY)
    assert rejection is not None
    assert (rejection.level, rejection.reason) == (level, reason)


def test_an_unknown_payer_or_member() -> None:
    unknown = reject(a_question(), None, None, MONDAY)
    assert unknown is not None
    assert (unknown.level, unknown.reason) == ("2000A", "79")
    missing = reject(a_question(a_270(member_id="")), HARBOR, None, MONDAY)
    assert missing is not None
    assert missing.reason == "72"


def the_271(answer: Answer) -> bytes:
    header: Header = replace(HEADER, functional_id="HB", version="005010X279A1")
    return write_271(answer, header)


def test_what_is_left_is_the_limit_less_what_was_applied() -> None:
    effects = (an_effect(member_id="W000000001", deductible_cents=12345, oop_cents=12345),)
    body = the_271(Answer(question=a_question(), payer=HARBOR, member=MEMBER, effects=effects, today=MONDAY))
    assert "EB*C*IND*MH***29*376.55*****Y" in said(body, "EB")
    assert "EB*G*IND*MH***29*3876.55*****Y" in said(body, "EB")
    assert "EB*F*IND*MH***29***VS*39*N*Y" in said(body, "EB")


def test_nothing_is_ever_less_than_nothing_left() -> None:
    over = replace(MEMBER, deductible_used_cents=99999, visits_used=99)
    body = the_271(Answer(question=a_question(), payer=HARBOR, member=over, today=MONDAY))
    assert "EB*C*IND*MH***29*0*****Y" in said(body, "EB")
    assert "EB*F*IND*MH***29***VS*0*N*Y" in said(body, "EB")


def test_coverage_that_has_ended_is_inactive() -> None:
    ended = replace(MEMBER, effective_to=date(2026, 9, 30))
    body = the_271(Answer(question=a_question(), payer=HARBOR, member=ended, today=MONDAY))
    assert said(body, "EB", "DTP*347") == ["DTP*347*D8*20260930", "EB*6*IND*30*PR*HARBOR CHOICE PPO"]


def test_another_service_type_is_answered_with_the_plan_alone() -> None:
    body = the_271(Answer(question=a_question(a_270(types="33")), payer=HARBOR, member=MEMBER, today=MONDAY))
    assert said(body, "EB") == ["EB*1*IND*30*PR*HARBOR CHOICE PPO"]


def test_the_eap_stands_under_its_own_name() -> None:
    member = replace(MEMBER, payer_id="pay_summit", plan_id="summit_assist", eap_used=2)
    body = the_271(Answer(question=a_question(), payer=payers()["pay_summit"], member=member, today=MONDAY))
    assert "EB*F*IND*MH**EMPLOYEE ASSISTANCE PROGRAM*29***VS*4*Y*Y" in said(body, "EB*F")
    assert "EB*B*IND*MH***27*25****N*Y" in said(body, "EB*B")
