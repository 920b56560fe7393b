"""Clinicians: who they are, for which practices they work, and what licences they hold."""

from collections.abc import Sequence
from datetime import timedelta

from libs.common import outbox, timers
from libs.common.db import Transaction
from libs.common.events.credentialing import Licence, ProviderChanged, ProviderIdentity
from libs.common.http import Conflict, FieldError, Invalid, NotFound, check_version
from libs.common.ids import derived_id, new_id
from libs.common.timers import Due, Work
from services.credentialing import enroll, expire, store
from services.credentialing.domain import CAQH_ATTESTATION_DAYS, Clinician, Credential
from services.credentialing.views import ClinicianBody

TELL = "credentialing.tell"


async def create(tx: Transaction, body: ClinicianBody) -> Clinician:
    """A new clinician is on record and told; Conflict if somebody has this NPI already."""
    await _check_practices(tx, body.practice_ids)
    clinician = _clinician(tx, body, new_id("prv"), version=1)
    if not await store.save_clinician(tx, clinician, created=True):
        raise Conflict("duplicate_resource", "A clinician with this NPI exists.")
    return await _settle(tx, clinician)


async def change(tx: Transaction, clinician: Clinician, body: ClinicianBody, expected: int | None) -> Clinician:
    """The clinician is as given and told, and so is every enrollment whose truth that changes.

    Who they are and what they are licensed for is all their practices': Forbidden for who may not see all of those.
    """
    check_version(expected, clinician.version)
    await _check_practices(tx, body.practice_ids)
    practices = {"practice_ids": clinician.practice_ids}
    if body.model_copy(update=practices) != body_of(clinician).model_copy(update=practices) and (
        await store.works_elsewhere(tx, clinician.id)
    ):
        tx.must_reach(None)
    changed = _clinician(tx, body, clinician.id, version=clinician.version + 1)
    await store.save_clinician(tx, changed, created=False)
    return await _settle(tx, changed)


async def read(tx: Transaction, provider_id: str, *, lock: bool = False) -> Clinician:
    """The clinician, or NotFound."""
    found = await store.clinician(tx, provider_id, lock=lock)
    if found is None:
        raise NotFound
    return found


def _clinician(tx: Transaction, body: ClinicianBody, provider_id: str, *, version: int) -> Clinician:
    licences = [
        Credential(
            id=derived_id("lic", tx.tenant, provider_id, one.state, one.number, one.effective_from.isoformat()),
            provider_id=provider_id,
            kind="licence",
            **one.model_dump(),
        )
        for one in body.licences
    ]
    if len({one.id for one in licences}) < len(licences):
        raise Invalid([FieldError("/licences", "duplicate", "A licence is listed twice.")])
    return Clinician(
        id=provider_id,
        **body.model_dump(exclude={"practice_ids", "licences", "caqh"}),
        practice_ids=tuple(sorted(set(body.practice_ids))),
        licences=tuple(licences),
        caqh_id=body.caqh.id if body.caqh else None,
        caqh_attested_on=body.caqh.attested_on if body.caqh else None,
        version=version,
    )


async def _check_practices(tx: Transaction, practice_ids: Sequence[str]) -> None:
    for place, practice_id in enumerate(practice_ids):
        if await store.practice(tx, practice_id) is None:
            raise Invalid([FieldError(f"/practice_ids/{place}", "unknown", "There is no such practice.")])


async def _settle(tx: Transaction, clinician: Clinician) -> Clinician:
    """Practices and credentials are written, watched for their end, and the change is told."""
    await store.set_affiliations(tx, clinician.id, clinician.practice_ids)
    kept = [*clinician.licences, *_attestation(tx, clinician)]
    for kind in ("licence", "caqh_attestation"):
        ids = [one.id for one in kept if one.kind == kind]
        for gone in await store.drop_credentials(tx, clinician.id, kind, ids):
            await expire.forget(tx, gone)
    for one in kept:
        if await store.put_credential(tx, one):
            await expire.watch(tx, one)
    await tell(tx, clinician.id)
    return await read(tx, clinician.id)


def _attestation(tx: Transaction, clinician: Clinician) -> list[Credential]:
    if clinician.caqh_id is None or clinician.caqh_attested_on is None:
        return []
    return [
        Credential(
            id=derived_id("caq", tx.tenant, clinician.id),
            provider_id=clinician.id,
            kind="caqh_attestation",
            state=None,
            number=clinician.caqh_id,
            type="CAQH",
            effective_from=clinician.caqh_attested_on,
            expires_on=clinician.caqh_attested_on + timedelta(days=CAQH_ATTESTATION_DAYS),
        )
    ]


async def tell(tx: Transaction, provider_id: str) -> None:
    """The change is told with all practices and enrollments; by the worker, where this caller sees only some."""
    if tx.practice_ids is not None:
        await timers.set(tx, TELL, provider_id, at=tx.now)
        return
    clinician = await read(tx, provider_id)
    identity = ProviderIdentity(
        npi=clinician.npi,
        first_name=clinician.first_name,
        last_name=clinician.last_name,
        taxonomy=clinician.taxonomy,
        credential=clinician.credential,
        licences=[
            Licence(
                state=one.state or "",
                number=one.number,
                type=one.type,
                effective_from=one.effective_from,
                expires_on=one.expires_on,
            )
            for one in clinician.licences
        ],
    )
    event = ProviderChanged(
        provider_id=clinician.id,
        practice_ids=list(clinician.practice_ids),
        status=clinician.status,
        level=clinician.level,
        sealed=identity,
    )
    await outbox.add(tx, event, sequence=clinician.version)
    await enroll.tell_all(tx, provider_id=provider_id)


async def tell_later(work: Work, due: Due) -> None:
    """What a caller with a narrow view has changed is told in full."""
    async with work.db.transaction(due.tenant_id) as tx:
        if await store.clinician(tx, due.id, lock=True) is not None:
            await tell(tx, due.id)
        await timers.done(tx, due)


def body_of(clinician: Clinician) -> ClinicianBody:
    """The clinician as a caller would send them."""
    licences = [
        {name: getattr(one, name) for name in ("state", "number", "type", "effective_from", "expires_on")}
        for one in clinician.licences
    ]
    caqh = {"id": clinician.caqh_id, "attested_on": clinician.caqh_attested_on} if clinician.caqh_id else None
    names = ("npi", "first_name", "last_name", "taxonomy", "credential", "status")
    return ClinicianBody.model_validate({
        **{name: getattr(clinician, name) for name in names},
        "practice_ids": list(clinician.practice_ids), "licences": licences, "caqh": caqh,
    })  # fmt: skip
