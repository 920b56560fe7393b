"""The composition root of reporting."""

from pathlib import Path

from fastapi import FastAPI

from libs.common.composition import Service
from libs.common.http import create_api
from libs.common.settings import ServiceSettings
from services.reporting import deliver, endpoint_routes, http
from services.reporting.events import CONSUMES, PRODUCES


def create_service() -> Service:
    return Service(
        name="reporting",
        title="Analytics, key figures, work lists and events of the whole flow",
        migrations=Path(__file__).parent / "migrations",
        routers=(http.router, endpoint_routes.router),
        consumes=CONSUMES,
        produces=PRODUCES,
        opens_sealed=False,
        timers=(deliver.TIMER,),
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
