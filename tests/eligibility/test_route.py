"""A plan that leaves mental health to an administrator: a second question, and the claim goes there."""

from tests.calls import Api
from tests.eligibility.payers import ACTIVE, CARVED_OUT, COPAY, Payers
from tests.eligibility.visits import a_coverage, a_visit, checked, hold


async def test_the_administrator_that_the_answer_names_is_asked_and_billed(api: Api, payers: Payers) -> None:
    payers.says["MRDN1"] = CARVED_OUT
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_meridian")])
    await hold(api, visit)
    told = await checked(api, visit)
    assert payers.asked_payers == ["MRDN1", "HRBBH"]
    assert (told.payer_id, told.bill_payer_id, told.carved_out) == ("pay_meridian", "pay_harborbh", True)
    assert (told.outcome, told.copay_cents) == ("active", 2_500)
    second = await api.get(f"/v1/eligibility-checks/{told.check_id}")
    first = await api.get(f"/v1/eligibility-checks/{second['routed_from']}")
    [route] = first["benefit_routes"]
    assert route["administrator"] == {
        "payer_id": "pay_harborbh",
        "evidence": "EB*U/2120 PR",
        "phone": "8005550121",
    }
    assert route["next_check_id"] == told.check_id
    coverage = await api.get(f"/v1/coverages/{told.coverage_id}")
    assert [one["administrator"]["payer_id"] for one in coverage["benefit_routes"]] == ["pay_harborbh"]


async def test_a_medical_plan_that_leaves_the_carve_out_unsaid_is_known_by_table(api: Api, payers: Payers) -> None:
    payers.says["MRDN1"] = (ACTIVE, COPAY)
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_meridian")])
    await hold(api, visit)
    assert (await checked(api, visit)).bill_payer_id == "pay_harborbh"


async def test_an_inactive_plan_is_not_asked_further(api: Api, payers: Payers) -> None:
    payers.says["MRDN1"] = ("EB*6*IND*30",)
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_meridian")])
    await hold(api, visit)
    assert (await checked(api, visit)).outcome == "inactive"
    assert payers.asked_payers == ["MRDN1"]


async def test_an_administrator_that_does_not_know_the_member_is_the_front_desks(api: Api, payers: Payers) -> None:
    payers.says["MRDN1"] = CARVED_OUT
    payers.refuses["HRBBH"] = ["75"]
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_meridian")])
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.bill_payer_id, told.owner) == ("not_found", None, "front_desk")


async def test_an_administrator_that_we_do_not_know_is_billings(api: Api, payers: Payers) -> None:
    payers.says["SUMMT"] = tuple(text.replace("HRBBH", "NOBODY") for text in CARVED_OUT)
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_summit")])
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.reject_reasons, told.owner) == ("rejected", ["administrator_unknown"], "billing")
