"""What intake reads of an 837."""

from datetime import date
from pathlib import Path

import pytest

from services.sandbox.claims837 import Adjustment, cents, read_claims, read_date, submitter
from services.sandbox.segments import read_interchange
from tests.sandbox.files import Claim, Line, an_837

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "x12-corpus" / "837P"


def test_a_claim_has_all_that_adjudication_asks_for() -> None:
    body = an_837(
        Claim(authorization="A100", original="ICN9", frequency="7", diagnoses=("F411", "F4310"), place="10"),
        Claim(
            pcn="P2", member_id="W2", lines=(Line(modifiers=("95", "HO"), units="3", pointers="1"), Line(number="L2"))
        ),
    )
    [group] = read_interchange(body).groups
    first, second = read_claims(group.sets[0])
    assert (first.authorization, first.original_reference, first.frequency) == ("A100", "ICN9", "7")
    assert (first.place, first.diagnoses, first.payer.id) == ("10", ("F411", "F4310"), "HRBBH")
    assert (first.billing.taxonomy, first.rendering.taxonomy) == ("261QM0801X", "103TC0700X")
    assert first.subscriber.born == date(1980, 1, 1)
    assert (second.subscriber.id, second.lines[0].modifiers, second.lines[0].units) == ("W2", ("95", "HO"), 3)
    assert [line.control_number for line in second.lines] == ["L1", "L2"]
    assert submitter(group.sets[0]) == ("BRIGHT MINDS BILLING", "123456789", "B000001")


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus lies beside the checkout")
def test_what_an_earlier_payer_did_is_read_by_line() -> None:
    body = (CORPUS / "synthetic__secondary_with_line_adjudication.edi").read_bytes()
    [claim] = read_claims(read_interchange(body).groups[0].sets[0])
    assert (claim.sequence, claim.prior_payer, claim.prior_paid_cents) == ("S", "60054", 16000)
    [prior] = claim.lines[0].prior
    assert prior.paid_cents == 10000
    assert prior.adjustments == (
        Adjustment(group="CO", reason="45", cents=5000),
        Adjustment(group="PR", reason="1", cents=2500),
    )


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus lies beside the checkout")
def test_a_dependent_is_the_patient_under_the_subscribers_number() -> None:
    body = (CORPUS / "synthetic__dependent_patient_2000C.edi").read_bytes()
    [claim] = read_claims(read_interchange(body).groups[0].sets[0])
    assert (claim.subscriber.id, claim.patient.first, claim.patient.id) == ("W000000001", "KIDD", "")


def test_amounts_and_dates_that_are_none_do_not_raise() -> None:
    assert (cents("12.5"), cents("-.05"), cents(""), cents("abc")) == (1250, -5, 0, 0)
    assert (read_date("20261005"), read_date("20261305"), read_date("2026")) == (date(2026, 10, 5), None, None)
