"""Parked keys: what an operator sees of them, and what a replay does."""

import json

import pytest
import sqlalchemy as sa

from libs.common import inbox, parking
from libs.common.ids import uuid7
from libs.common.inbox import Arrival
from libs.common.log import Record
from tests.common.log.dock import Damaged, Dock
from tests.common.log.worlds import EmbeddedWorld, Harbour
from tests.common.test_consumer import a_record


@pytest.fixture
async def world(harbour: Harbour) -> EmbeddedWorld:
    return EmbeddedWorld(harbour)


@pytest.fixture
async def parked(dock: Dock) -> list[Record]:
    """Three records of ship `a`, the first a poison."""
    records = [a_record(dock, "a", number) for number in range(3)]
    dock.poison.add(("a", 0))
    await dock.inlet().take(records)
    return records


async def test_an_operator_sees_each_parked_key_once_with_its_reason(dock: Dock, parked: list[Record]) -> None:
    dock.poison.add(("b", 0))
    await dock.inlet().take([a_record(dock, "b", 0), a_record(dock, "c", 0)])
    first, second = await parking.list_parked(dock.db)
    assert first.startswith("shp_a  3 parked since 2")
    assert dock.topic in first
    assert "tnt_harbour  Damaged at " in first
    assert second.startswith("shp_b  1 parked since 2")


async def test_showing_a_key_shows_its_records_in_order_and_nothing_that_is_sealed(dock: Dock) -> None:
    dock.poison.add(("a", 0))
    await dock.inlet().take([a_record(dock, "a", 0, sealed="k1.c2VjcmV0"), a_record(dock, "a", 1)])
    lines = await parking.show(dock.db, "shp_a")
    assert "after 2 tries: Damaged at" in lines[0]
    assert json.loads(lines[1])["data"] == {"ship_id": "shp_a", "number": 0}
    assert json.loads(lines[1])["sealed"] == "…"
    assert "after 0 tries: an earlier record of this key is parked" in lines[2]
    assert "c2VjcmV0" not in "".join(lines)


async def test_a_key_that_is_not_parked_is_said_to_be_so(dock: Dock) -> None:
    assert await parking.list_parked(dock.db) == ["nothing is parked"]
    for asked in (
        parking.show(dock.db, "shp_z"),
        parking.replay(dock.db, "shp_z", dock.handlers(), dock.events),
        parking.drop(dock.db, "shp_z", str(uuid7()), "a slip of the pen"),
    ):
        with pytest.raises(parking.NotDone, match=r"^shp_z is not parked here: see `parked list`$"):
            await asked


async def test_a_replay_stops_at_the_first_record_that_fails_again(dock: Dock, parked: list[Record]) -> None:
    dock.poison = {("a", 1)}
    with pytest.raises(parking.NotDone) as stopped:
        await parking.replay(dock.db, "shp_a", dock.handlers(), dock.events)
    applied, failed = stopped.value.args
    assert applied.endswith("applied")
    assert "failed again: Damaged at " in failed
    assert await dock.effects("a") == [0]
    assert [row["attempts"] for row in await dock.query("select attempts from parked order by id")] == [1, 0]

    dock.poison.clear()
    assert len(await parking.replay(dock.db, "shp_a", dock.handlers(), dock.events)) == 2
    assert await dock.effects("a") == [0, 1, 2]


async def test_what_was_replayed_has_no_second_effect_when_the_log_brings_it_again(
    dock: Dock, parked: list[Record]
) -> None:
    dock.poison.clear()
    await parking.replay(dock.db, "shp_a", dock.handlers(), dock.events)
    await dock.inlet().take(parked)
    assert await dock.effects("a") == [0, 1, 2]


async def test_what_is_parked_is_parked_once_however_often_the_log_brings_it(dock: Dock, parked: list[Record]) -> None:
    await dock.inlet().take(parked)
    await dock.inlet().take([*parked, *parked])
    assert await dock.count("parked") == 3
    assert await dock.count("inbox") == 0


async def test_what_had_its_effect_before_its_key_was_parked_is_not_parked_behind(dock: Dock) -> None:
    done = a_record(dock, "a", 0)
    await dock.inlet().take([done])
    dock.poison.add(("a", 1))
    await dock.inlet().take([a_record(dock, "a", 1)])
    await dock.inlet().take([done])
    assert await dock.count("parked") == 1
    assert await dock.effects("a") == [0]


async def test_a_key_that_is_free_again_is_not_parked_behind(dock: Dock, parked: list[Record]) -> None:
    arrival = Arrival.of(a_record(dock, "a", 9))
    dock.poison.clear()
    await parking.replay(dock.db, "shp_a", dock.handlers(), dock.events)
    async with dock.db.transaction("tnt_a") as tx:
        assert not await parking.park_behind(tx, arrival)
        assert await inbox.first_time(tx, arrival)


async def test_what_is_given_up_has_no_effect_even_when_it_comes_again_and_the_rest_can_go_on(
    dock: Dock, parked: list[Record]
) -> None:
    first, second = (str(Arrival.of(record).event_id) for record in parked[:2])
    with pytest.raises(parking.NotDone, match=r"not the first .*: see `parked show shp_a`"):
        await parking.drop(dock.db, "shp_a", second, "a look at the wrong one")
    (dropped,) = await parking.drop(dock.db, "shp_a", first, "unreadable")
    assert dropped.endswith("dropped")
    dock.poison.clear()
    assert len(await parking.replay(dock.db, "shp_a", dock.handlers(), dock.events)) == 2
    await dock.inlet().take(parked)
    assert await dock.effects("a") == [1, 2]
    async with dock.db.transaction("tnt_harbour") as tx:
        line = await tx.one(sa.text("select actor, action, subject_id, why from audit"))
    assert tuple(line.values()) == ("operator", "parked.drop", first, "unreadable")


def test_a_reason_names_the_kind_and_the_place_and_never_the_text() -> None:
    assert parking.reason_of(Damaged("Jane Doe")) == "Damaged at unknown place"
