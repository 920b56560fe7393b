"""What lies in a mailbox, and from when."""

from datetime import timedelta

import sqlalchemy as sa

from services.sandbox import mailbox
from tests.sandbox.conftest import Sandbox
from tests.sandbox.files import SUBMITTER


async def test_an_answer_is_listed_and_fetched_from_its_time_on(sandbox: Sandbox) -> None:
    async with sandbox.worker.transaction() as tx:
        later = tx.now + timedelta(hours=1)
        await mailbox.deliver(tx, SUBMITTER, "835", b"later", at=later)
        await mailbox.deliver(tx, SUBMITTER, "277CA", b"now", at=tx.now, copies=2)
        await mailbox.deliver(tx, SUBMITTER, "277CA", b"never", at=None)
        assert [row["kind"] for row in await mailbox.mail(tx, SUBMITTER, [])] == ["277CA", "277CA"]
        hidden = await tx.one(sa.text("select id from mail where kind = '835'"))
        assert await mailbox.fetch(tx, SUBMITTER, hidden["id"]) is None
        assert not await mailbox.confirm(tx, SUBMITTER, hidden["id"])
    await sandbox.clock("2026-10-05T19:00:00Z")
    assert await sandbox.mail("835") == [b"later"]
    assert await sandbox.mail() == [b"now", b"now"]


async def test_control_numbers_never_repeat(sandbox: Sandbox) -> None:
    async with sandbox.worker.transaction() as tx:
        numbers = [await mailbox.next_control_number(tx) for _ in range(5)]
    assert len(set(numbers)) == 5
