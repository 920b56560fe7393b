"""What the clearinghouse itself does wrong: answers that come late or never, payers off the line."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from libs.common.db import Transaction
from services.sandbox.mailbox import StoredFile
from services.sandbox.pay import chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How the answer to an accepted file goes wrong: so many seconds late, or (0) cut off."""

    seconds: float


async def lateness_of(tx: Transaction, file: StoredFile, body: bytes) -> Lateness | None:
    """The fault that strikes this file's first arrival: a scenario's of one of its claims, or by rate and seed."""
    if not file.new:
        return None
    struck = await tx.scalar(
        sa.text(
            "select faults -> 'timeout_after_accept' from claim "
            "where file_id = :id and faults -> 'timeout_after_accept' is not null order by position limit 1"
        ),
        {"id": file.id},
    )
    if struck is not None:
        return Lateness(seconds=float(struck.get("seconds", 0)))
    rule = await tx.one(sa.text("select timeout_after_accept_rate as rate, seconds, seed from fault"))
    if rule["rate"] and chance(rule["seed"], _content(body)) < rule["rate"]:
        return Lateness(seconds=rule["seconds"])
    return None


def _content(body: bytes) -> str:
    """What a file says, without its numbers and times: the services and charges."""
    kept = [piece for piece in body.split(b"~") if piece.strip().startswith((b"SV1", b"DTP*472", b"NM1*IL"))]
    return hashlib.sha256(b"~".join(kept)).hexdigest()


async def payers_down(tx: Transaction) -> set[str]:
    return set(await tx.scalar(sa.text("select payers_down from fault")))
