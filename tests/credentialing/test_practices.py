"""Practices and locations: what is refused, what is told, who may see them."""

from libs.common.events.credentialing import LocationChanged, PracticeChanged
from tests.calls import Api
from tests.credentialing import organisation as org


async def test_a_practice_is_told_with_its_identity_sealed(api: Api) -> None:
    practice_id = await org.practice(api, pay_to={"line1": "PO Box 9", "city": "Austin", "state": "TX", "zip": "78767"})
    [told] = await api.envelopes(PracticeChanged)
    assert (told.subject, told.sequence, told.data.status) == (practice_id, 1, "active")
    assert told.data.sealed.npi == "1999999992"
    assert told.data.sealed.pay_to.line1 == "PO Box 9"


async def test_a_billing_address_is_a_street_with_zip_plus_four(api: Api) -> None:
    box = org.STREET | {"line1": "PO Box 9"}
    short = org.STREET | {"zip": "78701"}
    for address, pointer in ((box, "/address"), (short, "/address/zip")):
        answer = await api.call("POST", "/v1/practices", org.a_practice(address=address))
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_number_that_is_no_npi_is_refused_without_being_repeated(api: Api) -> None:
    answer = await api.call("POST", "/v1/practices", org.a_practice(npi="1999999993"))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/npi")
    assert "1999999993" not in answer.text


async def test_a_second_practice_with_the_same_npi_is_a_conflict(api: Api) -> None:
    await org.practice(api)
    answer = await api.call("POST", "/v1/practices", org.a_practice())
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_resource")


async def test_a_change_needs_the_version_that_was_read(api: Api) -> None:
    practice_id = await org.practice(api)
    path = f"/v1/practices/{practice_id}"
    assert (await api.call("PATCH", path, {"name": "Brighter"})).status_code == 428
    changed = await api.patch(path, {"name": "Brighter", "phone": "5125550100"}, version=1)
    assert (changed["name"], changed["version"], changed["tin"]) == ("Brighter", 2, "741234567")
    assert (await api.call("PATCH", path, {"name": "Dim"}, If_Match='"1"')).status_code == 412
    assert [event.sequence for event in await api.envelopes(PracticeChanged)] == [1, 2]


async def test_a_required_field_cannot_be_taken_away(api: Api) -> None:
    practice_id = await org.practice(api)
    answer = await api.call("PATCH", f"/v1/practices/{practice_id}", {"name": None}, If_Match="1")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/name")


async def test_another_tenant_finds_nothing(api: Api) -> None:
    practice_id = await org.practice(api)
    stranger = api.token(tenant_id="tnt_other")
    assert (await api.call("GET", f"/v1/practices/{practice_id}", token=stranger)).status_code == 404
    assert (await api.get("/v1/practices", token=stranger))["data"] == []


async def test_a_caller_for_one_practice_sees_only_that_one(api: Api) -> None:
    mine = await org.practice(api)
    other = await org.practice(api, npi="1234567893", name="Elsewhere")
    narrow = api.token(practice_ids=[mine])
    assert [row["id"] for row in (await api.get("/v1/practices", token=narrow))["data"]] == [mine]
    assert (await api.call("GET", f"/v1/practices/{other}", token=narrow)).status_code == 404


async def test_a_location_is_told_and_can_be_corrected(api: Api) -> None:
    practice_id = await org.practice(api)
    location_id = await org.location(api, practice_id)
    changed = await api.patch(f"/v1/locations/{location_id}", {"address": org.TULSA}, version=1)
    assert changed["address"]["state"] == "OK"
    told = await api.told(LocationChanged)
    assert [(event.practice_id, event.place_of_service) for event in told] == [(practice_id, "11")] * 2
    assert told[-1].sealed.address.city == "Tulsa"
    assert [row["id"] for row in (await api.get(f"/v1/locations?practice_id={practice_id}"))["data"]] == [location_id]


async def test_a_location_needs_a_practice(api: Api) -> None:
    body = {"practice_id": "prc_nobody", "name": "Main", "address": org.STREET}
    answer = await api.call("POST", "/v1/locations", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/practice_id")
