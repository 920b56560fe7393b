"""The routes of denials and appeals."""

from tests.claims.conftest import Desk


async def test_denials_and_appeals_are_listed_by_where_they_stand(desk: Desk) -> None:
    encounter = await desk.submitted()
    case = await desk.deny(encounter, "50")
    appeal = await desk.api.post(f"/v1/denials/{case['id']}/appeals", {})
    filed = (await desk.api.get("/v1/appeals?status=filed"))["data"]
    assert [one["id"] for one in filed] == [appeal["id"]]
    assert (await desk.api.get("/v1/denials?status=open"))["data"] == []
    appealed = (await desk.api.get(f"/v1/denials?claim_id={encounter['claims'][0]}&status=appealed"))["data"]
    assert [one["id"] for one in appealed] == [case["id"]]


async def test_a_case_that_is_closed_stays_closed(desk: Desk) -> None:
    case = await desk.deny(await desk.submitted(), "50")
    await desk.api.post(f"/v1/denials/{case['id']}/write-off", {"why": "small"})
    for path, body in (("write-off", {"why": "again"}), ("appeals", {}), ("corrections", {"place_of_service": "11"})):
        answer = await desk.api.call("POST", f"/v1/denials/{case['id']}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")
    assert (await desk.api.call("GET", "/v1/denials/dnl_none")).status_code == 404


async def test_nobody_closes_the_task_of_a_case_and_leaves_the_case(desk: Desk) -> None:
    case = await desk.deny(await desk.submitted(), "50")
    [task] = await desk.api.tasks()
    path, done = f"/v1/tasks/{task['id']}", {"status": "done", "outcome": "looked_at"}
    refused = await desk.api.call("PATCH", path, done, If_Match="*")
    assert (refused.status_code, refused.json()["code"]) == (409, "task_tied")
    assert (await desk.api.patch(path, {"owner": "usr_kim"}))["owner"] == "usr_kim"
    await desk.api.post(f"/v1/denials/{case['id']}/write-off", {"why": "small"})
    assert (await desk.api.get(path))["outcome"] == "written_off"
