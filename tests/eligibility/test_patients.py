"""Patients and coverages: the newest word wins, and what changed is told."""

from datetime import timedelta

from libs.common.events.eligibility import CoverageChanged
from libs.common.ids import derived_id
from tests.calls import NOON, Api
from tests.eligibility.visits import a_coverage, a_visit, hold, practice_of


def a_patient(api: Api, **changes: object) -> dict[str, object]:
    return {
        "practice_id": practice_of(api),
        "external_id": "MRN-1",
        "first_name": "Sam",
        "last_name": "Doe",
        "dob": "1985-01-02",
        "sex": "M",
        **changes,
    }


async def test_a_patients_id_follows_from_the_ehrs_number(api: Api) -> None:
    found = await api.post("/v1/patients", a_patient(api))
    assert found["id"] == derived_id("pat", api.tenant, practice_of(api), "MRN-1")
    assert (await api.call("POST", "/v1/patients", a_patient(api, first_name="Max"))).status_code == 409
    assert (await api.get(f"/v1/patients/{found['id']}"))["first_name"] == "Sam"


async def test_a_patient_is_changed_with_the_version_that_was_read(api: Api) -> None:
    patient_id = (await api.post("/v1/patients", a_patient(api)))["id"]
    path = f"/v1/patients/{patient_id}"
    changed = await api.patch(path, {"last_name": "Roe"}, version=1)
    assert (changed["last_name"], changed["first_name"], changed["version"]) == ("Roe", "Sam", 2)
    assert (await api.call("PATCH", path, {"last_name": "Poe"}, If_Match="1")).status_code == 412
    assert (await api.call("PATCH", path, {"sex": "other"}, If_Match="2")).status_code == 422


async def test_a_session_brings_patient_and_coverage_and_tells_the_coverage(api: Api) -> None:
    visit = a_visit(api, coverages=[a_coverage(group_number="G9"), a_coverage(rank=2, payer_id="pay_summit")])
    await hold(api, visit)
    found = await api.get(f"/v1/patients/{visit.patient_id}")
    assert [(one["payer_id"], one["rank"]) for one in found["coverages"]] == [("pay_harborbh", 1), ("pay_summit", 2)]
    told = await api.told(CoverageChanged)
    assert [(event.rank, event.status, event.sealed.group_number) for event in told] == [
        (1, "active", "G9"),
        (2, "active", None),
    ]


async def test_the_same_coverage_again_is_told_once(api: Api) -> None:
    await hold(api, a_visit(api, "ehr-1"), a_visit(api, "ehr-2"))
    assert len(await api.told(CoverageChanged)) == 1


async def test_a_new_card_supersedes_the_old_one_at_its_rank(api: Api) -> None:
    await api.deliver(a_visit(api, "ehr-1"))
    await api.deliver(
        a_visit(api, "ehr-2", coverages=[a_coverage(payer_id="pay_summit")]), time=NOON + timedelta(hours=1)
    )
    told = [(event.payer_id, event.status) for event in await api.told(CoverageChanged)]
    assert told == [("pay_harborbh", "active"), ("pay_summit", "active"), ("pay_harborbh", "superseded")]


async def test_an_older_message_that_comes_late_changes_nobody(api: Api) -> None:
    await api.deliver(a_visit(api, "ehr-2", last_name="Rivera-Lopez"), time=NOON + timedelta(hours=1))
    visit = a_visit(api, "ehr-1", last_name="Rivera")
    await api.deliver(visit, time=NOON)
    assert (await api.get(f"/v1/patients/{visit.patient_id}"))["last_name"] == "Rivera-Lopez"


async def test_a_coverage_is_ended_by_hand_and_told(api: Api) -> None:
    visit = a_visit(api)
    await hold(api, visit)
    [coverage] = (await api.get(f"/v1/coverages?patient_id={visit.patient_id}"))["data"]
    path = f"/v1/coverages/{coverage['id']}"
    ended = await api.patch(path, {"status": "ended", "effective_to": "2026-10-31"}, version=1)
    assert (ended["status"], ended["effective_to"], ended["version"]) == ("ended", "2026-10-31", 2)
    assert [event.status for event in await api.told(CoverageChanged)] == ["active", "ended"]


async def test_a_dependents_coverage_names_its_subscriber(api: Api) -> None:
    patient_id = (await api.post("/v1/patients", a_patient(api)))["id"]
    body = {"patient_id": patient_id, "payer_id": "pay_summit", "member_id": "S1", "relationship": "child"}
    assert (await api.call("POST", "/v1/coverages", body)).status_code == 422
    whole = body | {"subscriber_first_name": "Ann", "subscriber_last_name": "Doe", "subscriber_dob": "1960-01-01"}
    assert (await api.post("/v1/coverages", whole))["relationship"] == "child"


async def test_another_tenant_finds_no_patient(api: Api) -> None:
    patient_id = (await api.post("/v1/patients", a_patient(api)))["id"]
    stranger = api.token(tenant_id="tnt_other")
    for path in (f"/v1/patients/{patient_id}", "/v1/coverages/cov_1", "/v1/eligibility-checks/elg_1"):
        assert (await api.call("GET", path, token=stranger)).status_code == 404


async def test_patients_are_found_by_the_ehrs_number(api: Api) -> None:
    await api.post("/v1/patients", a_patient(api))
    found = await api.get(f"/v1/patients?practice_id={practice_of(api)}&external_id=MRN-1")
    assert [row["external_id"] for row in found["data"]] == ["MRN-1"]
