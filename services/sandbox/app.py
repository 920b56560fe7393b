"""The composition root of the sandbox."""

from pathlib import Path

from fastapi import FastAPI

from libs.common.composition import Service
from libs.common.http import create_api
from libs.common.settings import ServiceSettings
from libs.common.timers import Timer
from services.sandbox import clearinghouse, clock, control, night, observe


def create_service() -> Service:
    return Service(
        name="sandbox",
        title="A simulated clearinghouse and five payers that speak X12, with a clock to move.",
        migrations=Path(__file__).parent / "migrations",
        routers=(clearinghouse.router, clock.router, control.router, observe.router),
        timers=(Timer(kind=night.NIGHT, step=night.run),),
    )


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_api(create_service(), settings)
