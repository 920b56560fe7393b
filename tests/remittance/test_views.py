"""Answers built from rows."""

from services.remittance import views


def test_how_much_posted_by_itself_leaves_out_what_is_never_posted() -> None:
    answers = [a_claim("posted"), a_claim("waiting"), a_claim("information")]
    assert views.auto_post_rate(answers) == 0.5
    assert views.auto_post_rate([a_claim("information")]) is None


def a_claim(result: str) -> views.AnsweredClaim:
    return views.AnsweredClaim(
        id="erc_1", clp01="P1", clp02="1", icn="I1", charge_cents=1, paid_cents=1, patient_responsibility_cents=0,
        matched_claim_id=None, match=None, adjustments=[], lines=[], result=result, reason=None, difference=None,
        posting_id=None, entry=None, outcome=None,
    )  # fmt: skip
