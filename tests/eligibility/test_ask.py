"""The 270 as a payer reads it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from libs import x12
from libs.codes.payers import payer
from libs.common.clearinghouse import Account
from services.eligibility.ask import Asker, question, spelled, trace

ACCOUNT = Account(submitter_id="PARITY01", receiver_id="SANDBOXCH", url="http://ch.test", api_key="k")
ASKER = Asker(account=ACCOUNT, name="Bright Minds", npi="1999999992")
PATIENT = {"first_name": "José", "last_name": "Rivera", "dob": date(1990, 4, 12)}
CARD = {"member_id": "HB100200300", "relationship": "self"}
PARENT = {
    "member_id": "HB100200300",
    "relationship": "child",
    "subscriber_first_name": "Ann",
    "subscriber_last_name": "Rivera",
    "subscriber_dob": date(1965, 2, 1),
}


def asked(patient: dict[str, Any] = PATIENT, coverage: dict[str, Any] = CARD, asker: Asker = ASKER) -> bytes:
    on = date(2026, 10, 5)
    created = datetime(2026, 10, 5, 12, tzinfo=UTC)
    return question(asker, payer("pay_harborbh", on), patient, coverage, on=on, control_number=7, created=created)


def segments(raw: bytes) -> list[str]:
    return [text.strip() for text in raw.decode().split("~") if text.strip()]


def test_the_whole_question_segment_by_segment() -> None:
    assert segments(asked())[2:-2] == [
        "ST*270*0001*005010X279A1",
        "BHT*0022*13*E000000007*20261005*1200",
        "HL*1**20*1",
        "NM1*PR*2*HARBOR BEHAVIORAL*****PI*HRBBH",
        "HL*2*1*21*1",
        "NM1*1P*2*BRIGHT MINDS*****XX*1999999992",
        "HL*3*2*22*0",
        "TRN*1*E000000007*9PARITY010",
        "NM1*IL*1*RIVERA*JOSE****MI*HB100200300",
        "DMG*D8*19900412",
        "DTP*291*D8*20261005",
        "EQ*MH",
        "SE*13*0001",
    ]


def test_the_question_is_free_of_findings() -> None:
    for raw in (asked(), asked(coverage=PARENT)):
        assert x12.check(raw).errors == 0


def test_a_question_is_a_test_only_where_the_account_is() -> None:
    test = replace(ASKER, account=replace(ACCOUNT, test=True))
    assert [x12.read(raw).one(x12.EligibilityInquiry).envelope.usage for raw in (asked(), asked(asker=test))] == [
        "P",
        "T",
    ]


def test_a_child_stands_below_the_subscriber() -> None:
    found = segments(asked(coverage=PARENT))
    assert "NM1*IL*1*RIVERA*ANN****MI*HB100200300" in found
    assert "NM1*03*1*RIVERA*JOSE" in found
    assert "INS*N*19" in found


def test_the_interchange_carries_its_number() -> None:
    envelope = x12.read(asked()).one(x12.EligibilityInquiry).envelope
    assert (envelope.control_number, trace(7)) == (7, "E000000007")


def test_names_are_written_in_letters_that_x12_can_carry() -> None:
    assert [spelled(name) for name in ("Núñez", "Strauß", "D’Angelo")] == ["NUNEZ", "STRAUSS", "D'ANGELO"]
