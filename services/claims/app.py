"""The composition root of claims: the only place that puts its parts together."""

from pathlib import Path

import sqlalchemy as sa
from fastapi import FastAPI

from libs.common import clearinghouse
from libs.common.composition import Service
from libs.common.db import Transaction
from libs.common.http import create_api
from libs.common.settings import ServiceSettings
from libs.common.timers import Timer
from services.claims import acknowledge, appeal, consents, http, intake, learn, lifecycle, next_payer, scrub, submit
from services.claims.domain import IllegalStep
from services.claims.events import CONSUMES, PRODUCES


async def flow(tx: Transaction) -> dict[str, int]:
    """How many batches are in doubt, and how many claims stand where."""
    in_doubt = await tx.scalar(sa.text("select claims.batches_in_doubt()"))
    rows = await tx.all(sa.text("select status, claims from claims.claims_by_status()"))
    return {"in_doubt": int(in_doubt or 0), **{f"claims_{row['status']}": row["claims"] for row in rows}}


def create_service() -> Service:
    return Service(
        name="claims",
        title="From an encounter to an accepted 837, and back again through correction and appeal.",
        migrations=Path(__file__).parent / "migrations",
        routers=(*http.ROUTERS, clearinghouse.routes("claims")),
        consumes=CONSUMES,
        produces=PRODUCES,
        timers=(
            Timer(kind=learn.SCRUB, step=scrub.again),
            Timer(kind=learn.NEXT_PAYER, step=next_payer.again),
            Timer(kind=consents.ENDED, step=consents.ended),
            Timer(kind=next_payer.UNANSWERED, step=next_payer.unanswered),
            Timer(kind=lifecycle.CUT, step=submit.cut),
            Timer(kind=lifecycle.STILL_WAITING, step=lifecycle.still_waiting),
            Timer(kind=submit.SEND, step=submit.send),
            Timer(kind=submit.PULL, step=acknowledge.pull),
            Timer(kind=submit.SILENCE, step=submit.silence),
            Timer(kind=appeal.ANSWER_DUE, step=appeal.overdue),
        ),
        inbound={"ehr": intake.from_ehr},
        problems={IllegalStep: (409, "state_conflict")},
        flow=flow,
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
