"""Nobody treats two patients at once: a clinician's sessions that overlap are both held until somebody mends one."""

from typing import Any

from tests.claims.conftest import Desk, another_session


def at(start: str, stop: str, minutes: int = 41, **more: Any) -> dict[str, Any]:
    """A session's times on the fifth, in Austin."""
    day, night = "2026-10-05", "2026-10-06" if stop < start else "2026-10-05"
    times = {"start": f"{day}T{start}:00-05:00", "stop": f"{night}T{stop}:00-05:00"}
    return {**times, "psychotherapy_minutes": minutes, **more}


async def checked(desk: Desk, external_id: str, service: dict[str, Any], **changes: Any) -> dict[str, Any]:
    encounter = await desk.send(another_session(external_id, service=service, **changes))
    await desk.check(encounter["id"])
    return encounter


async def reasons(desk: Desk, encounter: dict[str, Any]) -> tuple[str, list[str]]:
    claim = await desk.claim(encounter)
    return claim["status"], claim["reasons"]


async def test_two_sessions_at_once_are_both_held_until_one_is_mended(desk: Desk) -> None:
    first = await checked(desk, "ehr-1", at("15:00", "15:44"))
    assert await reasons(desk, first) == ("ready", [])
    second = await checked(desk, "ehr-2", at("15:30", "16:14"))
    assert await reasons(desk, second) == ("held", ["clinician_overlap"])
    assert await reasons(desk, first) == ("held", ["clinician_overlap"])
    tasks = await desk.api.tasks()
    assert {(task["reason"], task["owner"]) for task in tasks} == {("clinician_overlap", "clinician")}
    await desk.send(another_session("ehr-2", service=at("15:45", "16:29")))
    await desk.api.run_due()
    assert await reasons(desk, first) == ("ready", [])
    assert await reasons(desk, second) == ("ready", [])
    assert await desk.api.tasks() == []


async def test_a_session_over_midnight_runs_into_one_of_the_next_day(desk: Desk) -> None:
    late = await checked(desk, "ehr-1", at("23:30", "00:14"))
    assert await reasons(desk, late) == ("ready", [])
    times = {"date": "2026-10-06", "start": "2026-10-06T00:00:00-05:00", "stop": "2026-10-06T00:45:00-05:00"}
    early = await checked(desk, "ehr-2", times)
    assert await reasons(desk, early) == ("held", ["clinician_overlap"])


async def test_what_has_been_sent_stays_sent_and_the_other_is_held(desk: Desk) -> None:
    sent = await desk.submitted("ehr-1", service=at("15:00", "15:44"))
    second = await checked(desk, "ehr-2", at("15:00", "15:44"))
    assert await reasons(desk, sent) == ("submitted", [])
    assert await reasons(desk, second) == ("held", ["clinician_overlap"])


async def test_members_of_a_group_are_treated_together(desk: Desk) -> None:
    line = [{"code": "90853", "charge_cents": 6_000}]
    for number in (1, 2):
        member = await checked(desk, f"ehr-{number}", at("16:00", "17:00"), lines=line)
        assert await reasons(desk, member) == ("ready", [])
    alone = await checked(desk, "ehr-3", at("16:10", "16:54"))
    assert await reasons(desk, alone) == ("held", ["clinician_overlap"])
