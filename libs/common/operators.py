"""What an operator asks a process: whether it lives, is ready, is quiet, and what it has counted."""

from collections.abc import Mapping

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from libs.common import metrics, migrations
from libs.common.composition import Service
from libs.common.db import Database
from libs.common.log import EventLog
from libs.common.readings import AWAY, Readings, flow


def page(service: Service, db: Database, event_log: EventLog) -> Starlette:
    """`/livez`, `/readyz`, `/metrics` and `/flow` of a worker."""
    readings = Readings(service, db, event_log)

    async def answer_flow(_: Request) -> Response:
        try:
            return JSONResponse(await flow(service, db, event_log))
        except AWAY as error:
            return JSONResponse({"unavailable": type(error).__name__}, status_code=503)

    async def answer_metrics(_: Request) -> Response:
        return Response(metrics.text() + await readings.text(), media_type=metrics.CONTENT_TYPE)

    return Starlette(
        routes=[*probes(service, db), Route("/flow", answer_flow), Route("/metrics", answer_metrics)],
    )


def probes(service: Service, db: Database) -> list[Route]:
    """Liveness: the loop answers. Readiness: the database answers and is migrated; the event log does not matter."""

    histories = {"kernel_version": migrations.KERNEL, "alembic_version": service.migrations}

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        try:
            at = await revisions(db)
        except AWAY:
            return PlainTextResponse("the database does not answer\n", status_code=503)
        if any(migrations.lacks(history, at[table]) for table, history in histories.items()):
            return PlainTextResponse("migrations are not at head\n", status_code=503)
        return PlainTextResponse("ok\n")

    return [Route("/livez", livez, include_in_schema=False), Route("/readyz", readyz, include_in_schema=False)]


async def revisions(db: Database) -> Mapping[str, str | None]:
    """The revisions at which the service's schema stands, by the table that holds each; none where it holds nothing."""
    async with db.transaction() as tx:
        tables = await tx.all(_VERSIONED)
        found = {str(row["name"]): await tx.scalar(sa.text(f"select version_num from {row['name']}")) for row in tables}
    return {"kernel_version": None, "alembic_version": None, **found}


_VERSIONED = sa.text(
    "select t as name from unnest(array['kernel_version', 'alembic_version']) t where to_regclass(t) is not null"
)


async def counted(_: Request) -> Response:
    """What an API's process has counted."""
    return Response(metrics.text(), media_type=metrics.CONTENT_TYPE)
