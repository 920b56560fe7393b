"""The routes of credentialing: parse, call a step, answer."""

from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Query, Response
from pydantic import BaseModel

from libs.common import audit
from libs.common.db import Row, Transaction
from libs.common.fields import merged
from libs.common.http import Cursor, IfMatch, Limit, Page, Router, Tx, paginate, set_etag
from services.credentialing import clinicians, enroll, practices, store
from services.credentialing.billability import Answer
from services.credentialing.domain import CAQH_ATTESTATION_DAYS, NEXT, Clinician, Enrollment
from services.credentialing.views import (
    BasisView,
    BillabilityView,
    ClinicianBody,
    ClinicianPatch,
    ClinicianView,
    EnrollmentBody,
    EnrollmentPatch,
    EnrollmentView,
    HeldView,
    HistoryView,
    LicenceView,
    LocationBody,
    LocationPatch,
    LocationView,
    PracticeBody,
    PracticePatch,
    PracticeView,
    StepBody,
)

READ: Final = "credentialing:read"
WRITE: Final = "credentialing:write"

practice_routes = Router(prefix="/v1/practices", tags=["practices"])
location_routes = Router(prefix="/v1/locations", tags=["locations"])
provider_routes = Router(prefix="/v1/providers", tags=["clinicians"])
enrollment_routes = Router(prefix="/v1/enrollments", tags=["enrollments"])
billability_routes = Router(prefix="/v1/billability", tags=["billability"])
ROUTERS: Final = (practice_routes, location_routes, provider_routes, enrollment_routes, billability_routes)


@practice_routes.post("", scope=WRITE, status_code=201)
async def create_practice(body: PracticeBody, tx: Tx, response: Response) -> PracticeView:
    """A practice is on record; other services learn of it at once."""
    tx.must_reach(None)
    return _practice(tx, await practices.create(tx, body.model_dump()), response)


@practice_routes.get("", scope=READ)
async def list_practices(tx: Tx, cursor: Cursor = None, limit: Limit = 50) -> Page[PracticeView]:
    return await paginate(
        tx, store.practices(), cursor, limit, view=lambda row: PracticeView(**_named(row, PracticeView))
    )


@practice_routes.get("/{practice_id}", scope=READ)
async def read_practice(practice_id: str, tx: Tx, response: Response) -> PracticeView:
    return _practice(tx, await practices.read(tx, practice_id), response)


@practice_routes.patch("/{practice_id}", scope=WRITE)
async def change_practice(
    practice_id: str, body: PracticePatch, tx: Tx, version: IfMatch, response: Response
) -> PracticeView:
    """The fields given are changed; a new NPI is a new practice."""
    found = await practices.read(tx, practice_id, lock=True)
    values = merged(PracticeBody, dict(found), body).model_dump()
    return _practice(tx, await practices.change(tx, found, values, version), response)


@location_routes.post("", scope=WRITE, status_code=201)
async def create_location(body: LocationBody, tx: Tx, response: Response) -> LocationView:
    return _location(await practices.add_location(tx, body.model_dump()), response)


@location_routes.get("", scope=READ)
async def list_locations(
    tx: Tx, practice_id: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[LocationView]:
    found = store.locations(practice_id)
    return await paginate(tx, found, cursor, limit, view=lambda row: LocationView(**_named(row, LocationView)))


@location_routes.get("/{location_id}", scope=READ)
async def read_location(location_id: str, tx: Tx, response: Response) -> LocationView:
    return _location(await practices.read_location(tx, location_id), response)


@location_routes.patch("/{location_id}", scope=WRITE)
async def change_location(
    location_id: str, body: LocationPatch, tx: Tx, version: IfMatch, response: Response
) -> LocationView:
    found = await practices.read_location(tx, location_id, lock=True)
    values = merged(LocationBody, dict(found), body).model_dump()
    return _location(await practices.change_location(tx, found, values, version), response)


@provider_routes.post("", scope=WRITE, status_code=201)
async def create_clinician(body: ClinicianBody, tx: Tx, response: Response) -> ClinicianView:
    """A clinician is on record; their licences and CAQH attestation are watched from now on."""
    return _clinician(tx, await clinicians.create(tx, body), response)


@provider_routes.get("", scope=READ)
async def list_clinicians(
    tx: Tx, practice_id: str | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Page[ClinicianView]:
    page = await paginate(tx, store.clinicians(practice_id), cursor, limit, view=lambda row: row)
    whole = await store.whole_clinicians(tx, page.data)
    return Page(data=[_clinician_view(one) for one in whole], page=page.page)


@provider_routes.get("/{provider_id}", scope=READ)
async def read_clinician(provider_id: str, tx: Tx, response: Response) -> ClinicianView:
    return _clinician(tx, await clinicians.read(tx, provider_id), response)


@provider_routes.patch("/{provider_id}", scope=WRITE)
async def change_clinician(
    provider_id: str, body: ClinicianPatch, tx: Tx, version: IfMatch, response: Response
) -> ClinicianView:
    """The fields given are changed; `licences` and `practice_ids` replace the whole list."""
    found = await clinicians.read(tx, provider_id, lock=True)
    wanted = merged(ClinicianBody, clinicians.body_of(found).model_dump(), body)
    return _clinician(tx, await clinicians.change(tx, found, wanted, version), response)


@enrollment_routes.post("", scope=WRITE, status_code=201)
async def create_enrollment(body: EnrollmentBody, tx: Tx, response: Response) -> EnrollmentView:
    """An enrollment begins, or one that is already on file with the payer is recorded."""
    return await _enrollment(tx, await enroll.start(tx, body), response)


@enrollment_routes.get("", scope=READ)
async def list_enrollments(
    tx: Tx,
    *,
    provider_id: str | None = None,
    practice_id: str | None = None,
    payer_id: str | None = None,
    status: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[EnrollmentView]:
    found = store.enrollments(provider_id=provider_id, practice_id=practice_id, payer_id=payer_id, status=status)
    page = await paginate(tx, found, cursor, limit, view=store.enrollment_of)
    return Page(data=[await _enrollment_view(tx, one) for one in page.data], page=page.page)


@enrollment_routes.get("/{enrollment_id}", scope=READ)
async def read_enrollment(enrollment_id: str, tx: Tx, response: Response) -> EnrollmentView:
    return await _enrollment(tx, await enroll.read(tx, enrollment_id), response)


@enrollment_routes.patch("/{enrollment_id}", scope=WRITE)
async def correct_enrollment(
    enrollment_id: str, body: EnrollmentPatch, tx: Tx, version: IfMatch, response: Response
) -> EnrollmentView:
    """Dates, locations and references are corrected; the state moves by steps."""
    found = await enroll.read(tx, enrollment_id, lock=True)
    corrected = await enroll.correct(tx, found, body.model_dump(exclude_unset=True), version)
    return await _enrollment(tx, corrected, response)


@enrollment_routes.post("/{enrollment_id}/steps", scope=WRITE, subject="enrollment")
async def take_step(enrollment_id: str, body: StepBody, tx: Tx, response: Response) -> EnrollmentView:
    """Something happened with the payer; refused (409) if it cannot follow what happened before."""
    found = await enroll.read(tx, enrollment_id, lock=True)
    return await _enrollment(tx, await enroll.step(tx, found, body), response)


@billability_routes.get("", scope=READ)
async def read_billability(
    tx: Tx,
    *,
    npi: Annotated[str, Query(description="The clinician's.")],
    practice_id: str,
    payer_id: str,
    on: Annotated[date, Query(description="Date of service.")],
    location_id: str | None = None,
) -> BillabilityView:
    """May this clinician bill this payer for this practice, at this place, on this date of service."""
    found = await enroll.billability(
        tx, npi=npi, practice_id=practice_id, payer_id=payer_id, location_id=location_id, on=on
    )
    return _billability(found)


def _named(row: Row, view: type[BaseModel]) -> dict[str, Any]:
    return {name: row[name] for name in view.model_fields}


def _practice(tx: Transaction, row: Row, response: Response) -> PracticeView:
    audit.about(tx, [(row["id"], row["id"])])
    set_etag(response, row["version"])
    return PracticeView(**_named(row, PracticeView))


def _location(row: Row, response: Response) -> LocationView:
    set_etag(response, row["version"])
    return LocationView(**_named(row, LocationView))


def _clinician(tx: Transaction, one: Clinician, response: Response) -> ClinicianView:
    """On the trail of each practice that they work for."""
    audit.about(tx, [(one.id, practice_id) for practice_id in one.practice_ids])
    set_etag(response, one.version)
    return _clinician_view(one)


def _clinician_view(one: Clinician) -> ClinicianView:
    body = clinicians.body_of(one)
    attested = one.caqh_attested_on
    return ClinicianView(
        id=one.id,
        **body.model_dump(exclude={"licences", "caqh"}),
        caqh=body.caqh,
        level=one.level,
        licences=[
            LicenceView(id=held.id, **sent.model_dump()) for held, sent in zip(one.licences, body.licences, strict=True)
        ],
        caqh_attestation_due=attested + timedelta(days=CAQH_ATTESTATION_DAYS) if attested else None,
        version=one.version,
    )


async def _enrollment(tx: Transaction, one: Enrollment, response: Response) -> EnrollmentView:
    set_etag(response, one.version)
    return await _enrollment_view(tx, one)


async def _enrollment_view(tx: Transaction, one: Enrollment) -> EnrollmentView:
    held = await store.held(tx, one.provider_id, one.practice_id, one.payer_id)
    names = EnrollmentView.model_fields.keys() - {"next_steps", "revenue_at_risk", "history", "location_ids"}
    return EnrollmentView(
        **{name: getattr(one, name) for name in names},
        location_ids=None if one.location_ids is None else list(one.location_ids),
        next_steps=[step for status, step in NEXT if status is one.status],
        revenue_at_risk=HeldView(**held),
        history=[HistoryView(**_named(row, HistoryView)) for row in await store.history(tx, one.id)],
    )


def _billability(found: Answer) -> BillabilityView:
    one, licence = found.enrollment, found.licence
    basis = BasisView(
        enrollment_id=one.id if one else None,
        status=one.status if one else None,
        effective_from=one.effective_from if one else None,
        effective_to=one.effective_to if one else None,
        payer_loaded_on=one.payer_loaded_on if one else None,
        licence_id=licence.id if licence else None,
        licence_expires_on=licence.expires_on if licence else None,
    )
    return BillabilityView.model_validate(
        {"billable": found.billable, "reason": found.reason, "words": found.words, "basis": basis}
    )
