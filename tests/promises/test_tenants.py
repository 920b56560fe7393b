"""Promise: two tenants side by side, and neither sees a row of the other's: by HTTP, by SQL, by practice, by events."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from deploy.local.environment import Environment
from deploy.local.platform import Platform
from libs.common.ids import uuid7
from libs.common.sealing import Keyring
from tests.contracts.generate import SERVICES
from tests.platform import THURSDAY, Scenario
from tests.promises import beyond
from tests.promises.made_up import operations, right, send
from tests.promises.neighbours import NO_POLICY, Neighbours, fingerprints, less, tables_of, try_each_route

NOT_YET = "pay_bluebonnet"
"""Where no clinician is loaded yet, so that a claim is held and credentialing has work."""

OF_ALL_PRACTICES = {
    *(f"{service}.set_clearinghouse_account" for service in ("eligibility", "claims", "remittance")),
    *(f"{service}.create_webhook_source" for service in ("eligibility", "claims", "remittance")),
    "eligibility.put_fee_schedule",
    "remittance.read_adjustment_code",
    "remittance.record_deposit",  # until it is tied
    "reporting.create_endpoint",
}
"""What may be done about all practices at once; everything else is done about one, or each."""
NOT_A_CLAIM = "2026-10-05"
"""What a list is asked about that needs a claim's id, when every route is tried."""

pytestmark = [pytest.mark.flow, pytest.mark.xdist_group("promises")]


@pytest.fixture(scope="module")
async def neighbours(running: Platform, http: httpx.AsyncClient, database: str) -> Any:
    one, other = [await Scenario.open(running, http, not_loaded_at=NOT_YET) for _ in range(2)]
    beside = await one.beside(not_loaded_at=NOT_YET)
    await asyncio.gather(*(_a_week_begins(who) for who in (one, beside, other)))
    await one.claims_go_out()
    for _ in range(2):  # whatever day it was: what has gone out late in a week is paid in the next
        await one.payer_pays(THURSDAY)
    await asyncio.gather(*(who.bank() for who in (one, beside, other)))
    await asyncio.gather(*(_people_work(who) for who in (one, beside, other)))
    admin = await asyncpg.connect(database)
    yield Neighbours(one, beside, other, running, admin)
    await admin.close()


async def _a_week_begins(who: Scenario) -> None:
    """Sessions that are paid, denied, wait for an authorization, and lead to a task."""
    for payer_id, fault in (("pay_harborbh", ""), ("pay_summit", "deny_50"), ("pay_harborbh", "underpay")):
        patient = await who.patient(payer_id)
        if fault:
            await who.payer_will(patient, fault)
        await who.tell_session(patient)
    authorized = await who.patient()
    await who.authorization(authorized, number=f"A{uuid7().int % 10**8}", units=4, codes=["90834"])
    await who.tell_session(authorized, minutes=45)
    await who.tell_session(await who.patient(), kind="individual", minutes=10)
    await who.tell_session(await who.patient(NOT_YET))
    for service, kind in (("eligibility", "ehr"), ("remittance", "era")):
        told = {"kind": kind, "name": "Elsewhere", "practice_id": who.practice_id}
        source = await who.client.post(service, "/v1/webhook-sources", told)
        await who.client.webhook(service, source, "msg-1", {"nobody": "can read this"})
    nowhere = {"url": "http://127.0.0.1:9/", "event_types": ["*"], "practice_id": who.practice_id}
    await who.client.post("reporting", "/v1/webhook-endpoints", nowhere)


async def _people_work(who: Scenario) -> None:
    """Something is written down about work in each service; one denial is appealed, one patient let off a dollar."""
    client, mine = who.client, who.practice_id
    [patient, *_] = await client.everything("eligibility", "/v1/patients", practice_id=mine)
    consent = {"practice_id": mine, "external_id": "c-1", "given_on": "2026-10-01"}
    consent["patient_external_id"] = patient["external_id"]
    await client.post("claims", "/v1/consents", consent)
    denied = [one for one in await client.everything("claims", "/v1/denials") if one["practice_id"] == mine]
    await client.post("claims", f"/v1/denials/{denied[0]['id']}/appeals")
    claims = [one["id"] for one in await client.everything("claims", "/v1/claims", practice_id=mine, status="paid")]
    owed = [one for one in claims if "patient" in await who.ledger(one)]
    let_off = {"claim_id": owed[0], "kind": "courtesy", "amount_cents": 100, "why": "waited too long"}
    await client.post("remittance", "/v1/patient-write-offs", let_off)
    for service in SERVICES:
        found = (await who.client.get(service, "/v1/tasks", practice_id=who.practice_id, status="all"))["data"]
        assert found, f"{service} has had no work"
        await who.client.post(service, f"/v1/tasks/{found[0]['id']}/notes", {"text": "called, waits for an answer"})


async def test_no_route_shows_a_row_of_another_tenant(
    neighbours: Neighbours, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = neighbours.one, neighbours.other
    theirs = await neighbours.ids(tenant_id=other.client.tenant_id)
    theirs = less(theirs, await neighbours.ids(tenant_id=one.client.tenant_id))
    tried = await try_each_route(neighbours, asks=one, owner=other, theirs=theirs)
    with capsys.disabled():
        print(f"\ntenants by HTTP: {tried.words()}")
    assert tried.leaks == []
    assert tried.unknown == []
    assert len(tried.lists) >= 25


async def test_no_route_shows_a_row_of_another_practice(
    neighbours: Neighbours, capsys: pytest.CaptureFixture[str]
) -> None:
    one, beside = neighbours.one, neighbours.beside
    theirs = less(
        await neighbours.ids(practice_id=beside.practice_id), await neighbours.ids(practice_id=one.practice_id)
    )
    tried = await try_each_route(neighbours, asks=one, owner=beside, theirs=theirs, practice_ids=[one.practice_id])
    with capsys.disabled():
        print(f"\npractices by HTTP: {tried.words()}")
    assert tried.leaks == []
    assert tried.unknown == []


async def test_no_route_changes_a_thing_of_another_tenant(
    neighbours: Neighbours, capsys: pytest.CaptureFixture[str]
) -> None:
    """What its document allows, of the other's ids: one of each kind for every route that writes and names any."""
    one, other = neighbours.one, neighbours.other
    await one.quiet()
    before = await fingerprints(neighbours.admin, other.client.tenant_id)
    theirs = less(
        await neighbours.ids(tenant_id=other.client.tenant_id),
        await neighbours.ids(tenant_id=one.client.tenant_id),
    )
    by, refused, done = neighbours.platform.headers(tenant_id=one.client.tenant_id), Counter[int](), []
    for service in SERVICES:
        url = neighbours.platform.urls[service]
        document = (await one.client.http.get(f"{url}/openapi.json")).json()
        for operation in operations(document):
            if operation.method == "get" or "{" not in operation.path:
                continue
            (case, *_) = right(operation, 1)
            for id_ in (texts[0] for texts in theirs.values() if texts):
                case.path_parameters = dict.fromkeys(case.path_parameters, id_)
                answer = await send(one.client.http, url, case, by)
                refused[answer.status_code] += 1
                if answer.is_success or answer.status_code >= 500:
                    done.append(f"{operation.label} of {id_.partition('_')[0]} answers {answer.status_code}")
    await one.quiet()
    with capsys.disabled():
        print(f"\ntenants by HTTP, writing: {dict(sorted(refused.items()))}")
    assert done == []
    assert refused[404] >= 300
    assert await fingerprints(neighbours.admin, other.client.tenant_id) == before


async def test_every_table_is_kept_apart_by_the_database(neighbours: Neighbours) -> None:
    open_tables = await neighbours.admin.fetch(_WITHOUT_POLICY, list(SERVICES))
    names = {row["relname"].partition("_20")[0] for row in open_tables}
    assert names <= set(NO_POLICY), f"without row-level security: {names - set(NO_POLICY)}"


async def test_no_role_sees_a_row_without_its_tenant(
    neighbours: Neighbours, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = Environment.of_running(neighbours.platform.home)
    mine = neighbours.one.client.tenant_id
    tables = await tables_of(neighbours.admin)
    seen, held, refused = [], 0, 0
    for service in SERVICES:
        for role in ("api", "worker"):
            connection = await asyncpg.connect(environment.role_url(service, role))
            try:
                for schema, table, columns in tables:
                    if schema == service and table.partition("_20")[0] in NO_POLICY:
                        continue
                    for tenant, where in ((None, "true"), ("tnt_nobody", "true"), (mine, f"tenant_id <> '{mine}'")):
                        if tenant == mine and "tenant_id" not in columns:
                            continue
                        rows = await _count(connection, f'"{schema}"."{table}"', tenant, where)
                        refused += rows is None
                        held += rows == 0
                        if rows:
                            seen.append(f"{service}_{role} sees {rows} of {schema}.{table} as {tenant or 'nobody'}")
            finally:
                await connection.close()
    with capsys.disabled():
        print(f"\ntenants by SQL: {len(seen)} rows seen; {held} looks at own tables found none, {refused} were refused")
    assert seen == []
    assert held >= 100
    assert refused >= 300


async def test_an_event_of_one_tenant_changes_nothing_of_anothers(
    neighbours: Neighbours, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that the other tenant was ever told of comes again in the first tenant's name, sealed with its key."""
    keyring = Keyring.load(neighbours.platform.keys.keyring)
    one, other, admin = neighbours.one, neighbours.other, neighbours.admin
    await one.quiet()
    before = await fingerprints(admin, other.client.tenant_id)
    records = await admin.fetch("select value from reporting.record where tenant_id = $1", other.client.tenant_id)
    for row in records:
        event = orjson.loads(row["value"])
        event |= {"id": str(uuid7()), "tenantid": one.client.tenant_id, "sequence": str(int(event["sequence"]) + 100)}
        if "sealed" in event:
            plain = keyring.open(other.client.tenant_id, event["sealed"], event["type"])
            event["sealed"] = keyring.seal(one.client.tenant_id, plain, event["type"])
        service = event["source"].rpartition("/")[2]
        await admin.execute(
            f"insert into {service}.outbox (event_id, topic, key, tenant_id, value) values ($1, $2, $3, $4, $5)",
            event["id"],
            event["type"].rpartition(".v")[0],
            event["subject"],
            one.client.tenant_id,
            orjson.dumps(event),
        )
    await one.quiet()
    heard = await admin.fetchrow(_HEARD, one.client.tenant_id)
    with capsys.disabled():
        print(f"\ntenants by events: {len(records)} told again, {dict(heard)}")
    assert len(records) >= 40
    assert await fingerprints(admin, other.client.tenant_id) == before


async def test_no_route_changes_what_is_beyond_a_callers_practice(
    neighbours: Neighbours, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every route that writes, by the documents: who may see all practices is let in, who may see another is not.

    A new route fails this until it keeps to the caller's practices, or says by what other means (`beyond.py`).
    """
    one, tenant_id = neighbours.one, neighbours.one.client.tenant_id
    await beyond.somebody_keeps_things_of_no_practice(one)
    theirs = less(
        await neighbours.ids(practice_id=neighbours.beside.practice_id),
        await neighbours.ids(practice_id=one.practice_id),
    )
    nobodys = await neighbours.ids(practice_id=None, tenant_id=tenant_id)
    theirs |= {kind: theirs[kind] + nobodys[kind] for kind in beyond.OF_NO_PRACTICE}
    asked = await beyond.attempts(neighbours, theirs)
    before = await fingerprints(neighbours.admin, tenant_id, but=one.practice_id)
    answers = [(each, await beyond.ask(neighbours, each, [one.practice_id])) for each in asked]
    taken = [
        f"{each.name} of {each.path}: {answer.status_code}"
        for each, answer in answers
        if not beyond.refused(each, answer)
    ]
    assert taken == []
    assert await fingerprints(neighbours.admin, tenant_id, but=one.practice_id) == before

    let_in: set[str] = set()
    for each in asked:
        if each.name not in let_in and beyond.gets_through(each, await beyond.ask(neighbours, each, None)):
            let_in.add(each.name)
    with capsys.disabled():
        print(f"\npractices by HTTP, writing: {len(let_in)} routes, {len(asked)} requests, {len(taken)} taken")
    assert {each.name for each in asked} - let_in == set(), "refused to everybody, which shows nothing"


async def test_a_line_of_the_trail_says_of_which_practice_it_is(neighbours: Neighbours) -> None:
    """What was looked at or changed above, and by whom, an auditor of its practice finds, where it is of one."""
    lines = await neighbours.admin.fetch(_TRAIL, neighbours.one.client.tenant_id)
    found = {row["action"] for row in lines if row["subject_id"] != NOT_A_CLAIM}
    assert found <= OF_ALL_PRACTICES, found - OF_ALL_PRACTICES


async def _count(connection: asyncpg.Connection, table: str, tenant: str | None, where: str) -> int | None:
    """How many rows the role sees in a transaction of that tenant; None where it may not look."""
    async with connection.transaction():
        await connection.execute("select set_config('parity.practice_ids', '*', true)")
        if tenant is not None:
            await connection.execute("select set_config('parity.tenant_id', $1, true)", tenant)
        try:
            async with connection.transaction():
                return int(await connection.fetchval(f"select count(*) from {table} where {where}"))
        except asyncpg.InsufficientPrivilegeError:
            return None


_HEARD = " union all ".join(f"select key, reason from {service}.parked where tenant_id = $1" for service in SERVICES)
_HEARD = f"select count(*) as parked, array_agg(distinct reason) as reasons from ({_HEARD}) p"
_WITHOUT_POLICY = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($1) and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
"""
_TRAIL = " union all ".join(
    f"select action, subject_id from {service}.audit where tenant_id = $1 and practice_id is null"
    for service in SERVICES
)
