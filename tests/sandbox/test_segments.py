"""Reading and writing segments."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.segments import BrokenEnvelope, Header, Writer, clean, money, plain, read_interchange
from tests.sandbox.files import Claim, an_837


def test_other_delimiters_are_read_as_the_usual_ones() -> None:
    usual = an_837(Claim()).decode()
    odd = usual.replace("*", "|").replace(":", "<").replace("~\n", "'\r\n")
    first = read_interchange(usual.encode())
    assert read_interchange(odd.encode()).groups == first.groups


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("IEA*1*000000001~", "", "023"),
        ("IEA*1*000000001", "IEA*1*000000009", "001"),
        ("IEA*1*", "IEA*2*", "021"),
        ("GE*1*1~", "", "024"),
        ("GS*HC*", "XX*HC*", "021"),
        ("ISA*00*          *00*", "ISA*00*", "022"),
        ("ISA*", "HELLO*", "022"),
    ],
)
def test_a_broken_envelope_has_the_note_of_a_ta1(old: str, new: str, note: str) -> None:
    with pytest.raises(BrokenEnvelope) as broken:
        read_interchange(an_837(Claim()).replace(old.encode(), new.encode()))
    assert broken.value.note == note


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_money_keeps_every_cent(cents: int) -> None:
    text = money(cents)
    assert round(float(text) * 100) == cents or abs(cents) > 10**10
    assert not ("." in text and text.endswith("0"))
    assert text.replace("-", "").replace(".", "").isdigit()


@given(st.text(max_size=40))
def test_no_text_can_cut_a_segment(value: str) -> None:
    assert not set(clean(value)) & set("~*\n")
    assert not set(plain(value)) & set("~*:^\n")


def test_counts_and_trailers_are_the_writers_own() -> None:
    header = Header(
        sender="A",
        receiver="B",
        control_number=7,
        created=datetime(2026, 10, 5, 18, 30, tzinfo=UTC),
        functional_id="FA",
        version="005010X231A1",
    )
    writer = Writer(header)
    writer.begin("999")
    writer.add("AK1", "HC", "", "")
    writer.end()
    lines = writer.bytes().decode().splitlines()
    assert lines[3:] == ["AK1*HC~", "SE*3*0001~", "GE*1*7~", "IEA*1*000000007~"]
    assert len(lines[0]) == 106
