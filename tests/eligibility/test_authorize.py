"""Units of an authorization: reserved on the session, consumed when its claim goes out, free again when it is void."""

from datetime import UTC, date, datetime, timedelta

import pytest

from libs.common.events.claims import EncounterCreated
from libs.common.events.eligibility import AuthorizationChanged, EligibilityChecked
from tests.calls import Api
from tests.eligibility.payers import ACTIVE, Payers
from tests.eligibility.visits import VISIT, a_claim, a_coverage, a_service, a_visit, authorize, checked, hold

NEEDED = "EB*CB*IND*********Y*Y*HC:90837"


@pytest.fixture(autouse=True)
def bluebonnet(payers: Payers) -> None:
    """Bluebonnet wants an authorization for the long session, and a copay of 3.00."""
    payers.says["BLBNT"] = (ACTIVE, "EB*B*IND*MH***27*3****N*Y", NEEDED)


def a_long_visit(api: Api, external_id: str = "ehr-1", **changes: object) -> EncounterCreated:
    values = {"coverages": [a_coverage(payer_id="pay_bluebonnet")], "services": [a_service("90837")]}
    return a_visit(api, external_id, **values | changes)


async def usage(api: Api, authorization_id: str) -> dict[str, int]:
    found: dict[str, int] = (await api.get(f"/v1/authorizations/{authorization_id}"))["usage"]
    return found


async def test_a_session_that_needs_an_authorization_says_that_it_is_missing(api: Api) -> None:
    visit = a_long_visit(api)
    await hold(api, visit)
    told = await checked(api, visit)
    assert (told.outcome, told.authorization, told.authorization_id) == ("active", "missing", None)


async def test_a_waiting_session_goes_on_when_the_authorization_comes(api: Api) -> None:
    visit = a_long_visit(api)
    await hold(api, visit)
    granted = await authorize(api, visit)
    assert granted["usage"] == {"reserved": 1, "used": 0, "available": 1}
    told = [event for event in await api.envelopes(EligibilityChecked) if event.subject == visit.encounter_id]
    assert [(event.sequence, event.data.authorization) for event in told] == [(1, "missing"), (2, "reserved")]
    assert told[-1].data.authorization_id == granted["id"]
    assert told[-1].data.sealed.authorization_number == "AUTH123"
    assert told[-1].correlationid == visit.encounter_id


async def test_units_are_told_as_they_move(api: Api) -> None:
    visit = a_long_visit(api)
    await hold(api, visit)
    granted = await authorize(api, visit)
    await api.deliver(a_claim(visit, attempts=1, status="submitted"))
    await api.deliver(a_claim(visit, attempts=1, status="void"))
    told = await api.envelopes(AuthorizationChanged)
    assert [(e.data.reserved_units, e.data.consumed_units) for e in told] == [(0, 0), (1, 0), (0, 1), (0, 0)]
    assert [e.sequence for e in told] == [1, 2, 3, 4]
    history = (await api.get(f"/v1/authorizations/{granted['id']}"))["history"]
    assert [line["kind"] for line in history] == ["reserve", "consume", "give_back", "release"]


async def test_the_last_unit_goes_to_the_earlier_session_even_if_it_arrives_later(api: Api) -> None:
    late = a_long_visit(api, "ehr-2", service_date=VISIT + timedelta(days=1))
    early = a_long_visit(api, "ehr-1")
    await hold(api, late)
    await authorize(api, late, approved_units=1)
    assert (await checked(api, late)).authorization == "reserved"
    await hold(api, early)
    assert (await checked(api, early)).authorization == "reserved"
    assert (await checked(api, late)).authorization == "exhausted"


async def test_a_session_whose_claim_has_gone_keeps_its_unit(api: Api) -> None:
    late = a_long_visit(api, "ehr-2", service_date=VISIT + timedelta(days=1))
    await hold(api, late)
    await authorize(api, late, approved_units=1)
    await api.deliver(a_claim(late, attempts=1, status="submitted"))
    early = a_long_visit(api, "ehr-1")
    await hold(api, early)
    assert (await checked(api, early)).authorization == "exhausted"
    assert (await checked(api, late)).authorization == "reserved"


async def test_a_void_session_gives_its_unit_to_the_next(api: Api) -> None:
    first, second = a_long_visit(api, "ehr-1"), a_long_visit(api, "ehr-2")
    await hold(api, first, second)
    await authorize(api, first, approved_units=1)
    assert (await checked(api, second)).authorization == "exhausted"
    await api.deliver(a_claim(first, status="void"))
    assert (await checked(api, second)).authorization == "reserved"


async def test_news_of_a_claim_may_come_before_its_session(api: Api) -> None:
    visit = a_long_visit(api)
    await api.deliver(a_claim(visit, attempts=1, status="submitted"))
    await hold(api, visit)
    granted = await authorize(api, visit)
    assert granted["usage"] == {"reserved": 0, "used": 1, "available": 1}


async def test_old_news_of_a_claim_changes_nothing(api: Api) -> None:
    visit = a_long_visit(api)
    await hold(api, visit)
    granted = await authorize(api, visit)
    await api.deliver(a_claim(visit, attempts=1, status="submitted"), sequence=7)
    await api.deliver(a_claim(visit, status="ready"), sequence=6)
    assert await usage(api, granted["id"]) == {"reserved": 0, "used": 1, "available": 1}


async def test_the_claim_to_a_second_payer_uses_no_units(api: Api) -> None:
    visit = a_long_visit(api)
    await hold(api, visit)
    granted = await authorize(api, visit)
    await api.deliver(a_claim(visit, rank=2, attempts=1, status="submitted"))
    assert await usage(api, granted["id"]) == {"reserved": 1, "used": 0, "available": 1}


async def test_the_published_rule_counts_where_the_answer_is_silent(api: Api, payers: Payers) -> None:
    payers.says["BLBNT"] = (ACTIVE, "EB*B*IND*MH***27*3****N*Y")
    visit = a_long_visit(api)
    await hold(api, visit)
    assert (await checked(api, visit)).authorization == "missing"


async def test_the_payers_word_about_the_procedure_beats_the_published_rule(api: Api, payers: Payers) -> None:
    payers.says["BLBNT"] = (ACTIVE, NEEDED.replace("*Y*Y*", "*N*Y*"))
    visit = a_long_visit(api)
    await hold(api, visit)
    assert (await checked(api, visit)).authorization == "not_required"


async def test_a_payer_that_does_not_know_is_unknown_and_stops_nobody(api: Api, payers: Payers) -> None:
    payers.says["BLBNT"] = (ACTIVE, "EB*B*IND*MH***27*3****U*Y")
    visit = a_long_visit(api, services=[a_service("90834")])
    await hold(api, visit)
    assert (await checked(api, visit)).authorization == "unknown"


async def test_an_eap_session_needs_an_eap_authorization(api: Api) -> None:
    visit = a_visit(api, coverages=[a_coverage(payer_id="pay_summit")], eap=True)
    await hold(api, visit)
    assert (await checked(api, visit)).authorization == "missing"
    summit = {"payer_id": "pay_summit", "codes": []}
    await authorize(api, visit, number="PRIOR1", **summit)
    assert (await checked(api, visit)).authorization == "missing"
    await authorize(api, visit, number="EAP1", kind="eap", **summit)
    told = await checked(api, visit)
    assert (told.authorization, told.estimate_cents) == ("reserved", 0)


async def test_a_number_that_only_the_ehr_knows_is_passed_on(api: Api) -> None:
    visit = a_long_visit(api, authorization_number="Z9")
    await hold(api, visit)
    told = await checked(api, visit)
    assert told.authorization == "unknown"
    assert told.sealed is not None
    assert told.sealed.authorization_number == "Z9"


async def test_somebody_is_told_when_80_percent_of_the_units_are_taken(api: Api) -> None:
    visits = [a_long_visit(api, f"ehr-{n}") for n in range(4)]
    await hold(api, *visits)
    granted = await authorize(api, visits[0], approved_units=5)
    [task] = [one for one in await api.tasks() if one["reason"] == "authorization_nearly_used"]
    assert task["subject_id"] == granted["id"]
    await api.patch(f"/v1/authorizations/{granted['id']}", {"approved_units": 10})
    assert [one for one in await api.tasks() if one["reason"] == "authorization_nearly_used"] == []


async def test_somebody_is_told_two_weeks_before_the_end(api: Api) -> None:
    visit = a_long_visit(api)
    await hold(api, visit)
    await authorize(api, visit, effective_to="2026-10-31")
    await api.run_due()
    assert await api.tasks() == []
    await api.set_clock(datetime(2026, 10, 17, 9, tzinfo=UTC))
    await api.run_due()
    [task] = await api.tasks()
    assert (task["reason"], task["due_on"]) == ("authorization_ending", "2026-10-31")
    await api.set_clock(datetime(2026, 11, 1, 9, tzinfo=UTC))
    await api.run_due()
    assert await api.tasks() == []


async def test_a_session_outside_its_dates_gets_none(api: Api) -> None:
    visit = a_long_visit(api, service_date=date(2026, 9, 30))
    await hold(api, visit)
    await authorize(api, visit)
    assert (await checked(api, visit)).authorization == "missing"


async def test_checks_of_one_patient_at_the_same_moment_share_the_units_by_date(api: Api) -> None:
    visits = [a_long_visit(api, f"ehr-{n}", service_date=VISIT + timedelta(days=5 - n)) for n in range(6)]
    await hold(api, visits[0])
    granted = await authorize(api, visits[0], approved_units=2)
    for visit in visits[1:]:
        await api.deliver(visit)
    await api.run_together()
    outcomes = {
        visit.sealed.service_date: (await checked(api, visit)).authorization for visit in visits if visit.sealed
    }
    assert [outcomes[day] for day in sorted(outcomes)] == ["reserved"] * 2 + ["exhausted"] * 4
    assert await usage(api, granted["id"]) == {"reserved": 2, "used": 0, "available": 0}
