"""The composition root of remittance: the only place that puts its parts together."""

from pathlib import Path

import sqlalchemy as sa
from fastapi import FastAPI

from libs.common.composition import Reading, Service
from libs.common.db import Transaction
from libs.common.http import FieldError, Invalid, create_api
from libs.common.settings import ServiceSettings
from libs.common.timers import Timer
from libs.common.webhooks import InboundMessage, Written
from services.remittance import classify, http, post, pull, receive
from services.remittance.events import CONSUMES, PRODUCES
from services.remittance.patients import NothingToRefund


async def take_era(tx: Transaction, message: InboundMessage) -> Written:
    """An 835 that somebody posts to a webhook is taken like any other."""
    try:
        taken = await receive.take_in(
            tx, message.body, source="webhook", reference=message.webhook_id, practice_id=message.practice_id
        )
    except receive.Unreadable:
        raise Invalid([FieldError("", "unreadable_835", "No remittance (835) could be read.")]) from None
    return Written("remittance", taken.era_ids, message.practice_id)


async def _imbalance(tx: Transaction) -> dict[tuple[str, ...], float]:
    return {(): float(await tx.scalar(sa.text("select remittance.ledger_imbalance_cents()")))}


IMBALANCE = Reading(
    name="parity_ledger_imbalance_cents",
    words="By how many cents debits and credits differ, over all tenants; the database refuses anything but 0.",
    read=_imbalance,
    every_seconds=600,
)
"""The only figure that reads all of its table, by an index, so it is read rarely."""


def create_service() -> Service:
    return Service(
        name="remittance",
        title="From an 835 to the ledger, the bank, and what the patient owes.",
        migrations=Path(__file__).parent / "migrations",
        routers=http.ROUTERS,
        consumes=CONSUMES,
        produces=PRODUCES,
        timers=(
            Timer(kind=post.KIND, step=post.post_remittance),
            Timer(kind=pull.KIND, step=pull.pull),
            Timer(kind=classify.KIND, step=classify.classify_claim),
        ),
        inbound={"era": take_era},
        problems={NothingToRefund: (409, "nothing_to_refund")},
        readings=(IMBALANCE,),
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
