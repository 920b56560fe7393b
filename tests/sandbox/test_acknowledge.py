"""TA1, 999 and 277CA as raw segments."""

from datetime import UTC, datetime

from services.sandbox.acknowledge import Answerer, Taken, judge, ta1, write_277ca, write_999
from services.sandbox.intake837 import Refusal
from services.sandbox.segments import Header, read_interchange
from tests.sandbox.files import Claim, an_837, said, segments
from tests.sandbox.scenes import MONDAY, a_claim, a_line

NOW = datetime(2026, 10, 5, 18, tzinfo=UTC)
PAYER = Answerer(code="PR", name="HARBOR BEHAVIORAL", qualifier="PI", id="HRBBH")


def the_999(body: bytes) -> list[str]:
    interchange = read_interchange(body)
    return segments(write_999(interchange, judge(interchange.groups[0]), control_number=1, created=NOW))


def the_277ca(*taken: Taken) -> bytes:
    header = Header(
        sender="HRBBH",
        receiver="BRIGHTMINDS",
        control_number=1,
        created=NOW,
        functional_id="HN",
        version="005010X214",
    )
    who = ("BRIGHT MINDS BILLING", "123456789", "B1")
    return write_277ca(taken, PAYER, who, header=header, reference="R1", received=MONDAY)


def test_a_ta1_names_the_interchange_it_answers() -> None:
    isa = read_interchange(an_837(Claim(), control=77)).isa
    body = ta1(isa, "025", control_number=5, created=NOW)
    assert segments(body)[1:] == ["TA1*000000077*261005*1800*R*025", "IEA*0*000000005"]


def test_a_set_with_an_error_is_rejected_with_segment_and_element() -> None:
    body = an_837(Claim(pcn="A"), Claim(pcn="B", charge="12x", place=""))
    assert the_999(body)[4:] == [
        "AK2*837*0001*005010X222A1",
        "IK3*CLM*40*2300*8",
        "CTX*CLM01:B",
        "IK4*2**6*12x",
        "IK4*5:1**1",
        "IK5*R*5",
        "AK9*R*1*1*0",
        "SE*10*0001",
        "GE*1*1",
        "IEA*1*000000001",
    ]


def test_counts_and_numbers_of_the_trailer_are_checked() -> None:
    body = an_837(Claim())
    count = f"SE*{len(segments(body)) - 4}*0001"
    assert count.encode() in body
    assert "IK5*R*4" in the_999(body.replace(count.encode(), b"SE*99*0001"))
    assert "IK5*R*3" in the_999(body.replace(count.encode(), count.replace("0001", "0002").encode()))
    assert "IK5*R*2" in the_999(body.replace(count.encode() + b"~\n", b""))


def test_a_group_of_another_guide_or_number_is_rejected_as_a_whole() -> None:
    other = an_837(Claim()).replace(b"*X*005010X222A1", b"*X*005010X223A2")
    assert "AK9*R*1*1*0*2" in the_999(other)
    other = an_837(Claim()).replace(b"GE*1*1~", b"GE*1*2~")
    assert "AK9*R*1*1*0*4" in the_999(other)
    assert judge(read_interchange(other).groups[0]).verdicts[0].accepted


def test_a_group_is_accepted_in_part() -> None:
    body = an_837(Claim()).decode()
    start, end = body.index("ST*"), body.index("GE*")
    second = body[start:end].replace("*0001", "*0002").replace("CLM*PCN1", "CLM*")
    both = body[:end] + second + body[end:].replace("GE*1*", "GE*2*")
    told = the_999(both.encode())
    assert [segment for segment in told if segment.startswith(("IK5", "AK9"))] == ["IK5*A", "IK5*R*5", "AK9*P*2*2*1"]


def test_a_277ca_counts_what_it_takes_and_what_it_returns() -> None:
    good = Taken(claim=a_claim(), icn="HB1", refusals=())
    bad = Taken(claim=a_claim(pcn="P2"), icn="", refusals=(Refusal(category="A3", status="33", entity="IL"),))
    body = the_277ca(good, bad)
    assert said(body, "QTY", "AMT") == [
        *("QTY*90*1", "QTY*AA*1", "AMT*YU*135", "AMT*YY*135"),
        *("QTY*QA*1", "QTY*QC*1", "AMT*YU*135", "AMT*YY*135"),
    ]
    assert said(body, "TRN*2", "STC*A2", "STC*A3", "REF*1K")[1:] == [
        *("TRN*2*PCN1", "STC*A2:20:PR*20261005*WQ*135", "REF*1K*HB1"),
        *("TRN*2*P2", "STC*A3:33:IL*20261005*U*135"),
    ]


def test_what_is_wrong_with_a_line_stands_at_the_line() -> None:
    claim = a_claim(a_line(), a_line(number=2, code="9083", modifiers=("95",), control_number="L2"))
    faults = (
        Refusal(category="A7", status="454", line=2),
        Refusal(category="A8", status="477", line=2),
    )
    body = the_277ca(Taken(claim=claim, icn="", refusals=faults))
    assert segments(body)[-9:-3] == [
        "STC*A7:247*20261005*U*270",
        "DTP*472*D8*20261005",
        "SVC*HC:9083:95*135",
        "STC*A7:454*20261005*U*******A8:477",
        "REF*FJ*L2",
        "DTP*472*D8*20261005",
    ]


def test_claims_of_several_providers_stand_under_their_own() -> None:
    body = the_277ca(
        Taken(claim=a_claim(), icn="HB1", refusals=()),
        Taken(claim=a_claim(pcn="P2", billing=a_claim().rendering), icn="HB2", refusals=()),
    )
    assert said(body, "HL*") == ["HL*1**20*1", "HL*2*1*21*1", "HL*3*2*19*1", "HL*4*3*PT", "HL*5*2*19*1", "HL*6*5*PT"]
