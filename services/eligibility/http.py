"""The routes of eligibility: parse, call a step, answer."""

from typing import Final, Literal

import sqlalchemy as sa
from fastapi import Response

from libs.common import audit
from libs.common.db import Row, Transaction
from libs.common.fields import merged
from libs.common.http import (
    Conflict,
    Cursor,
    FieldError,
    IfMatch,
    Invalid,
    Limit,
    NotFound,
    Page,
    Router,
    Tx,
    check_version,
    paginate,
)
from services.eligibility import authorizations, check, patients, shown, store
from services.eligibility import tables as t
from services.eligibility.views import (
    AuthorizationBody,
    AuthorizationPatch,
    AuthorizationStep,
    AuthorizationView,
    CheckBody,
    CheckView,
    CoverageBody,
    CoveragePatch,
    CoverageView,
    FeeScheduleBody,
    FeeScheduleView,
    PatientBody,
    PatientPatch,
    PatientView,
    WholeCoverage,
)

READ: Final = "eligibility:read"
WRITE: Final = "eligibility:write"

patient_routes = Router(prefix="/v1/patients", tags=["patients"])
coverage_routes = Router(prefix="/v1/coverages", tags=["coverages"])
check_routes = Router(prefix="/v1/eligibility-checks", tags=["eligibility checks"])
authorization_routes = Router(prefix="/v1/authorizations", tags=["authorizations"])
fee_routes = Router(prefix="/v1/fee-schedules", tags=["fee schedules"])
ROUTERS: Final = (patient_routes, coverage_routes, check_routes, authorization_routes, fee_routes)


@patient_routes.post("", scope=WRITE, status_code=201, phi=True)
async def create_patient(body: PatientBody, tx: Tx, response: Response) -> PatientView:
    """A patient is on record; refused (409) if the EHR's number is known already."""
    told = patients.by_hand(tx)
    identity = body.model_dump(include={*patients.IDENTITY})
    patient_id, new = await patients.put(tx, body.practice_id, body.external_id, identity, told, only_new=True)
    if not new:
        existing = {"id": patient_id, "href": f"/v1/patients/{patient_id}"}
        raise Conflict(
            "duplicate_resource",
            "There is a patient with this number; change it with PATCH.",
            more={"existing": existing},
        )
    return await shown.patient(tx, await patients.read(tx, patient_id), response)


@patient_routes.get("", scope=READ, phi=True)
async def list_patients(
    tx: Tx, *, practice_id: str | None = None, external_id: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[PatientView]:
    found = sa.select(t.patient)
    if practice_id is not None:
        found = found.where(t.patient.c.practice_id == practice_id)
    if external_id is not None:
        found = found.where(t.patient.c.external_id == external_id)
    page = await paginate(tx, found, cursor, limit, view=lambda row: row)
    return Page(data=[await shown.patient(tx, row) for row in page.data], page=page.page)


@patient_routes.get("/{patient_id}", scope=READ, phi=True)
async def read_patient(patient_id: str, tx: Tx, response: Response) -> PatientView:
    return await shown.patient(tx, await patients.read(tx, patient_id), response)


@patient_routes.patch("/{patient_id}", scope=WRITE, phi=True)
async def change_patient(
    patient_id: str, body: PatientPatch, tx: Tx, version: IfMatch, response: Response
) -> PatientView:
    found = await patients.read(tx, patient_id, lock=True)
    check_version(version, found["version"])
    identity = merged(PatientBody, dict(found), body).model_dump(include={*patients.IDENTITY})
    await patients.put(tx, found["practice_id"], found["external_id"], identity, patients.by_hand(tx))
    return await shown.patient(tx, await patients.read(tx, patient_id), response)


@coverage_routes.post("", scope=WRITE, status_code=201, phi=True)
async def create_coverage(body: CoverageBody, tx: Tx, response: Response) -> CoverageView:
    """A coverage is on record; another one at the same rank is superseded by it."""
    patient = await store.find(tx, t.patient, body.patient_id)
    if patient is None:
        raise Invalid([FieldError("/patient_id", "unknown", "There is no such patient.")])
    coverage_id = await patients.put_coverage(
        tx, patient["practice_id"], patient["id"], body.model_dump(), patients.by_hand(tx)
    )
    return await shown.coverage(tx, await _coverage(tx, coverage_id), response)


@coverage_routes.get("", scope=READ, phi=True)
async def list_coverages(
    tx: Tx, *, patient_id: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[CoverageView]:
    page = await paginate(tx, store.of_patient(t.coverage, patient_id), cursor, limit, view=lambda row: row)
    return Page(data=[await shown.coverage(tx, row) for row in page.data], page=page.page)


@coverage_routes.get("/{coverage_id}", scope=READ, phi=True)
async def read_coverage(coverage_id: str, tx: Tx, response: Response) -> CoverageView:
    return await shown.coverage(tx, await _coverage(tx, coverage_id), response)


@coverage_routes.patch("/{coverage_id}", scope=WRITE, phi=True)
async def change_coverage(
    coverage_id: str, body: CoveragePatch, tx: Tx, version: IfMatch, response: Response
) -> CoverageView:
    found = await _coverage(tx, coverage_id, lock=True)
    check_version(version, found["version"])
    whole = merged(WholeCoverage, dict(found), body).model_dump(exclude={"payer_id", "member_id"})
    await patients.change(tx, found, {**whole, "as_of": patients.by_hand(tx)})
    return await shown.coverage(tx, await _coverage(tx, coverage_id), response)


async def _coverage(tx: Transaction, coverage_id: str, *, lock: bool = False) -> Row:
    found = await store.find(tx, t.coverage, coverage_id, lock=lock)
    if found is None:
        raise NotFound
    return found


@check_routes.post("", scope=WRITE, status_code=202)
async def ask_payer(body: CheckBody, tx: Tx, response: Response) -> CheckView:
    """The payer will be asked; follow `Location` for its answer."""
    coverage = await store.find(tx, t.coverage, body.coverage_id)
    if coverage is None:
        raise Invalid([FieldError("/coverage_id", "unknown", "There is no such coverage.")])
    session = {
        "practice_id": coverage["practice_id"],
        "patient_id": coverage["patient_id"],
        "encounter_id": None,
        "service_date": body.as_of_date or tx.today,
        "place_of_service": body.place_of_service,
        "services": [one.model_dump() for one in body.services],
        "eap": body.eap,
    }
    check_id = await check.start(tx, session, dict(coverage))
    response.headers["Location"] = f"/v1/eligibility-checks/{check_id}"
    return await shown.check(tx, await _check(tx, check_id))


@check_routes.get("", scope=READ, phi=True)
async def list_checks(
    tx: Tx, *, patient_id: str | None = None, encounter_id: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[CheckView]:
    found = store.of_patient(t.check, patient_id)
    if encounter_id is not None:
        found = found.where(t.check.c.encounter_id == encounter_id)
    page = await paginate(tx, found, cursor, limit, view=lambda row: row)
    return Page(data=[await shown.check(tx, row) for row in page.data], page=page.page)


@check_routes.get("/{check_id}", scope=READ, phi=True)
async def read_check(check_id: str, tx: Tx) -> CheckView:
    return await shown.check(tx, await _check(tx, check_id))


@check_routes.get("/{check_id}/x12", scope=READ, phi=True, subject="eligibility_check")
async def read_x12(check_id: str, tx: Tx, which: Literal["question", "answer"] = "answer") -> Response:
    """The payer's 271 as it came, or our 270 as it was sent (`which=question`)."""
    row = await _check(tx, check_id)
    audit.about(tx, [(check_id, row["practice_id"])])
    found = check.raw(tx, row, which)
    if found is None:
        raise NotFound("The payer has not been asked yet, or has not answered.")
    return Response(found, media_type="application/edi-x12")


async def _check(tx: Transaction, check_id: str) -> Row:
    found = await store.find(tx, t.check, check_id)
    if found is None:
        raise NotFound
    return found


@authorization_routes.post("", scope=WRITE, status_code=201)
async def create_authorization(body: AuthorizationBody, tx: Tx, response: Response) -> AuthorizationView:
    """An authorization is on record, and sessions that wait for its units get them."""
    return await shown.authorization(tx, await authorizations.create(tx, body), response)


@authorization_routes.get("", scope=READ, phi=True)
async def list_authorizations(
    tx: Tx, *, patient_id: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[AuthorizationView]:
    page = await paginate(tx, store.of_patient(t.authorization, patient_id), cursor, limit, view=lambda row: row)
    return Page(data=[await shown.authorization(tx, row) for row in page.data], page=page.page)


@authorization_routes.get("/{authorization_id}", scope=READ, phi=True)
async def read_authorization(authorization_id: str, tx: Tx, response: Response) -> AuthorizationView:
    return await shown.authorization(tx, await authorizations.read(tx, authorization_id), response)


@authorization_routes.patch("/{authorization_id}", scope=WRITE)
async def change_authorization(
    authorization_id: str, body: AuthorizationPatch, tx: Tx, version: IfMatch, response: Response
) -> AuthorizationView:
    """What the payer changed is on record, and units are shared out anew."""
    found = await authorizations.read(tx, authorization_id, lock=True)
    whole = merged(AuthorizationBody, dict(found), body)
    return await shown.authorization(tx, await authorizations.change(tx, found, whole, version), response)


@authorization_routes.post("/{authorization_id}/steps", scope=WRITE, subject="authorization")
async def step_authorization(
    authorization_id: str, body: AuthorizationStep, tx: Tx, response: Response
) -> AuthorizationView:
    """What the payer decided; refused (409) if it cannot follow what it decided before."""
    found = await authorizations.read(tx, authorization_id, lock=True)
    return await shown.authorization(tx, await authorizations.step(tx, found, body), response)


@fee_routes.put("", scope=WRITE)
async def put_fee_schedule(body: FeeScheduleBody, tx: Tx) -> FeeScheduleView:
    """What the payer allows from that date is as given; estimates use it from now on."""
    tx.must_reach(body.practice_id)
    rows = [one.model_dump() for one in body.fees]
    count = await store.replace_fees(tx, body.payer_id, body.practice_id, body.effective_from, rows)
    return FeeScheduleView(**body.model_dump(exclude={"fees"}), fees=count)
