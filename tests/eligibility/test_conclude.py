"""What an answer means for its session."""

from tests.calls import Api
from tests.eligibility.payers import ACTIVE, COPAY, Payers
from tests.eligibility.visits import a_coverage, a_service, a_visit, checked, hold


async def test_the_claim_names_the_subscriber_as_the_payer_spells_them(api: Api, payers: Payers) -> None:
    visit = a_visit(api, first_name="José", coverages=[a_coverage(group_number="G9")])
    await hold(api, visit)
    told = await checked(api, visit)
    assert told.sealed is not None
    assert (told.sealed.subscriber_first_name, told.sealed.subscriber_last_name) == ("JOSE", "RIVERA")
    assert (told.sealed.group_number, told.sealed.plan_name) == ("G9", "EXAMPLE PLAN")


async def test_what_is_left_is_told(api: Api, payers: Payers) -> None:
    payers.says["HRBBH"] = (
        ACTIVE,
        "EB*A*IND*MH*****.2****Y",
        "EB*C*IND*MH***29*30*****Y",
        "EB*F*IND*MH***29***VS*7*N*Y",
    )
    visit = a_visit(api)
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.deductible_left_cents, told.visits_left, told.copay_cents) == (3_000, 7, None)
    assert told.estimate_cents == 3_000 + (11_375 - 3_000) * 20 // 100


async def test_several_services_are_one_visit(api: Api, payers: Payers) -> None:
    payers.says["HRBBH"] = (ACTIVE, COPAY)
    visit = a_visit(api, services=[a_service("99213"), a_service("90833", line_id="sln_2")])
    await hold(api, visit)
    assert (await checked(api, visit)).estimate_cents == 2_500


async def test_only_the_procedure_that_needs_it_takes_units(api: Api, payers: Payers) -> None:
    payers.says["BLBNT"] = (ACTIVE, "EB*B*IND*MH***27*3****N*Y", "EB*CB*IND*********Y*Y*HC:90838")
    services = [a_service("99213"), a_service("90838", line_id="sln_2")]
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_bluebonnet")], services=services)
    await hold(api, visit)
    body = {
        "patient_id": visit.patient_id,
        "payer_id": "pay_bluebonnet",
        "number": "A1",
        "codes": ["90838"],
        "approved_units": 1,
        "effective_from": "2026-10-01",
        "effective_to": "2026-10-31",
    }
    await api.post("/v1/authorizations", body)
    assert (await checked(api, visit)).authorization == "reserved"
