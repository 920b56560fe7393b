"""The routes of eligibility: who may call them, and what they refuse."""

from tests.calls import Api
from tests.eligibility.visits import a_visit, checked, hold, practice_of


async def test_reading_needs_the_scope(api: Api) -> None:
    blind = api.token(scopes=["claims:read"])
    assert (await api.call("GET", "/v1/patients", token=blind)).status_code == 403


async def test_a_caller_for_another_practice_sees_nothing(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    elsewhere = api.token(practice_ids=["prc_other"])
    for path in ("/v1/patients", "/v1/coverages", "/v1/eligibility-checks", "/v1/authorizations"):
        assert (await api.get(path, token=elsewhere))["data"] == []
        assert (await api.get(path, token=api.token(practice_ids=[practice_of(api)])))["data"] or path.endswith(
            "ations"
        )
    assert (await api.call("GET", f"/v1/patients/{visit.patient_id}", token=elsewhere)).status_code == 404


async def test_checks_are_listed_by_session(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    told = await checked(api, visit)
    found = await api.get(f"/v1/eligibility-checks?encounter_id={visit.encounter_id}")
    assert [row["id"] for row in found["data"]] == [told.check_id]


async def test_who_looked_at_a_patient_is_recorded(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    await api.get(f"/v1/patients/{visit.patient_id}")
    async with api.worker.transaction(api.tenant) as tx:
        driver = await tx.driver()
        found = await driver.fetch("select actor, subject_id from audit where subject_id = $1", visit.patient_id)
    assert [row["actor"] for row in found] == ["tester"]


async def test_an_answer_that_is_not_there_yet_is_not_found(api: Api) -> None:
    visit = a_visit(api)
    await api.deliver(visit)
    [check] = (await api.get(f"/v1/eligibility-checks?encounter_id={visit.encounter_id}"))["data"]
    assert (await api.call("GET", f"/v1/eligibility-checks/{check['id']}/x12")).status_code == 404


async def test_our_question_and_the_payers_answer_can_both_be_read(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    [check] = (await api.get(f"/v1/eligibility-checks?encounter_id={visit.encounter_id}"))["data"]
    path = f"/v1/eligibility-checks/{check['id']}/x12"
    assert "ST*271*" in (await api.call("GET", path)).text
    assert "ST*270*" in (await api.call("GET", f"{path}?which=question")).text


async def test_a_fee_schedule_for_an_unknown_payer_is_refused(api: Api) -> None:
    body = {"payer_id": "pay_nobody", "effective_from": "2026-01-01", "fees": []}
    assert (await api.call("PUT", "/v1/fee-schedules", body)).status_code == 422


async def test_a_caller_of_one_practice_writes_for_that_one_only(api: Api) -> None:
    """Fees of all practices are said to be nobody's of one; what the database refuses is a refusal, and no fault."""
    visit = a_visit(api)
    await hold(api, visit)
    elsewhere = api.token(practice_ids=["prc_other"])
    fees = {"payer_id": "pay_harborbh", "effective_from": "2026-01-01", "fees": []}
    patient = {"external_id": "P9", "first_name": "Jo", "last_name": "Rivera", "dob": "1990-01-02", "sex": "F"}
    for method, path, body in (
        ("PUT", "/v1/fee-schedules", fees),
        ("PUT", "/v1/fee-schedules", fees | {"practice_id": practice_of(api)}),
        ("POST", "/v1/patients", patient | {"practice_id": practice_of(api)}),
    ):
        refused = await api.call(method, path, body, token=elsewhere)
        assert (refused.status_code, refused.json()["code"]) == (403, "practice_forbidden"), path
    assert (await api.call("PUT", "/v1/fee-schedules", fees | {"practice_id": "prc_other"}, token=elsewhere)).is_success


async def test_an_auditor_of_one_practice_finds_who_looked_at_its_coverages_and_checks(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    looked_at = []
    for path in ("/v1/coverages", "/v1/eligibility-checks"):
        [one] = (await api.get(f"{path}?patient_id={visit.patient_id}"))["data"]
        await api.get(f"{path}/{one['id']}")
        looked_at.append(one["id"])
    await api.call("GET", f"/v1/eligibility-checks/{looked_at[1]}/x12")
    for practice_id, seen in ((practice_of(api), [2, 3]), ("prc_other", [0, 0])):
        auditor = api.token(practice_ids=[practice_id], scopes=["eligibility:audit"])
        lines = [(await api.get(f"/v1/audit-events?subject_id={id_}", token=auditor))["data"] for id_ in looked_at]
        assert [len(found) for found in lines] == seen
