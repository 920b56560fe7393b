"""Every morning the clearinghouse's mailbox is emptied of remittances: fetched, stored, then confirmed."""

from datetime import time

from libs.common import timers
from libs.common.clearinghouse import HttpClearinghouse, account_of, zone_of
from libs.common.clock import next_time
from libs.common.crashpoints import crashpoint
from libs.common.db import Transaction
from libs.common.timers import Due, Work
from services.remittance import receive

KIND = "remittance.pull"
AT = time(6)
"""Local where the clearinghouse has its day; it releases remittances in the night."""


async def start(tx: Transaction) -> None:
    """The tenant's mailbox is emptied every morning from now on."""
    await timers.set(tx, KIND, tx.tenant, at=next_time(tx.now, AT, await zone_of(tx)))


async def pull(work: Work, due: Due) -> None:
    """What waits in the mailbox is ours, and the next morning is set.

    An item is confirmed only after it is stored, so that a crash between the two brings it again; the bytes are known
    then, and nothing is taken twice.
    """
    async with work.db.transaction(due.tenant_id) as tx:
        account = await account_of(tx)
    if account is not None:
        clearinghouse = HttpClearinghouse(work.http, account, local=work.settings.local)
        for item in await clearinghouse.mailbox(["835"]):
            raw = await clearinghouse.fetch(item.id)
            async with work.db.transaction(due.tenant_id) as tx:
                try:
                    await receive.take_in(tx, raw, source="mailbox", reference=item.id)
                except receive.Unreadable:
                    await receive.keep_unreadable(tx, raw, source="mailbox", reference=item.id)
            crashpoint("era.stored")
            await clearinghouse.confirm(item.id)
    async with work.db.transaction(due.tenant_id) as tx:
        if account is not None:
            await start(tx)
        await timers.done(tx, due)
