"""The syntax that a clearinghouse checks, segment by segment."""

from pathlib import Path

import pytest

from services.sandbox.guide import BadElement, BadSegment, check
from services.sandbox.segments import read_interchange
from tests.sandbox.files import Claim, Line, a_270, an_837

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "x12-corpus"
WELL_FORMED = [
    "837P/synthetic__secondary_with_line_adjudication.edi",
    "837P/synthetic__dependent_patient_2000C.edi",
    "837P/synthetic__iop_H0015_auth_referral.edi",
    "837P/synthetic__crisis_date_range_two_claims_one_subscriber.edi",
    "837P/synthetic__delims_pipe_newline.edi",
    "837P/stupidedi__commercial-health-insurance.edi",
]


def faults(body: bytes, guide: str = "837p") -> list[BadSegment]:
    [group] = read_interchange(body).groups
    return check(guide, group.sets[0].segments)


@pytest.mark.parametrize("name", WELL_FORMED if CORPUS.exists() else [])
def test_well_formed_claims_of_others_pass(name: str) -> None:
    assert faults((CORPUS / name).read_bytes()) == []


def test_our_own_files_pass() -> None:
    assert faults(an_837(Claim(lines=(Line(), Line(code="90785", number="L2"))), Claim(pcn="P2"))) == []
    assert faults(a_270(), "270") == []


@pytest.mark.parametrize(
    ("old", "new", "segment", "code"),
    [
        ("HI*ABK:F411~\n", "", "HI", "3"),
        ("N3*100 MAIN ST~\n", "", "N3", "3"),
        ("NM1*PR*2*HARBOR BEHAVIORAL*****PI*HRBBH~\n", "", "NM1", "3"),
        ("DTP*472*D8*20261005~\n", "", "DTP", "3"),
        ("LX*1~\n", "LX*1~\nZZZ*1~\n", "ZZZ", "1"),
        ("LX*1~\n", "LX*1~\nOI***Y***Y~\n", "OI", "2"),
        ("REF*EI*741234567~\n", "REF*EI*741234567~\nREF*EI*741234567~\n", "REF", "5"),
        ("N3*100 MAIN ST~\nN4*AUSTIN*TX*787011234~", "N4*AUSTIN*TX*787011234~\nN3*100 MAIN ST~", "N3", "7"),
    ],
)
def test_what_is_missing_or_out_of_place_is_named(old: str, new: str, segment: str, code: str) -> None:
    body = an_837(Claim()).decode()
    assert old in body
    found = [(fault.segment, fault.code) for fault in faults(body.replace(old, new, 1).encode())]
    assert (segment, code) in found


@pytest.mark.parametrize(
    ("old", "new", "bad"),
    [
        ("CLM*PCN1*135*", "CLM**135*", BadElement(position=1, component=None, code="1", value="")),
        ("CLM*PCN1*135*", "CLM*PCN1*1O5*", BadElement(position=2, component=None, code="6", value="1O5")),
        ("11:B:1", "11:C:1", BadElement(position=5, component=2, code="7", value="C")),
        ("DMG*D8*19800101", "DMG*D8*19801301", BadElement(position=2, component=None, code="8", value="19801301")),
        ("N4*AUSTIN*TX*", "N4*AUSTIN*TEX*", BadElement(position=2, component=None, code="5", value="TEX")),
        ("XX*1234567893", "XX*12345", BadElement(position=9, component=None, code="4", value="12345")),
        ("20261005*1800*CH", "20261005*2561*CH", BadElement(position=5, component=None, code="9", value="2561")),
    ],
)
def test_what_is_malformed_is_named_by_element(old: str, new: str, bad: BadElement) -> None:
    body = an_837(Claim()).decode()
    assert old in body
    found = [element for fault in faults(body.replace(old, new, 1).encode()) for element in fault.elements]
    assert found == [bad]
