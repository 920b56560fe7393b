"""Tenants side by side: who is there, what they hold, and every route that could show it to the wrong one."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from deploy.local.platform import Platform
from tests.contracts.generate import SERVICES
from tests.platform import Scenario

NO_POLICY = {
    "outbox": "rows of every tenant wait for the relay; the api role may only insert",
    "sent": "what the relay has moved; the worker's only",
    "inbox": "ids of events, and nothing else",
    "parked": "the worker sets the tenant for each record that it replays",
    "timer": "what is due, found in every tenant's stead by functions",
    "alembic_version": "the schema's own revision",
    "kernel_version": "the revision of what every schema has",
}
"""Tables without row-level security, and why."""
_ID = re.compile(r"^[a-z]{2,4}_[0-9a-z]{8,48}$")
KINDS = {
    "patient_id": "pat",
    "coverage_id": "cov",
    "authorization_id": "ath",
    "check_id": "elg",
    "encounter_id": "enc",
    "claim_id": "clm",
    "denial_id": "dnl",
    "appeal_id": "apl",
    "consent_id": "cns",
    "era_id": "era",
    "answer_id": "erc",
    "write_off_id": "pwo",
    "practice_id": "prc",
    "location_id": "loc",
    "provider_id": "prv",
    "enrollment_id": "enr",
    "task_id": "tsk",
    "endpoint_id": "whe",
    "delivery_id": "dlv",
    "source_id": "src",
    "message_id": "inm",
    "deposit_id": "dep",
}
"""Which ids a path's parameter takes, where more than a few of that kind have to be tried."""
EXPORTED = ("claim", "provider")
_DATES = {"from": "2026-08-01", "to": "2026-12-31"}


@dataclass(slots=True, eq=False)
class Neighbours:
    """Two tenants who have had the same kind of week, at the same time; the first has a second practice."""

    one: Scenario
    beside: Scenario
    other: Scenario
    platform: Platform
    admin: asyncpg.Connection

    async def ids(self, **where: str | None) -> dict[str, list[str]]:
        """Every id in a row of this tenant or practice, or of none, in any table of any service, by its kind."""
        of = " and ".join(f"{column} is not distinct from ${n}" for n, column in enumerate(where, 1))
        found: dict[str, set[str]] = defaultdict(set)
        for schema, table, columns in await tables_of(self.admin):
            if where.keys() <= columns and table.partition("_20")[0] not in NO_POLICY:
                rows = await self.admin.fetch(f'select * from "{schema}"."{table}" where {of}', *where.values())
                for text in (v for row in rows for v in row.values() if isinstance(v, str) and _ID.match(v)):
                    found[text.partition("_")[0]].add(text)
        deliveries = "select id from reporting.delivery where endpoint_id = any($1)"  # they are their endpoint's
        found["dlv"] |= {row["id"] for row in await self.admin.fetch(deliveries, list(found["whe"]))}
        return {kind: sorted(texts) for kind, texts in found.items()}

    async def ask(self, who: Scenario, service: str, path: str, practice_ids: list[str] | None = None) -> Any:
        token = self.platform.token(tenant_id=who.client.tenant_id, practice_ids=practice_ids)
        url = self.platform.urls[service] + path
        return await who.client.http.get(url, headers={"Authorization": f"Bearer {token}"})


@dataclass(slots=True)
class Tried:
    """Which routes were tried, and what they showed that they should not have."""

    single: list[str]
    lists: list[str]
    unknown: list[str]
    leaks: list[str]

    def words(self) -> str:
        return (
            f"{len(self.leaks)} leaks; {len(self.single)} routes by an id that its owner can read, "
            f"{len(self.lists)} lists that hold the owner's ids, without a row to try: {', '.join(self.unknown)}"
        )


async def try_each_route(
    neighbours: Neighbours,
    *,
    asks: Scenario,
    owner: Scenario,
    theirs: dict[str, list[str]],
    practice_ids: list[str] | None = None,
) -> Tried:
    """Each GET of each document, by the owner's ids: the owner must see something, and who asks nothing of it."""
    tried = Tried([], [], [], [])
    every = {text for texts in theirs.values() for text in texts}
    for service in SERVICES:
        document = (await asks.client.http.get(neighbours.platform.urls[service] + "/openapi.json")).json()
        for template, item in document["paths"].items():
            if "get" not in item:
                continue
            name = f"{service} {template}"
            query = _query(item["get"])
            if "{" not in template:
                shown = await neighbours.ask(owner, service, template + query)
                if shown.is_success and _holds(shown.text, every):
                    tried.lists.append(name)
                got = await neighbours.ask(asks, service, template + query, practice_ids)
                if found := _holds(got.text, every):
                    tried.leaks.append(f"{name} shows {found}")
                continue
            path = await _readable(neighbours, owner, service, template, query, theirs)
            if path is None:
                tried.unknown.append(name)
                continue
            tried.single.append(name)
            got = await neighbours.ask(asks, service, path, practice_ids)
            named = set(re.split(r"[/?]", path)) & every
            hidden = got.status_code == 404 or (got.is_success and (_is_empty(got) or not named))
            if not hidden or _holds(got.text, every - named):
                tried.leaks.append(f"{name} answers {got.status_code}")
    return tried


async def _readable(
    neighbours: Neighbours, owner: Scenario, service: str, template: str, query: str, theirs: dict[str, list[str]]
) -> str | None:
    """The path with ids that the owner gets an answer with, if any do."""
    for path in filled(template, theirs):
        answer = await neighbours.ask(owner, service, path + query)
        if answer.is_success and not _is_empty(answer):
            return path + query
    return None


def filled(template: str, theirs: dict[str, list[str]]) -> Iterable[str]:
    """The path with each id of theirs that its parameters are named after; with a few of each kind where none is."""
    names = re.findall(r"\{([^}]+)\}", template)
    some = [text for texts in theirs.values() for text in (texts[:2] + texts[-2:])]
    for texts in itertools.product(*(theirs.get(KINDS.get(name, ""), [*some, *EXPORTED]) for name in names)):
        yield template.format_map(dict(zip(names, texts, strict=True)))


def _query(operation: dict[str, Any]) -> str:
    wanted = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query" and p.get("required")]
    return "?" + "&".join(f"{name}={_DATES.get(name, '2026-10-05')}" for name in wanted) if wanted else ""


def _holds(text: str, ids: set[str]) -> set[str]:
    return {found for found in re.findall(r"[a-z]{2,4}_[0-9a-z]{8,48}", text) if found in ids}


def _is_empty(answer: httpx.Response) -> bool:
    """A list without entries, figures that are all zero, or a table with nothing but the names of its columns."""
    kind = answer.headers.get("content-type", "")
    if "json" not in kind:
        return len(answer.text.splitlines()) <= ("csv" in kind)
    shown = answer.json()
    if isinstance(shown, dict) and isinstance(shown.get("data"), list):
        return not shown["data"]
    return isinstance(shown, dict) and not any(_values(shown))


def _values(shown: Any) -> Iterable[Any]:
    if isinstance(shown, dict):
        return [v for inner in shown.values() for v in _values(inner)]
    if isinstance(shown, list):
        return [v for inner in shown for v in _values(inner)]
    return [shown] if isinstance(shown, int) else []


def less(theirs: dict[str, list[str]], ours: dict[str, list[str]]) -> dict[str, list[str]]:
    """Ids of theirs that are not ours too: payers, and what is derived from nothing of a tenant, are everybody's."""
    return {kind: [t for t in texts if t not in ours.get(kind, ())] for kind, texts in theirs.items()}


async def tables_of(admin: asyncpg.Connection) -> list[tuple[str, str, set[str]]]:
    rows = await admin.fetch(_TABLES, list(SERVICES))
    return [(row["nspname"], row["relname"], set(row["columns"])) for row in rows]


async def fingerprints(admin: asyncpg.Connection, tenant_id: str, *, but: str | None = None) -> dict[str, str]:
    """What every table holds of a tenant, in short; what is of the practice `but` is left out."""
    found = {}
    for schema, table, columns in await tables_of(admin):
        if "tenant_id" in columns and table.partition("_20")[0] not in NO_POLICY:
            whose = {"tenant_id = $1": tenant_id}
            if but is not None and "practice_id" in columns:
                whose["practice_id is distinct from $2"] = but
            found[f"{schema}.{table}"] = await admin.fetchval(
                f'select md5(string_agg(t::text, \'|\' order by t::text)) from "{schema}"."{table}" t '
                f"where {' and '.join(whose)}",
                *whose.values(),
            )
    return found


_TABLES = """
    select n.nspname, c.relname, array_agg(a.attname::text) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname = any($1) and c.relkind in ('r', 'p') group by 1, 2 order by 1, 2
"""
