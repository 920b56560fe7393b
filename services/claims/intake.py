"""The EHR's sessions come in: checked, coded, kept with their revisions, and told as encounter.created."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from pydantic import ValidationError

from libs.codes import npi, payers
from libs.common import outbox, tasks
from libs.common.db import Row, Transaction
from libs.common.events import EncounterCreated
from libs.common.events.claims import CodedService, EncounterCoverage, EncounterDetail
from libs.common.events.credentialing import Address
from libs.common.ids import derived_id, new_id
from libs.common.problems import Conflict, FieldError, Invalid, Malformed, field_errors
from libs.common.webhooks import InboundMessage
from services.claims import coding, learn, scrub, store, tables
from services.claims.domain import UNSENT, Claim, Content, Line, Step
from services.claims.lifecycle import create, move
from services.claims.settings import business_days
from services.claims.views import EncounterIn, LineIn

ROUTINE = "eight_minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of one message: `created`, `revised` or neither (it said nothing new)."""

    encounter_id: str
    created: bool = False
    revised: bool = False


async def receive(tx: Transaction, sent: EncounterIn) -> Received:
    """The session is kept once by its external id. Raises Invalid, Conflict (a duplicate, or sent already)."""
    _check(tx, sent)
    digest = content_hash(sent)
    present = await tx.first(
        sa.select(tables.encounter)
        .where(tables.encounter.c.practice_id == sent.practice_id, tables.encounter.c.external_id == sent.external_id)
        .with_for_update()
    )
    if present is not None and present["content_hash"] == digest:
        return Received(encounter_id=present["id"])
    natural = natural_key(sent)
    await _refuse_duplicate(tx, sent, natural, present)
    detail = sent.model_dump(mode="json")
    if present is None:
        encounter_id = await _new(tx, sent, detail, digest, natural)
    else:
        encounter_id = await _revise(tx, sent, present, detail, digest, natural)
    return Received(encounter_id=encounter_id, created=present is None, revised=present is not None)


def content_hash(sent: EncounterIn) -> str:
    """What makes two messages the same: everything but who carried them."""
    body = sent.model_dump(mode="json", exclude={"source", "metadata", "allow_duplicate_reason"})
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def natural_key(sent: EncounterIn) -> str:
    """The same patient, clinician, day, service and beginning are the same session, whatever its id."""
    service = sent.service
    what = ",".join(sorted(line.code for line in sent.lines)) or f"{service.kind}/{service.service_code}/{service.em}"
    start = service.start.isoformat() if service.start else ""
    parts = (sent.practice_id, sent.patient.external_id, sent.providers.rendering.npi, service.date.isoformat())
    return hashlib.sha256("\x1f".join((*parts, what, start)).encode()).hexdigest()


def _check(tx: Transaction, sent: EncounterIn) -> None:
    """What no schema can say: check digits, payers that we know, days that have come, pointers that lead somewhere."""
    errors = [*_who(sent), *_what(tx, sent)]
    if errors:
        raise Invalid(errors)


def _who(sent: EncounterIn) -> list[FieldError]:
    errors = []
    named: dict[str, str | None] = {"/providers/rendering/npi": sent.providers.rendering.npi}
    if sent.providers.billing:
        named["/providers/billing/npi"] = sent.providers.billing.npi
    if sent.providers.supervising:
        named["/providers/supervising/npi"] = sent.providers.supervising.npi
    for pointer, value in named.items():
        if value is not None and not npi.valid(value):
            errors.append(FieldError(pointer, "npi_invalid", "The check digit of this NPI is wrong."))
    for index, coverage in enumerate(sent.coverages):
        if not payers.knows(coverage.payer.id):
            errors.append(FieldError(f"/coverages/{index}/payer/id", "payer_unknown", "No payer has this id."))
        if coverage.relationship != "self" and coverage.subscriber is None:
            pointer = f"/coverages/{index}/subscriber"
            errors.append(FieldError(pointer, "required", "Whose coverage is it, if not the patient's?"))
    if len({coverage.rank for coverage in sent.coverages}) != len(sent.coverages):
        errors.append(FieldError("/coverages", "rank_repeated", "Each coverage has a rank of its own."))
    return errors


def _what(tx: Transaction, sent: EncounterIn) -> list[FieldError]:
    errors = []
    if sent.service.date > tx.today + timedelta(days=1):
        errors.append(FieldError("/service/date", "in_the_future", "This session has not taken place yet."))
    if sent.patient.dob > sent.service.date:
        errors.append(FieldError("/patient/dob", "after_service", "The patient was not born on the date of service."))
    if not sent.lines and sent.service.kind is None:
        errors.append(FieldError("/service/kind", "required", "Without lines, say what the session was."))
    if [d.rank for d in sorted(sent.diagnoses, key=lambda d: d.rank)] != list(range(1, len(sent.diagnoses) + 1)):
        errors.append(FieldError("/diagnoses", "ranks_have_gaps", "Diagnoses are ranked from 1 without gaps."))
    for index, line in enumerate(sent.lines):
        if any(pointer > len(sent.diagnoses) for pointer in line.dx_pointers):
            pointer = f"/lines/{index}/dx_pointers"
            errors.append(FieldError(pointer, "no_such_diagnosis", "It points to a diagnosis that is not there."))
    return errors


async def _refuse_duplicate(tx: Transaction, sent: EncounterIn, natural: str, present: Row | None) -> None:
    if sent.allow_duplicate_reason is not None:
        return
    twin = await tx.first(
        sa.select(tables.encounter.c.id)
        .where(
            tables.encounter.c.natural_key == natural,
            tables.encounter.c.id != (present["id"] if present else ""),
        )
        .order_by(tables.encounter.c.created_at)
        .limit(1)
    )
    if twin is not None:
        raise Conflict(
            "duplicate_encounter",
            "The same session is here under another external id; say allow_duplicate_reason if it is not.",
            more={"existing": {"id": twin["id"], "href": f"/v1/encounters/{twin['id']}"}},
        )


async def _new(tx: Transaction, sent: EncounterIn, detail: Mapping[str, Any], digest: str, natural: str) -> str:
    encounter_id, claim_id = new_id("enc"), new_id("clm")
    content, status = coded(sent)
    values = {
        "id": encounter_id,
        "practice_id": sent.practice_id,
        "external_id": sent.external_id,
        "source_system": sent.source.system if sent.source else None,
        "patient_id": derived_id("pat", tx.tenant, sent.practice_id, sent.patient.external_id),
        "claim_id": claim_id if content is not None else None,
        "service_date": sent.service.date,
        "status": status,
        "revision": 1,
        "version": 1,
        "content_hash": digest,
        "natural_key": natural,
        "detail": detail,
    }
    await tx.execute(
        tables.encounter.insert().values(**values, tenant_id=tx.tenant, created_at=tx.now, updated_at=tx.now)
    )
    await _keep_revision(tx, values)
    await _claim(tx, sent, values, content, status)
    return encounter_id


async def _revise(
    tx: Transaction, sent: EncounterIn, present: Row, detail: Mapping[str, Any], digest: str, natural: str
) -> str:
    """The EHR says it anew: taken while nothing of it has been sent, refused after that."""
    claim = await store.load(tx, present["claim_id"], lock=True) if present["claim_id"] else None
    if claim is not None and (claim.status not in UNSENT or claim.attempts):
        raise Conflict(
            "already_sent",
            "The claim of this session has been sent; correct the claim instead.",
            more={"claim": {"id": claim.id, "href": f"/v1/claims/{claim.id}"}},
        )
    content, status = coded(sent)
    values: dict[str, Any] = {
        "id": present["id"],
        "practice_id": sent.practice_id,
        "external_id": sent.external_id,
        "patient_id": derived_id("pat", tx.tenant, sent.practice_id, sent.patient.external_id),
        "claim_id": (claim.id if claim else new_id("clm")) if content is not None else present["claim_id"],
        "service_date": sent.service.date,
        "status": status,
        "revision": present["revision"] + 1,
        "version": present["version"] + 1,
        "content_hash": digest,
        "natural_key": natural,
        "detail": detail,
    }
    await tx.execute(
        tables.encounter.update().where(tables.encounter.c.id == present["id"]).values(**values, updated_at=tx.now)
    )
    await _keep_revision(tx, values)
    await tasks.close(tx, subject_id=present["id"], outcome="sent_again")
    if not _asks_the_same(present["detail"], detail):
        await tx.execute(
            tables.known.delete().where(tables.known.c.kind == "eligibility", tables.known.c.id == present["id"])
        )
    await _claim(tx, sent, values, content, status, claim)
    return str(present["id"])


def _asks_the_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the payer's answer to the earlier revision still answers this one."""
    asked = ("coverages", "patient", "authorization", "lines")
    return all(before[name] == after[name] for name in asked) and before["service"]["date"] == after["service"]["date"]


async def _keep_revision(tx: Transaction, values: Mapping[str, Any]) -> None:
    await tx.execute(
        tables.encounter_revision.insert().values(
            tenant_id=tx.tenant,
            encounter_id=values["id"],
            revision=values["revision"],
            practice_id=values["practice_id"],
            detail=values["detail"],
            received_at=tx.now,
        )
    )


def coded(sent: EncounterIn) -> tuple[Content | None, str]:
    """What the claim would say, and the encounter's status; no content where there is nothing to bill a payer for."""
    if not sent.billing_flags.billable:
        return None, "not_billable"
    if sent.billing_flags.self_pay_restriction:
        return None, "self_pay"
    try:
        lines = _as_sent(sent) if sent.lines else _from_minutes(sent)
    except coding.NotBillable:
        return None, "minutes_not_billable"
    diagnoses = sorted(sent.diagnoses, key=lambda diagnosis: diagnosis.rank)
    content = Content(
        place_of_service=sent.service.place_of_service,
        modality=sent.service.modality,
        diagnoses=tuple(diagnosis.code.replace(".", "") for diagnosis in diagnoses),
        lines=lines,
        authorization_number=sent.authorization.number if sent.authorization else None,
    )
    return content, "charge_ready"


def _as_sent(sent: EncounterIn) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=new_id("sln"),
            code=line.code,
            modifiers=tuple(line.modifiers),
            units=line.units,
            charge_cents=line.charge_cents,
            pointers=tuple(line.dx_pointers) or (1,),
            minutes=_minutes(sent, line),
            reason="as the EHR coded it",
        )
        for line in sent.lines
    )


def _minutes(sent: EncounterIn, line: LineIn) -> int | None:
    """The line's own minutes, else the session's; a start and a stop say them too."""
    if line.minutes is not None:
        return line.minutes
    if line.start_stop is not None:
        return int((line.start_stop[1] - line.start_stop[0]).total_seconds() // 60)
    return session_minutes(sent)


def session_minutes(sent: EncounterIn) -> int | None:
    service = sent.service
    said = service.psychotherapy_minutes if service.psychotherapy_minutes is not None else service.minutes
    if said is None and service.start is not None and service.stop is not None and service.em is None:
        return int((service.stop - service.start).total_seconds() // 60)
    return said


def _from_minutes(sent: EncounterIn) -> tuple[Line, ...]:
    service = sent.service
    assert service.kind is not None, "checked before"
    payer_id = min(sent.coverages, key=lambda c: c.rank).payer.id if sent.coverages else None
    minutes = session_minutes(sent)
    found = coding.code(
        coding.Session(
            kind=service.kind,
            minutes=minutes,
            on=service.date,
            visit_code=service.em,
            service_code=service.service_code,
            interactive_complexity=service.interactive_complexity,
            rounding=payers.payer(payer_id, service.date).rounding if payer_id else ROUTINE,
        )
    )
    pointers = tuple(range(1, min(len(sent.diagnoses), 4) + 1))
    return tuple(
        Line(id=new_id("sln"), code=one.code, units=one.units, pointers=pointers, minutes=minutes, reason=one.reason)
        for one in found
    )


async def _claim(
    tx: Transaction,
    sent: EncounterIn,
    encounter: Mapping[str, Any],
    content: Content | None,
    status: str,
    present: Claim | None = None,
) -> None:
    """The encounter's claim says what the session supports, and everybody has been told; or a person has work."""
    tx.correlation_id = encounter["id"]
    if content is None:
        if present is not None and present.can(Step.VOID):
            await move(tx, present, Step.VOID, words=f"the EHR sent it again: {status}")
        await _unbillable(tx, encounter, status)
        return
    fresh = Claim(
        id=encounter["claim_id"],
        encounter_id=encounter["id"],
        practice_id=encounter["practice_id"],
        patient_id=encounter["patient_id"],
        external_id=encounter["external_id"],
        service_date=encounter["service_date"],
        provider_npi=sent.providers.rendering.npi,
        content=content,
    )
    fresh = await scrub.priced(tx, fresh)
    if present is None:
        claim = await create(tx, fresh, "coded from the encounter")
    else:
        names = ("patient_id", "service_date", "provider_npi", "content")
        revised = {name: getattr(fresh, name) for name in names}
        claim = await move(tx, present, Step.REVISE, words="the EHR sent it again", **revised)
    await outbox.add(tx, _told(sent, encounter, claim), sequence=encounter["version"])
    await scrub.run(tx, claim.id)
    others = [other.id for other in await store.same_day(tx, claim) if other.status in UNSENT]
    await learn.scrub_later(tx, others)


async def _unbillable(tx: Transaction, encounter: Mapping[str, Any], status: str) -> None:
    owner = {"minutes_not_billable": "clinician", "self_pay": "front_desk"}.get(status)
    if owner is not None:
        await tasks.open(
            tx,
            reason=status,
            subject_type="encounter",
            subject_id=encounter["id"],
            practice_id=encounter["practice_id"],
            owner=owner,
            due_on=business_days(tx.today, 2),
        )


def _told(sent: EncounterIn, encounter: Mapping[str, Any], claim: Claim) -> EncounterCreated:
    patient = sent.patient
    return EncounterCreated(
        encounter_id=encounter["id"],
        claim_id=claim.id,
        practice_id=claim.practice_id,
        patient_id=claim.patient_id,
        code_family=claim.code_family,
        charge_cents=claim.charge_cents,
        collected_cents=sum(taken.amount_cents for taken in sent.collected_at_visit),
        revision=encounter["revision"],
        sealed=EncounterDetail(
            external_id=sent.external_id,
            patient_external_id=patient.external_id,
            first_name=patient.first_name,
            last_name=patient.last_name,
            middle_name=patient.middle_name,
            dob=patient.dob,
            sex=patient.sex,
            address=Address(**patient.address.model_dump()) if patient.address else None,
            coverages=[_coverage(coverage) for coverage in sorted(sent.coverages, key=lambda c: c.rank)],
            service_date=claim.service_date,
            place_of_service=claim.content.place_of_service,
            modality=claim.content.modality,
            diagnoses=list(claim.content.diagnoses),
            services=[
                CodedService(
                    line_id=line.id,
                    procedure=line.code,
                    modifiers=list(line.modifiers),
                    units=line.units,
                    charge_cents=line.charge_cents or 0,
                )
                for line in claim.content.lines
            ],
            rendering_npi=claim.provider_npi,
            authorization_number=claim.content.authorization_number,
            eap=sent.billing_flags.eap,
        ),
    )


def _coverage(coverage: Any) -> EncounterCoverage:
    subscriber = coverage.subscriber
    return EncounterCoverage(
        rank=coverage.rank,
        payer_id=coverage.payer.id,
        member_id=coverage.member_id,
        group_number=coverage.group_number,
        relationship=coverage.relationship,
        subscriber_first_name=subscriber.first_name if subscriber else None,
        subscriber_last_name=subscriber.last_name if subscriber else None,
        subscriber_dob=subscriber.dob if subscriber else None,
    )


def parse(body: bytes, practice_id: str | None) -> EncounterIn:
    """The encounter in a webhook's body. Raises Malformed, or Invalid naming the fields."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("The body is not JSON.") from None
    if isinstance(content, dict) and set(content) == {"type", "data"}:
        content = content["data"]
    try:
        sent = EncounterIn.model_validate(content)
    except ValidationError as error:
        raise Invalid(field_errors([{**one, "loc": ("body", *one["loc"])} for one in error.errors()])) from None
    if practice_id is not None and sent.practice_id != practice_id:
        raise Invalid([FieldError("/practice_id", "not_of_source", "This source belongs to another practice.")])
    return sent


async def from_ehr(tx: Transaction, message: InboundMessage) -> None:
    """The EHR's webhook says the same as POST /v1/encounters."""
    await receive(tx, parse(message.body, message.practice_id))
