"""The composition root of claims: the only place that puts its parts together."""

from pathlib import Path

import sqlalchemy as sa
from fastapi import FastAPI

from libs.common import clearinghouse
from libs.common.composition import Reading, Service
from libs.common.db import Transaction
from libs.common.http import create_api
from libs.common.settings import ServiceSettings
from libs.common.timers import Timer
from services.claims import acknowledge, appeal, consents, http, intake, learn, lifecycle, next_payer, scrub, submit
from services.claims.domain import IllegalStep, Status
from services.claims.events import CONSUMES, PRODUCES


async def flow(tx: Transaction) -> dict[str, int]:
    """How many batches were sent without their outcome being known."""
    return {"in_doubt": int(await tx.scalar(sa.text("select claims.batches_in_doubt()")) or 0)}


async def _open_claims(tx: Transaction) -> dict[tuple[str, ...], float]:
    rows = await tx.all(sa.text("select status, claims from claims.claims_by_status()"))
    return {(status.value,): 0.0 for status in Status if status not in DONE} | {
        (row["status"],): row["claims"] for row in rows
    }


async def _oldest_in_doubt(tx: Transaction) -> dict[tuple[str, ...], float]:
    since = await tx.scalar(sa.text("select claims.oldest_in_doubt()"))
    return {(): (tx.now - since).total_seconds() if since else 0.0}


DONE = frozenset({Status.PAID, Status.CLOSED, Status.VOID})
READINGS = (
    Reading(
        name="parity_claims_open",
        words="Claims that are not paid, closed or void, by status.",
        labels=("status",),
        read=_open_claims,
    ),
    Reading(
        name="parity_claim_in_doubt_oldest_seconds",
        words="Business time since the oldest batch was stored of which it is not known whether it arrived.",
        read=_oldest_in_doubt,
    ),
)


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
            Timer(kind=submit.UNDECIDED, step=submit.undecided),
            Timer(kind=appeal.ANSWER_DUE, step=appeal.overdue),
        ),
        inbound={"ehr": intake.from_ehr},
        problems={IllegalStep: (409, "state_conflict")},
        tied_tasks={
            "denial": "correct it, appeal, write it off or bill the patient",
            "appeal": "say what the payer answered",
        },
        flow=flow,
        readings=READINGS,
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
