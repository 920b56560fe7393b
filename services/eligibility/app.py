"""The composition root of eligibility: the only place that puts its parts together."""

from pathlib import Path

from fastapi import FastAPI

from libs.common import clearinghouse
from libs.common.composition import Service
from libs.common.http import create_api
from libs.common.settings import ServiceSettings
from libs.common.timers import Timer
from services.eligibility import authorize, check, http, intake
from services.eligibility.domain import IllegalStep
from services.eligibility.events import CONSUMES, PRODUCES


def create_service() -> Service:
    return Service(
        name="eligibility",
        title="Is the patient covered, what will they owe, and are there authorized units.",
        migrations=Path(__file__).parent / "migrations",
        routers=(*http.ROUTERS, clearinghouse.routes("eligibility")),
        consumes=CONSUMES,
        produces=PRODUCES,
        timers=(
            Timer(kind=check.CHECK, step=check.make),
            Timer(kind=authorize.ENDING, step=authorize.ending),
        ),
        inbound={"ehr": intake.on_ehr_message},
        problems={IllegalStep: (409, "state_conflict")},
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
