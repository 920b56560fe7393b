"""Every kind of single defect is reported where it is; a valid file is not reported at all."""

import pytest

from libs import x12
from tests.x12.changes import joined, segments
from tests.x12.mutations import CLAIM, REMIT, Defect
from tests.x12.other_mutations import OTHERS
from tests.x12.samples import VALID

KINDS = [("837P", d) for d in CLAIM] + [("835", d) for d in REMIT] + [(s, d) for s, ds in OTHERS.items() for d in ds]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_file_has_no_finding(name: str) -> None:
    assert x12.check(VALID[name].encode()).findings == ()


@pytest.mark.parametrize(("name", "defect"), KINDS, ids=[f"{name} {defect.name}" for name, defect in KINDS])
def test_a_defect_is_reported_where_it_is(name: str, defect: Defect) -> None:
    report = x12.check(joined(defect.change(segments(VALID[name]))))
    places = {(f.segment, f.element) for f in report.findings}
    assert (defect.segment, defect.element) in places, [
        (f.code, f.segment, f.element, f.message) for f in report.findings
    ]
    if defect.code:
        assert defect.code in {f.code for f in report.findings if f.segment == defect.segment}
    assert len(report.findings) <= 6, "one defect is not a hundred findings"


def test_there_are_enough_kinds() -> None:
    assert len({d.name for d in CLAIM}) >= 40
    assert len({d.name for d in REMIT}) >= 34
    assert all(len(defects) >= 10 for defects in OTHERS.values())


@pytest.mark.parametrize(
    ("missing", "after"), [("NM1*40", "PER*"), ("NM1*PR*2*ACME", "DMG*D8*19800101"), ("N1*PE", "PER*BL")]
)
def test_a_missing_loop_is_reported_where_it_belongs(missing: str, after: str) -> None:
    parts = segments(VALID["835" if missing.startswith("N1*") else "837P"])
    at = next(place for place, part in enumerate(parts) if part.startswith(missing))
    report = x12.check(joined(parts[:at] + parts[at + 1 :]))
    assert parts[at - 1].startswith(after)
    assert at in {f.segment_index for f in report.findings if f.segment == missing.partition("*")[0]}
