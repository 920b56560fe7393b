"""An event is known by its id: the second time it has no effect, a replay has one more."""

import json
from uuid import uuid4

import pytest

from libs.common import inbox
from libs.common.inbox import REPLAY_RUN, REPLAY_TO, Arrival
from libs.common.log import Record
from tests.common.log.dock import Dock
from tests.common.log.worlds import EmbeddedWorld, Harbour


@pytest.fixture
async def world(harbour: Harbour) -> EmbeddedWorld:
    return EmbeddedWorld(harbour)


def a_record(*, value: bytes | None = None, headers: dict[str, str] | None = None, **changes: object) -> Record:
    body = {"id": str(uuid4()), "tenantid": "tnt_a", "correlationid": "enc_1"} | changes
    return Record(
        topic="test.docked",
        partition=0,
        offset=0,
        key="shp_a",
        value=json.dumps(body).encode() if value is None else value,
        headers=headers or {},
    )


def test_an_arrival_knows_its_event_its_tenant_and_what_it_belongs_to() -> None:
    arrival = Arrival.of(a_record(id="0192f0c0-0000-7000-8000-000000000001"))
    assert str(arrival.event_id) == "0192f0c0-0000-7000-8000-000000000001"
    assert (arrival.tenant_id, arrival.correlation_id, arrival.readable) == ("tnt_a", "enc_1", True)


@pytest.mark.parametrize("value", [b"", b"\xff\xfe", b"[]", b"null", b'{"id": "x"}', b'{"id": 1, "tenantid": ""}'])
def test_what_is_no_event_is_an_arrival_that_cannot_be_read_and_is_known_again_by_its_bytes(value: bytes) -> None:
    first, again = Arrival.of(a_record(value=value)), Arrival.of(a_record(value=value))
    assert not first.readable
    assert first.tenant_id is None
    assert first.event_id == again.event_id


def test_a_replayed_record_is_for_its_group_only_and_each_run_counts_anew() -> None:
    plain = a_record()
    runs = [Arrival.of(a_record(value=plain.value, headers={REPLAY_TO: "reporting", REPLAY_RUN: run})) for run in "112"]
    original = Arrival.of(plain)
    assert original.is_for("claims")
    assert [run.is_for("reporting") for run in runs] == [True] * 3
    assert not runs[0].is_for("claims")
    assert {run.event_id for run in runs} == {original.event_id}
    assert runs[0].inbox_id == runs[1].inbox_id
    assert len({original.inbox_id, runs[0].inbox_id, runs[2].inbox_id}) == 3


async def test_the_first_time_is_once_and_what_was_rolled_back_never_was(dock: Dock) -> None:
    arrivals = [Arrival.of(a_record()) for _ in range(3)]

    async def fail() -> None:
        async with dock.db.transaction("tnt_a") as tx:
            assert await inbox.first_time(tx, arrivals[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with dock.db.transaction("tnt_a") as tx:
        assert await inbox.first_times(tx, [arrivals[0], arrivals[1], arrivals[1]]) == {
            a.inbox_id for a in arrivals[:2]
        }
    async with dock.db.transaction("tnt_a") as tx:
        assert await inbox.first_times(tx, arrivals) == {arrivals[2].inbox_id}
        await inbox.forget(tx, [arrivals[2]])
        assert await inbox.first_time(tx, arrivals[2])


async def test_notes_are_kept_until_they_are_older_than_asked(dock: Dock) -> None:
    async with dock.db.transaction("tnt_a") as tx:
        await inbox.first_time(tx, Arrival.of(a_record()))
        assert await inbox.purge(tx, older_than_days=1) == 0
    async with dock.db.transaction("tnt_a") as tx:
        assert await inbox.purge(tx, older_than_days=0) == 1
