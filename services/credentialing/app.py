"""The composition root of credentialing: the only place that puts its parts together."""

from pathlib import Path

from fastapi import FastAPI

from libs.common.composition import Service
from libs.common.http import create_api
from libs.common.settings import ServiceSettings
from libs.common.timers import Timer
from services.credentialing import clinicians, enroll, expire, http
from services.credentialing.domain import IllegalStep, Undated
from services.credentialing.events import CONSUMES, PRODUCES


def create_service() -> Service:
    return Service(
        name="credentialing",
        title="Who may bill which payer, at which place, on which dates of service.",
        migrations=Path(__file__).parent / "migrations",
        routers=http.ROUTERS,
        consumes=CONSUMES,
        produces=PRODUCES,
        timers=(
            Timer(kind=clinicians.TELL, step=clinicians.tell_later),
            Timer(kind=enroll.BEGIN, step=enroll.begin),
            Timer(kind=enroll.FOLLOW_UP, step=enroll.follow_up),
            Timer(kind=expire.EXPIRING, step=expire.notify),
        ),
        problems={IllegalStep: (409, "state_conflict"), Undated: (422, "dates_missing")},
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
