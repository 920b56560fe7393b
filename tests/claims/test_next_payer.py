"""What the first payer leaves to the patient goes to the second, and comes back paid, denied, or not at all."""

from datetime import date
from typing import Any

import pytest

from libs.common.events import ClaimSubmitted, ClaimUpdated, CoverageChanged, DenialRaised
from libs.common.events.eligibility import CoverageIdentity
from libs.common.events.remittance import AdjudicatedLine, AdjudicatedReason, Adjudication, Adjudications
from libs.common.ids import derived_id
from libs.x12 import OtherPayer
from tests.claims.conftest import Desk, an_encounter

pytestmark = pytest.mark.thorough
CHARGE = 17_500
PAID: tuple[tuple[str, str, int], ...] = (("CO", "45", 5_500), ("PR", "2", 2_400))
SECOND: dict[str, Any] = {"rank": 2, "payer_id": "pay_summit", "payer_control_number": "SM1", "posting_id": "pst_2"}
SUMMIT = {"rank": 2, "payer": {"id": "pay_summit"}, "member_id": "S777", "group_number": "SG"}


def adjudication(line_id: str, paid: int = 9_600, reasons: Any = PAID, **changes: Any) -> Adjudication:
    """The first payer's decision on the claim's one line."""
    adjustments = [AdjudicatedReason(group=g, reason=r, amount_cents=cents) for g, r, cents in reasons]
    line = AdjudicatedLine(
        line_id=line_id, procedure="90834", modifiers=["95"], charge_cents=CHARGE, paid_cents=paid,
        adjustments=adjustments,
    )  # fmt: skip
    given: dict[str, Any] = {
        "posting_id": "pst_1",
        "payer_id": "pay_harborbh",
        "rank": 1,
        "payer_control_number": "ICN835",
        "decided_on": date(2026, 10, 11),
        "charge_cents": CHARGE,
        "paid_cents": paid,
        "adjustments": [],
        "remark_codes": ["MA01"],
        "lines": [line],
    }
    return Adjudication(**given | changes)


class TwoPayers:
    """A session of a patient whom Summit insures after Harbor."""

    def __init__(self, desk: Desk, encounter: dict[str, Any]) -> None:
        self.desk, self.encounter = desk, encounter

    async def claim(self) -> dict[str, Any]:
        return await self.desk.claim(self.encounter)

    async def first_payer_decides(self, outcome: str = "paid", day: int = 12, left: int = 2_400, **more: Any) -> None:
        line_id = (await self.claim())["lines"][0]["id"]
        told = {"sealed": Adjudications(decisions=[adjudication(line_id)]), "payer_id": "pay_harborbh"}
        told |= {"awaits_next_cents": left}
        amounts = {"paid": 9_600, "contractual": 5_500} if outcome == "paid" else {}
        await self.desk.post(self.encounter, outcome, day=day, more=told | more, **amounts)
        await self.desk.api.run_due()

    async def second_payer_decides(self, outcome: str, day: int = 26, **more: Any) -> None:
        line_id = (await self.claim())["lines"][0]["id"]
        own = adjudication(line_id, 2_000, (("OA", "23", 15_100), ("PR", "3", 400)), **SECOND)
        told = {"sealed": Adjudications(decisions=[adjudication(line_id), own]), "rank": 2, "payer_id": "pay_summit"}
        await self.desk.post(self.encounter, outcome, day=day, more=told | {"payer_control_number": "SM1"} | more)


@pytest.fixture
async def two(desk: Desk) -> TwoPayers:
    await desk.enroll("pay_summit")
    first = an_encounter()["coverages"]
    return TwoPayers(desk, await desk.submitted(coverages=[*first, SUMMIT]))


async def test_the_first_submission_says_that_another_payer_will_be_asked(two: TwoPayers, desk: Desk) -> None:
    [told] = await desk.api.told(ClaimSubmitted)
    assert (told.rank, told.next_payer) == (1, True)


async def test_the_patients_share_goes_to_the_second_payer_with_what_the_first_decided(
    two: TwoPayers, desk: Desk
) -> None:
    await desk.at(9, day=12)
    await two.first_payer_decides()
    claim = await two.claim()
    assert (claim["status"], claim["rank"], claim["payer_id"]) == ("ready", 2, "pay_summit")
    assert claim["deadlines"]["timely_filing"] == "2027-04-09"

    await desk.at(18, day=12)
    [sent] = desk.sent_file().claims
    assert (sent.subscriber.sequence, sent.payer.id, sent.subscriber.party.id) == ("S", "SUMMT", "S777")
    assert (sent.frequency, sent.authorization, sent.patient_paid_cents) == ("1", "", 2_500)
    [other] = sent.other_payers
    assert _told_of(other) == ("P", "HRBBH", "HB123", 9_600, "ICN835", None, ("MA01",))
    [decided] = sent.lines[0].adjudications
    assert (decided.payer_id, decided.paid_cents, decided.remaining_cents) == ("HRBBH", 9_600, 2_400)
    assert [(a.group, a.reason, a.amount_cents) for a in decided.adjustments] == list(PAID)
    assert (decided.adjudicated, decided.procedure, decided.modifiers) == (date(2026, 10, 11), "90834", ("95",))

    first, second = await desk.api.told(ClaimSubmitted)
    assert (second.claim_id, second.rank, second.payer_id, second.next_payer) == (
        first.claim_id,
        2,
        "pay_summit",
        False,
    )
    assert [line.line_id for line in second.lines] == [line.line_id for line in first.lines]
    submissions = (await two.claim())["submissions"]
    assert [one["rank"] for one in submissions] == [1, 2]


def _told_of(other: OtherPayer) -> tuple[Any, ...]:
    return (
        other.sequence, other.payer.id, other.subscriber.id, other.paid_cents, other.claim_number, other.adjudicated,
        other.remark_codes,
    )  # fmt: skip


async def test_the_timeline_says_whose_turn_it_was(two: TwoPayers, desk: Desk) -> None:
    await two.first_payer_decides()
    found = await desk.api.get(f"/v1/claims/{(await two.claim())['id']}/timeline")
    [step] = [one for one in found["data"] if one["what"] == "claim.bill_next"]
    assert step["words"].endswith("denied 0; goes to pay_summit")


async def test_nothing_left_to_the_patient_is_nothing_for_the_second_payer(two: TwoPayers) -> None:
    await two.first_payer_decides(left=0)
    assert ((await two.claim())["status"], (await two.claim())["rank"]) == ("paid", 1)


async def test_all_to_the_deductible_goes_on_without_ever_being_the_patients(two: TwoPayers, desk: Desk) -> None:
    await two.first_payer_decides("patient_responsibility", left=12_000)
    assert (await two.claim())["status"] == "ready"
    assert "patient_due" not in {told.status for told in await desk.api.told(ClaimUpdated)}


async def test_a_claim_that_the_payer_has_passed_on_is_not_sent_by_us_and_is_asked_after(
    two: TwoPayers, desk: Desk
) -> None:
    await desk.at(9, day=12)
    await two.first_payer_decides(forwarded=True, claim_status="19")
    claim = await two.claim()
    assert (claim["status"], claim["rank"], claim["payer_id"]) == ("forwarded", 2, "pay_summit")
    await desk.at(18, day=12)
    assert len(desk.clearinghouse.files) == 1
    await desk.at(22, day=11, month=11)
    assert [task["reason"] for task in await desk.api.tasks()] == ["next_payer_unanswered"]

    await desk.api.post(f"/v1/claims/{claim['id']}/next-payer", {"why": "Summit has no such claim"})
    await desk.at(18, day=12, month=11)
    assert desk.sent_file().claims[0].subscriber.sequence == "S"
    assert await desk.api.tasks() == []


async def test_the_second_payers_answer_on_a_claim_that_was_passed_on_settles_it(two: TwoPayers, desk: Desk) -> None:
    await two.first_payer_decides(forwarded=True)
    await two.second_payer_decides("paid")
    claim = await two.claim()
    assert (claim["status"], claim["rank"], claim["payer_control_number"]) == ("paid", 2, "SM1")


async def test_what_the_first_payer_has_passed_on_is_not_sent_again_where_the_second_answers_first(
    two: TwoPayers, desk: Desk
) -> None:
    await two.second_payer_decides("paid", day=12)
    await two.first_payer_decides(forwarded=True, day=13)
    assert (await two.claim())["status"] == "paid"
    assert await desk.api.tasks() == []


async def test_a_second_payers_denial_is_corrected_with_a_replacement_to_that_payer(two: TwoPayers, desk: Desk) -> None:
    await desk.at(9, day=12)
    await two.first_payer_decides()
    await desk.at(18, day=12)
    await two.second_payer_decides("denied")
    await desk.api.deliver(_denial(await two.claim()))
    [case] = (await desk.api.get("/v1/denials"))["data"]
    await desk.api.post(f"/v1/denials/{case['id']}/corrections", {"diagnoses": ["F33.2", "F41.1"]})
    await desk.at(18, day=27)
    [sent] = desk.sent_file().claims
    assert (sent.frequency, sent.original_reference, sent.payer.id) == ("7", "SM1", "SUMMT")
    assert [other.payer.id for other in sent.other_payers] == ["HRBBH"]


def _denial(claim: dict[str, Any]) -> DenialRaised:
    return DenialRaised(
        claim_id=claim["id"], denial_id=derived_id("dnl", claim["id"]), line_id=claim["lines"][0]["id"], era_id="era_2",
        practice_id=claim["practice_id"], payer_id="pay_summit", group_code="CO", reason_code="11", denied_cents=2_400,
        code_family="psychotherapy", payer_control_number="SM1", raised_on=date(2026, 10, 26),
    )  # fmt: skip


async def test_a_later_payer_that_is_given_up_leaves_the_share_to_the_patient(two: TwoPayers, desk: Desk) -> None:
    await two.first_payer_decides()
    claim = await two.claim()
    refused = await desk.api.call("POST", f"/v1/claims/{claim['id']}/void", {"why": "not wanted"})
    assert refused.status_code == 409
    left = await desk.api.post(f"/v1/claims/{claim['id']}/bill-patient", {"why": "Summit ended in June"})
    assert (left["status"], left["owner"]) == ("patient_due", "patient")


async def test_a_first_payer_that_decides_anew_is_told_to_the_second_once_more(two: TwoPayers, desk: Desk) -> None:
    await desk.at(9, day=12)
    await two.first_payer_decides()
    await desk.at(18, day=12)
    await two.second_payer_decides("paid")
    await two.first_payer_decides("reversed", day=27, sealed=_both(await two.claim()))
    await two.first_payer_decides(day=27, sealed=_both(await two.claim()))
    assert (await two.claim())["status"] == "paid"
    assert [task["reason"] for task in await desk.api.tasks()] == ["prior_payer_changed"]

    claim_id = (await two.claim())["id"]
    await desk.at(9, day=28)
    await desk.api.post(f"/v1/claims/{claim_id}/next-payer", {"why": "Harbor decided anew"})
    assert await desk.api.tasks() == []
    await desk.at(18, day=28)
    [sent] = desk.sent_file().claims
    assert (sent.frequency, sent.original_reference, sent.subscriber.sequence) == ("7", "SM1", "S")


async def test_a_first_payer_that_denies_after_all_has_its_turn_again_and_then_the_second(
    two: TwoPayers, desk: Desk
) -> None:
    await desk.at(9, day=12)
    await two.first_payer_decides()
    await desk.at(18, day=12)
    await two.second_payer_decides("paid")
    await two.first_payer_decides("denied", day=27, left=0, denied_cents=CHARGE, sealed=_both(await two.claim()))
    claim = await two.claim()
    assert (claim["status"], claim["rank"], claim["payer_id"]) == ("denied", 1, "pay_harborbh")
    first = _denial(claim).model_copy(update={"payer_id": "pay_harborbh", "payer_control_number": "ICN835"})
    await desk.api.deliver(first)
    await desk.at(9, day=28)
    await desk.api.post(f"/v1/denials/{first.denial_id}/corrections", {"diagnoses": ["F33.2", "F41.1"]})
    await desk.check(two.encounter["id"])
    await desk.at(18, day=28)
    [sent] = desk.sent_file().claims
    assert (sent.payer.id, sent.frequency, sent.original_reference) == ("HRBBH", "7", "ICN835")

    await two.first_payer_decides(day=29, sealed=_both(await two.claim()))
    await desk.at(18, day=29)
    [sent] = desk.sent_file().claims
    assert (sent.payer.id, sent.frequency, sent.original_reference) == ("SUMMT", "7", "SM1")


def _both(claim: dict[str, Any]) -> Adjudications:
    line_id = claim["lines"][0]["id"]
    return Adjudications(decisions=[adjudication(line_id), adjudication(line_id, **SECOND)])


async def test_a_claim_of_which_the_first_payers_decision_was_taken_back_waits_for_the_next_one(
    two: TwoPayers, desk: Desk
) -> None:
    await desk.at(9, day=12)
    await two.first_payer_decides()
    await two.first_payer_decides("reversed", sealed=Adjudications(decisions=[]))
    claim = await two.claim()
    assert (claim["status"], claim["reasons"]) == ("waiting", ["prior_payer_undecided"])
    await two.first_payer_decides()
    assert (await two.claim())["status"] == "ready"


async def test_an_answer_that_does_not_account_for_the_charge_stops_the_claim(two: TwoPayers) -> None:
    line_id = (await two.claim())["lines"][0]["id"]
    odd = adjudication(line_id, reasons=(("CO", "45", 5_000), ("PR", "2", 2_400)))
    await two.first_payer_decides(sealed=Adjudications(decisions=[odd]))
    claim = await two.claim()
    assert (claim["status"], claim["reasons"]) == ("held", ["prior_payer_unbalanced"])


async def test_a_coverage_that_becomes_known_later_is_billed_for_what_was_the_patients(desk: Desk) -> None:
    await desk.enroll("pay_summit")
    encounter = await desk.submitted()
    only_one = TwoPayers(desk, encounter)
    line_id = (await desk.claim(encounter))["lines"][0]["id"]
    stands = dict.fromkeys(("billed_cents", "credits_cents", "patient_paid_cents", "written_off_cents"), 0)
    stands |= dict.fromkeys(("withheld_cents", "denied_open_cents", "in_flight_cents"), 0)
    stands |= {"payer_paid_cents": 9_600, "contractual_cents": 5_500, "patient_cents": 2_400, "billed_cents": CHARGE}
    told = {"sealed": Adjudications(decisions=[adjudication(line_id)]), "buckets": stands}
    await desk.post(encounter, "paid", more=told, paid=9_600, contractual=5_500, patient=2_400)
    assert (await only_one.claim())["status"] == "paid"
    await desk.api.deliver(
        CoverageChanged(
            coverage_id="cov_2",
            patient_id=encounter["patient_id"],
            practice_id=encounter["practice_id"],
            payer_id="pay_summit",
            rank=2,
            status="active",
            sealed=CoverageIdentity(member_id="S777"),
        )
    )
    await desk.api.run_due()
    claim = await only_one.claim()
    assert (claim["status"], claim["rank"], claim["payer_id"]) == ("ready", 2, "pay_summit")


async def test_who_has_no_next_payer_after_all_owes_what_was_to_wait_for_one(two: TwoPayers, desk: Desk) -> None:
    claim = await two.claim()
    await desk.api.deliver(
        CoverageChanged(
            coverage_id="cov_2",
            patient_id=claim["patient_id"],
            practice_id=claim["practice_id"],
            payer_id="pay_summit",
            rank=2,
            status="superseded",
            sealed=CoverageIdentity(member_id="S777"),
        )
    )
    await two.first_payer_decides()
    assert (await two.claim())["status"] == "patient_due"
