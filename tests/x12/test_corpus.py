"""Every collected sample is read; claims, amounts and balance verdicts agree with the file."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from libs import x12
from libs.x12 import cli
from libs.x12.as_json import Balances

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "x12-corpus"
MANIFEST = CORPUS / "MANIFEST.tsv"
if not MANIFEST.exists():
    pytest.skip("the sample files are not at hand", allow_module_level=True)

with MANIFEST.open(encoding="utf-8", newline="") as stream:
    ROWS = {row["file"]: row for row in csv.DictReader(stream, delimiter="\t")}
FILES = sorted(str(path.relative_to(CORPUS)) for path in CORPUS.glob("*/*"))
#: Made to be wrong, or wrong beyond what they were made for.
NOT_VALID = {
    "271/synthetic__bh_full_benefits.edi",  # a percent stands in EB07
    "271/synthetic__copay_no_network_flag.edi",  # a period stands in EB04
    "835/synthetic__trailing_garbage_ctrlZ.edi",
    "835/synthetic__unbalanced_transaction.edi",
    "837P/synthetic__INVALID_charge_mismatch.edi",
    "837P/synthetic__INVALID_freq7_no_F8.edi",
}


def test_every_listed_file_is_here() -> None:
    assert set(ROWS) <= set(FILES)
    assert len(FILES) > 150


@pytest.mark.parametrize("name", FILES)
def test_a_sample_is_read_and_checked_without_an_exception(name: str) -> None:
    path = CORPUS / name
    report = x12.check(path)
    assert report.readable
    records = x12.read(path).records
    assert len(records) >= len(report.transactions)


@pytest.mark.parametrize("name", [f for f in FILES if "synthetic" in f and f not in NOT_VALID])
def test_a_valid_sample_has_no_finding(name: str) -> None:
    assert x12.check(CORPUS / name).findings == ()


@pytest.mark.parametrize(
    ("name", "code", "segment", "element"),
    [
        ("835/synthetic__unbalanced_transaction.edi", "PAYMENT_BALANCE", "BPR", 2),
        ("837P/synthetic__INVALID_charge_mismatch.edi", "CLAIM_CHARGE", "CLM", 2),
        ("837P/synthetic__INVALID_freq7_no_F8.edi", "ORIGINAL_REFERENCE", "CLM", 5),
        ("837P/imsweb__x12_segments_out_of_order.txt", "SEGMENT_ORDER", "N4", None),
        ("837P/imsweb__x12_bad_first_line.txt", "ISA_LENGTH", "ISA", None),
        ("835/synthetic__trailing_garbage_ctrlZ.edi", "TRAILING_BYTES", "", None),
    ],
)
def test_what_a_sample_is_known_for_is_found(name: str, code: str, segment: str, element: int | None) -> None:
    assert (code, segment, element) in {(f.code, f.segment, f.element) for f in x12.check(CORPUS / name).findings}


@pytest.mark.parametrize("name", [f for f in FILES if f.startswith("835/")])
def test_the_balances_of_a_remittance_agree_with_the_list(name: str) -> None:
    notes = ROWS[name]["notes"]
    results = []
    for record in x12.read(CORPUS / name).records:
        assert isinstance(record, x12.Remittance)
        balances = Balances()
        for claim in record.claims:
            balances.add(claim)
        results.append(balances.result(record))
    transaction = all(result["transaction"]["ok"] for result in results)
    lines = sum(len(result["line"]["unbalanced"]) for result in results)
    if "UNBALANCED" not in notes:
        assert transaction
        assert not lines
        return
    said = re.search(r"UNBALANCED line (\d+) claim (\d+)", notes)
    assert said
    assert not transaction or any(not r["line"]["ok"] or not r["claim"]["ok"] for r in results)


@pytest.mark.parametrize("name", [f for f in FILES if f[:4] in ("835/", "837P", "837I")])
def test_every_claim_is_there(name: str) -> None:
    said = re.search(r"(\d+) (?:CLP|CLM)", ROWS[name]["notes"])
    found = sum(len(getattr(record, "claims", ())) for record in x12.read(CORPUS / name).records)
    assert said is None or found == int(said[1])
    assert sum(t.claims for t in x12.check(CORPUS / name).transactions) == found


@pytest.mark.parametrize(
    "name", [f for f in FILES if ("synthetic" in f and not f.startswith("271/")) or "bh_carve" in f]
)
def test_what_was_read_and_written_reads_the_same_again(name: str) -> None:
    records = x12.read(CORPUS / name).records
    one = [r for r in records if r.envelope == records[0].envelope] or list(records)
    again = x12.read(x12.write(*one)).records
    assert [_content(r) for r in again] == [_content(r) for r in one]


def _content(record: object) -> list[object]:
    names = ("claims", "answers", "questions", "reviews", "transactions", "payment", "provider_adjustments", "batch")
    return [getattr(record, name) for name in names if hasattr(record, name)]


@pytest.mark.parametrize("name", [f for f in FILES if "synthetic" in f or "affect" in f])
def test_the_command_line_prints_json_for_every_file(name: str) -> None:
    out = io.StringIO()
    assert cli.main(["read", str(CORPUS / name), "--json"], out) == 0
    assert json.loads(out.getvalue())["transactions"]
    out = io.StringIO()
    code = cli.main(["check", str(CORPUS / name), "--json"], out)
    result = json.loads(out.getvalue())
    assert code == (1 if any(f["severity"] == "error" for f in result["findings"]) else 0)
    assert cli.main(["show", str(CORPUS / name), "--color", "always"], io.StringIO()) == 0
    out = io.StringIO()
    assert cli.main(["anonymize", str(CORPUS / name)], out) == 0
    assert x12.check(out.getvalue().encode("latin-1")).ok is not None
