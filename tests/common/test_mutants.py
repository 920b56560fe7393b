"""A broken design that the storm has to catch is really broken."""

import pytest
import sqlalchemy as sa

from libs.common import mutants, outbox
from tests.common.test_outbox import an_authorization
from tests.conftest import TestDatabase


async def test_an_event_published_outside_the_transaction_outlives_the_change_that_it_tells(
    fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "add", outbox.add)  # as it was, once this test is over
    mutants.published_outside_the_transaction()
    with pytest.raises(RuntimeError):  # noqa: PT012  the change fails inside its transaction
        async with fresh_database.open("reporting", "api").transaction("tnt_a") as tx:
            await outbox.add(tx, an_authorization(), sequence=1)
            raise RuntimeError("the change fails")
    async with fresh_database.open("reporting", "worker").transaction() as tx:
        assert await tx.scalar(sa.text("select count(*) from outbox")) == 1
