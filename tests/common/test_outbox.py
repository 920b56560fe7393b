"""An event leaves with the change that it tells, sealed where it identifies somebody."""

from datetime import date

import orjson
import pytest
import sqlalchemy as sa

from libs.common import outbox
from libs.common.events import AuthorizationChanged, read
from libs.common.events.eligibility import AuthorizationIdentity
from tests.conftest import TestDatabase

CANARY = "AUTH-CANARY-77"


def an_authorization() -> AuthorizationChanged:
    return AuthorizationChanged(
        authorization_id="ath_1",
        patient_id="pat_1",
        practice_id="prc_1",
        payer_id="pay_bluebonnet",
        status="approved",
        unit="visit",
        approved_units=8,
        reserved_units=1,
        consumed_units=2,
        sealed=AuthorizationIdentity(
            number=CANARY, codes=["90837"], effective_from=date(2026, 10, 1), effective_to=date(2026, 12, 31)
        ),
    )


async def values(database: TestDatabase) -> list[bytes]:
    async with database.open("reporting", "worker").transaction() as tx:
        return [row["value"] for row in await tx.all(sa.text("select value from outbox order by id"))]


async def test_an_event_is_written_with_its_change_or_not_at_all(fresh_database: TestDatabase) -> None:
    db = fresh_database.open("reporting", "api")
    with pytest.raises(RuntimeError):  # noqa: PT012  the change fails inside its transaction
        async with db.transaction("tnt_a") as tx:
            await outbox.add(tx, an_authorization(), sequence=1)
            raise RuntimeError("the change fails")
    assert await values(fresh_database) == []
    async with db.transaction("tnt_a", correlation_id="enc_1") as tx:
        await outbox.add(tx, an_authorization(), sequence=1)
    (value,) = await values(fresh_database)
    body = orjson.loads(value)
    assert (body["specversion"], body["type"], body["source"]) == (
        "1.0",
        "authorization.changed.v1",
        "/services/reporting",
    )
    assert (body["subject"], body["sequence"], body["tenantid"]) == ("ath_1", "1", "tnt_a")
    assert body["correlationid"] == "enc_1"


async def test_what_identifies_is_sealed_and_only_our_services_open_it(fresh_database: TestDatabase) -> None:
    async with fresh_database.open("reporting", "api").transaction("tnt_a") as tx:
        await outbox.add(tx, an_authorization(), sequence=1)
    (value,) = await values(fresh_database)
    assert CANARY.encode() not in value
    assert b"90837" not in value
    for_an_analyst = read(value, AuthorizationChanged)
    assert for_an_analyst.data.sealed is None
    assert for_an_analyst.data.approved_units == 8
    for_us = read(value, AuthorizationChanged, fresh_database.keyring.open)
    assert for_us.data == an_authorization()
    assert for_us.sequence == 1


async def test_the_api_may_add_to_the_outbox_and_not_look_into_it(fresh_database: TestDatabase) -> None:
    with pytest.raises(sa.exc.ProgrammingError):
        async with fresh_database.open("reporting", "api").transaction("tnt_a") as tx:
            await tx.all(sa.text("select * from outbox"))
