"""Every route that writes, asked by somebody of one practice for what is another's, or of all of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

import httpx

from deploy.local.demo.practice import npi
from libs.common.ids import uuid7
from tests.contracts.generate import SERVICES
from tests.platform import DATA, Scenario
from tests.promises.made_up import operations, right
from tests.promises.neighbours import Neighbours, filled

BY_OTHER_MEANS = {
    "POST /v1/inbound/{source_id}": "no token: the source's signature, and what is mapped keeps to its practice",
}
"""Routes that ask for no practice of the caller, each with its reason. A new route is refused here, or has one."""
OF_NO_PRACTICE = ("tsk", "src", "inm", "whe")
"""Kinds of things that may be of no practice, and so of all."""
WRITES = ("post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a route."""

    service: str
    name: str
    method: str
    path: str
    body: Any

    @property
    def by_id(self) -> bool:
        return "{" in self.name


async def somebody_keeps_things_of_no_practice(who: Scenario) -> None:
    """There are sources and an endpoint of all practices, and work that is nobody's of one."""
    for service, kind in (("eligibility", "ehr"), ("claims", "ehr"), ("remittance", "era")):
        source = await who.client.post(service, "/v1/webhook-sources", {"kind": kind, "name": "Everybody's"})
        await who.client.webhook(service, source, "msg-1", {"nobody": "can read this"})
    nowhere = {"url": "http://127.0.0.1:9/", "event_types": ["denial.raised.v1"]}
    await who.client.post("reporting", "/v1/webhook-endpoints", nowhere)
    await who.quiet()


async def attempts(neighbours: Neighbours, theirs: dict[str, list[str]]) -> list[Attempt]:
    """For each route that writes: each thing of theirs that its path may name; with a body that names theirs."""
    found: list[Attempt] = []
    client, mine = neighbours.one.client, neighbours.beside.practice_id
    known = await client.everything("eligibility", "/v1/patients", practice_id=mine)  # not who was never billed for
    theirs = theirs | {"pat": [one["id"] for one in known]}
    for service in SERVICES:
        document = (await client.http.get(neighbours.platform.urls[service] + "/openapi.json")).json()
        for operation in operations(document):
            name = f"{operation.method.upper()} {operation.path}"
            if operation.method not in WRITES or name in BY_OTHER_MEANS:
                continue
            for path in filled(operation.path, theirs):
                for body in _bodies(neighbours, document, operation, theirs):
                    if (service, operation.path) == ("remittance", "/v1/webhook-sources"):
                        body["kind"] = "era"
                    found.append(Attempt(service, f"{service} {name}", operation.method.upper(), path, body))
    return sorted(found, key=lambda each: each.method == "DELETE")  # what is gone lets nobody in any more


async def ask(neighbours: Neighbours, attempt: Attempt, practice_ids: list[str] | None) -> httpx.Response:
    """The request by somebody who may do everything, in these practices."""
    token = neighbours.platform.token(tenant_id=neighbours.one.client.tenant_id, practice_ids=practice_ids)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid7().hex, "If-Match": "*"}
    how: dict[str, Any] = {"json": attempt.body}
    if isinstance(attempt.body, bytes):
        how = {"content": attempt.body}
        headers["Content-Type"] = "application/edi-x12"
    url = neighbours.platform.urls[attempt.service] + attempt.path
    return await neighbours.one.client.http.request(attempt.method, url, headers=headers, **how)


def refused(attempt: Attempt, answer: httpx.Response) -> bool:
    """Not there, or not theirs to change; a body may also name what is not there."""
    return _statuses(answer) <= ({403, 404} if attempt.by_id else {403, 404, 422})


def gets_through(attempt: Attempt, answer: httpx.Response) -> bool:
    """Whether who may see all practices is let in: what is refused to them too shows nothing.

    A thing that is found need not be in a state that fits, nor a made-up body fit the thing.
    """
    let_in = {200, 201, 202, 204, 409} | ({422} if attempt.by_id else set())
    return not let_in.isdisjoint(_statuses(answer))


def _statuses(answer: httpx.Response) -> set[int]:
    """What was answered; of a batch, to each of its items."""
    if answer.status_code == httpx.codes.MULTI_STATUS:
        return {item["status"] for item in answer.json()["data"]}
    return {answer.status_code}


def _bodies(
    neighbours: Neighbours, document: dict[str, Any], operation: Any, theirs: Mapping[str, list[str]]
) -> Iterable[Any]:
    """What the document gives as an example, about the other practice; and about none, where that may be left out."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    schemas = [one["schema"] for kind, one in content.items() if "json" in kind]
    if not schemas:
        yield _remittance(neighbours) if content else None
        return
    schema = _resolved(document, schemas[0])
    many = schema.get("type") == "array"
    [example, *_] = schema.get("examples") or [right(operation, 1)[0].body]
    body = _theirs(neighbours, example[0] if many else example, theirs)
    may_be_none = "practice_id" in schema.get("properties", {}) and "practice_id" not in schema.get("required", ())
    if may_be_none:
        yield body | {"practice_id": None}
        body |= {"practice_id": neighbours.beside.practice_id}
    yield [body] if many else body


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema
    while "$ref" in found:
        found = document["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return found


def _theirs(neighbours: Neighbours, example: dict[str, Any], theirs: Mapping[str, list[str]]) -> dict[str, Any]:
    """The example, whatever it names being the other practice's, or new."""
    beside, number = neighbours.beside, uuid7().int
    about = {
        "practice_id": beside.practice_id,
        "practice_ids": [beside.practice_id],
        "location_ids": None,
        "url": "http://127.0.0.1:9/",
        "external_id": f"x-{number}",
        "npi": npi(f"1{number % 10**8:08d}"),
    } | {name: theirs[kind][0] for name, kind in (("patient_id", "pat"), ("coverage_id", "cov"), ("claim_id", "clm"))}
    about["provider_id"] = theirs["prv"][0]
    return example | {name: value for name, value in about.items() if name in example}


def _remittance(neighbours: Neighbours) -> bytes:
    """An 835 whose payee is the other practice."""
    number = uuid7().int
    text = Template((DATA / "835/partial_payment.x12").read_text()).substitute(
        pcn=f"P{number % 10**9}",
        icn="HB1",
        date="20261008",
        served="20261005",
        npi=neighbours.beside.practice.npi,
        trace=f"T{number % 10**12:012d}",
    )
    return re.sub(r"\n", "", text).encode()
