"""`python -m benchmarks.echo PORT`: the least that a Python server can do: bare Starlette answers what it was sent.

It also takes the spans that a traced service exports, and throws them away.
"""

import gc
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json(), status_code=201)


async def spans(request: Request) -> Response:
    await request.body()
    return Response(status_code=200)


async def livez(_: Request) -> Response:
    return Response("ok")


def main(port: int) -> None:
    routes = [
        Route("/echo", echo, methods=["POST"]),
        Route("/v1/traces", spans, methods=["POST"]),
        Route("/livez", livez),
    ]
    gc.freeze()
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
