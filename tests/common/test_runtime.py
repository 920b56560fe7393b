"""An operator's commands, as a script calls them: what they say, and whether they say that it was done."""

import asyncio
import os
import sys

from libs.common import parking
from libs.common.inbox import Arrival
from libs.common.log import Record
from tests.conftest import TestDatabase


async def parked(database: TestDatabase, *words: str) -> tuple[int | None, str, str]:
    """What `parked …` of claims ends with, and what it writes on each of its two outputs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.claims", "parked", *words),
        env={"PATH": os.environ["PATH"], **database.environment("claims")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_script_sees_whether_a_parked_key_was_shown_replayed_or_dropped(fresh_database: TestDatabase) -> None:
    """One that is not parked, or fails again, ends with 1 and one line on stderr; one that is done, with 0."""
    unknown = "clm_typo is not parked here: see `parked list`\n"
    for words in (["show", "clm_typo"], ["replay", "clm_typo"], ["drop", "clm_typo", "evt", "--why", "typo"]):
        assert await parked(fresh_database, *words) == (1, "", unknown)

    arrival = Arrival.of(Record(topic="payment.posted", partition=0, offset=0, key="clm_1", value=b"{}", headers={}))
    async with fresh_database.open("claims").transaction() as tx:
        await parking.park(tx, arrival, reason=parking.NOT_AN_EVENT, attempts=1)
    code, out, _ = await parked(fresh_database, "list")
    assert (code, out.partition(" ")[0]) == (0, "clm_1")

    code, out, err = await parked(fresh_database, "replay", "clm_1")
    assert (code, out) == (1, "")
    assert f"{arrival.event_id}  payment.posted  failed again: " in err
    code, out, err = await parked(fresh_database, "drop", "clm_1", "another", "--why", "unreadable")
    assert (code, out) == (1, "")
    assert err == "another is not the first record that is parked of clm_1: see `parked show clm_1`\n"

    dropped = f"{arrival.event_id}  payment.posted  dropped\n"
    assert await parked(fresh_database, "drop", "clm_1", str(arrival.event_id), "--why", "unreadable") == (
        0,
        dropped,
        "",
    )
    assert await parked(fresh_database, "list") == (0, "nothing is parked\n", "")
