"""What is asked of the analytics tables and the archive: work lists, events, exports."""

from typing import Any

import orjson
import sqlalchemy as sa

from libs.common.db import Transaction
from services.reporting.facts import TABLES


async def work_by_reason(tx: Transaction) -> dict[str, int]:
    """Open tasks of all services, counted by reason."""
    rows = await tx.all(
        sa.text("select reason, count(*) as n from work where status = 'open' group by reason order by reason")
    )
    return {row["reason"]: row["n"] for row in rows}


async def encounters(tx: Transaction) -> int:
    """How many sessions have come in, however often each was sent again."""
    return int(await tx.scalar(sa.text("select count(*) from encounter")))


async def events_by_topic(tx: Transaction) -> dict[str, int]:
    """How many distinct events of each type are in the archive."""
    rows = await tx.all(sa.text("select type, count(*) as n from record group by type order by type"))
    return {row["type"]: row["n"] for row in rows}


async def events_after(
    tx: Transaction, position: int, limit: int, types: list[str] | None
) -> list[tuple[int, dict[str, Any]]]:
    """The next events in the order in which they became visible here, without their sealed part.

    Only records of transactions older than every one still open are shown, so that none appears behind a cursor.
    """
    rows = await tx.all(
        sa.text(
            "select position, value from record where position > :position "
            "and written_by < pg_snapshot_xmin(pg_current_snapshot()) "
            "and (cast(:types as text[]) is null or type = any(:types)) order by position limit :limit"
        ),
        {"position": position, "types": types, "limit": limit},
    )
    found = []
    for row in rows:
        event = orjson.loads(row["value"])
        event.pop("sealed", None)
        found.append((row["position"], event))
    return found


async def rows_of(tx: Transaction, table: str) -> list[dict[str, Any]]:
    """Every row of an analytics table that the caller may see, in the order of its key.

    Of a clinician's practices, those that the caller may see.
    """
    keys = ", ".join(TABLES[table].keys)
    rows = await tx.all(sa.text(f"select * from reporting.{table} order by {keys}"))
    shown = [{name: value for name, value in row.items() if name not in ("tenant_id", "ordinal")} for row in rows]
    if tx.practice_ids is not None and table == "provider":
        shown = [
            row | {"practice_ids": [one for one in row["practice_ids"] if one in tx.practice_ids]} for row in shown
        ]
    return shown
