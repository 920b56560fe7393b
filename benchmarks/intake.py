"""`POST /v1/encounters` with everything on, beside an echo of the same body by bare Starlette.

One process each (uvicorn), one client with 32 connections, so that no server waits for its callers, in turns: a round
of the echo, a round of each API. The ratio is the median over the rounds; what it is with fewer callers and with more
stands beside it. Spans are exported to a server that throws
them away. The practice and its clinician are known, as they are to a service at work: each session waits for the
payer's answer.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count, islice

import orjson

from benchmarks.client import drive, request
from benchmarks.figures import Figure, middle
from benchmarks.sessions import know_practice, posts, session
from benchmarks.stage import Stage
from deploy.local.postmaster import free_port

ROUNDS = 5
POSTS = 600
CALLERS = 32
OTHERS = (8, 64)
ECHOES = 3000
TENANT = "tnt_bench"


async def measure(stage: Stage) -> list[Figure]:
    """Intake against the echo, tracing off and at 10 %, and tracing of all requests against none."""
    await know_practice(stage, TENANT)
    sink = free_port()
    with ExitStack() as running:
        running.enter_context(stage.process("benchmarks.echo", str(sink), port=sink, path="/livez"))
        ports = {"off": running.enter_context(stage.api("claims"))}
        for name, share in (("tenth", "0.1"), ("all", "1")):
            traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink}", "OTEL_TRACES_SAMPLER_ARG": share}
            ports[name] = running.enter_context(stage.api("claims", traced))
        numbers = count()
        rates = await _rounds(stage, sink, ports, CALLERS, numbers)
        others = {n: await _rounds(stage, sink, {"off": ports["off"]}, n, numbers) for n in OTHERS}
    echo = rates.pop("echo")
    seen = {name: f"{middle(found):.0f}/s of {middle(echo):.0f}/s" for name, found in rates.items()}
    seen["off"] += "".join(f"; {_of(*found.values()):.3f} with {callers} callers" for callers, found in others.items())
    of_echo = {name: _of(echo, found) for name, found in rates.items()}
    traced_of_untraced = _of(rates["off"], rates["all"])
    return [
        Figure(name="intake, tracing 10 %, of a bare echo", value=of_echo["tenth"], target=0.06, seen=seen["tenth"]),
        Figure(name="intake, tracing off, of a bare echo", value=of_echo["off"], target=0.10, seen=seen["off"]),
        Figure(name="intake, tracing all, of tracing off", value=traced_of_untraced, target=0.6, seen=seen["all"]),
    ]


def _of(base: list[float], found: list[float]) -> float:
    return middle([a / b for a, b in zip(found, base, strict=True)])


async def _rounds(
    stage: Stage, sink: int, ports: dict[str, int], callers: int, numbers: Iterator[int]
) -> dict[str, list[float]]:
    """Requests per second of each, round by round; the first round warms everything up and does not count."""
    echo = [request("/echo", orjson.dumps(session(0)))] * ECHOES
    rates: dict[str, list[float]] = {name: [] for name in ("echo", *ports)}
    for index in range(ROUNDS + 1):
        found = {"echo": (await drive(sink, echo, connections=callers)).per_second}
        for name, port in ports.items():
            sessions = posts(stage, TENANT, islice(numbers, POSTS))
            found[name] = (await drive(port, sessions, connections=callers)).per_second
            await asyncio.sleep(0.3)  # what is left to export is exported in nobody's time
        if not index:
            await stage.settle()
        for name, rate in found.items() if index else ():
            rates[name].append(rate)
    return rates
