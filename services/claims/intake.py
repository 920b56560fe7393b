"""The EHR's sessions come in: checked, coded, kept with their revisions, and told as encounter.created."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
from pydantic import ValidationError

from libs.common import clearinghouse, tasks, telemetry
from libs.common.db import Row, Transaction
from libs.common.ids import derived_id, new_id
from libs.common.problems import Conflict, FieldError, Invalid, Malformed, Problem, field_errors
from libs.common.webhooks import InboundMessage, Written
from services.claims import consents, learn, overlaps, scrub, store, tables
from services.claims.charge_capture import MINUTES_NOT_BILLABLE, coded
from services.claims.domain import UNSENT, Claim, Content, Step
from services.claims.lifecycle import move
from services.claims.settings import business_days
from services.claims.vetting import content_hash, natural_key, vet
from services.claims.views import EncounterIn

BREATH: Final = 10
"""After so many sessions of a batch others have their turn."""
FEW: Final = 64
"""So many sessions are locked one by one."""

AtWork = Callable[[Transaction], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of one message: `created`, `revised` or neither (it said nothing new)."""

    encounter_id: str
    created: bool = False
    revised: bool = False
    row: Row | None = None
    """The encounter as it was written, where it was `created`."""
    claim: Claim | None = None
    """Its claim, where it was `created` and can be billed; no rule has looked at it, so it has no findings."""


async def receive(tx: Transaction, sent: EncounterIn) -> Received:
    """The session is kept once by its external id. Raises Invalid, Conflict (a duplicate, or sent already)."""
    message = _message(tx, sent)
    [before] = await _before(tx, [message])
    present = None
    if before["present"]:
        present = await _present(tx, sent)
        if present["content_hash"] == message.digest:
            return Received(encounter_id=present["id"])
    if before["twin"] is not None and sent.allow_duplicate_reason is None:
        raise Conflict(
            "duplicate_encounter",
            "The same session is here under another external id; say allow_duplicate_reason if it is not.",
            more={"existing": {"id": before["twin"], "href": f"/v1/encounters/{before['twin']}"}},
        )
    if present is None:
        return await _new(tx, message, first_of_day=not before["others"])
    return Received(encounter_id=await _revise(tx, message, present), revised=True)


async def receive_all(
    tx: Transaction, several: Sequence[EncounterIn], work: Sequence[AtWork] = ()
) -> list[Received | Problem]:
    """Each session is taken or refused by itself, as `receive` would take them one after the other.

    What is plainly new is looked up at once and written at once; what repeats another, or is here already, comes after.
    `work` says for each what surrounds what is done for it; without it, they are all of one request.
    """
    around = work or [nullcontext] * len(several)
    found: list[Received | Problem | None] = [None] * len(several)
    messages: dict[int, Message] = {}
    for index, sent in enumerate(several):
        try:
            messages[index] = _message(tx, sent)
        except Problem as problem:
            found[index] = problem
    first = _first_of_their_kind(messages)
    looked = await _before(tx, list(first.values()))
    for number, ((index, message), before) in enumerate(zip(first.items(), looked, strict=True), start=1):
        if not (before["present"] or before["twin"] or before["others"]):
            with around[index](tx):
                found[index] = await _new(tx, message, first_of_day=True)
        if number % BREATH == 0:
            await tx.meanwhile()
    for index, message in messages.items():
        if found[index] is None:
            try:
                with around[index](tx):
                    async with tx.savepoint():
                        found[index] = await receive(tx, message.sent)
            except Problem as problem:
                found[index] = problem
    return [one for one in found if one is not None]


def _first_of_their_kind(messages: Mapping[int, "Message"]) -> dict[int, "Message"]:
    """Those that share neither id nor session, nor patient and day, with one before them."""
    seen: set[tuple[object, ...]] = set()
    found = {}
    for index, message in messages.items():
        sent = message.sent
        names = {
            (sent.practice_id, sent.external_id),
            (sent.practice_id, message.natural, "was"),
            (message.patient_id, sent.service.date, "on"),
        }
        if not names & seen:
            found[index] = message
        seen |= names
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A session as the EHR sent it, and what it is recognised by."""

    sent: EncounterIn
    detail: dict[str, Any]
    digest: str
    natural: str
    patient_id: str


def _message(tx: Transaction, sent: EncounterIn) -> Message:
    """What was sent, when it makes sense. Raises Invalid."""
    vet(sent, tx.today)
    detail = sent.model_dump(mode="json")
    return Message(
        sent=sent,
        detail=detail,
        digest=content_hash(detail),
        natural=natural_key(sent),
        patient_id=derived_id("pat", tx.tenant, sent.practice_id, sent.patient.external_id),
    )


async def _before(tx: Transaction, messages: Sequence[Message]) -> Sequence[Row]:
    """What is known of the sessions, their practices and people, in their order.

    Two messages about one session, by its id or by what it was, are looked at one after the other. Of a few, nobody
    else is at the same sessions; of more, nothing else of their practices comes in (a lock for each of their names
    would be thousands), and what is known is asked when it is needed.
    """
    if not messages:
        return []
    few = len(messages) <= FEW
    locks = [name for message in messages for name in _names(tx, message)] if few else None
    asked = [_asked(message) for message in messages]
    found = await tx.all(_BEFORE, {"locks": locks, **{name: [one[name] for one in asked] for name in asked[0]}})
    for message, before in zip(messages, found, strict=True):
        if before["providers_known"] is not None:  # the first of this practice and these people, of a few
            _know(tx, message, before)
    return found


def _names(tx: Transaction, message: Message) -> list[str]:
    of_practice = f"claims/intake/{tx.tenant}/{message.sent.practice_id}"
    return [f"{of_practice}/id/{message.sent.external_id}", f"{of_practice}/was/{message.natural}"]


def _asked(message: Message) -> dict[str, Any]:
    sent = message.sent
    return {
        "practice": sent.practice_id,
        "named": sent.external_id,
        "was": message.natural,
        "patient": message.patient_id,
        "on": sent.service.date,
        "place": sent.providers.facility_id,
        "npi": sent.providers.rendering.npi,
    }


def _know(tx: Transaction, message: Message, before: Row) -> None:
    """What the look has brought need not be asked again."""
    sent = message.sent
    tx.known |= {
        clearinghouse.ZONE: before["time_zone"],
        ("practice", sent.practice_id): before["practice_known"],
        ("location", sent.providers.facility_id): before["place_known"],
        ("provider", "by", sent.providers.rendering.npi): before["providers_known"],
    }


async def _present(tx: Transaction, sent: EncounterIn) -> Row:
    return await tx.one(
        sa.select(tables.encounter)
        .where(tables.encounter.c.practice_id == sent.practice_id, tables.encounter.c.external_id == sent.external_id)
        .with_for_update()
    )


async def _new(tx: Transaction, message: Message, *, first_of_day: bool) -> Received:
    sent = message.sent
    encounter_id, claim_id = new_id("enc"), new_id("clm")
    tx.known["eligibility", encounter_id] = None  # nobody can have been told of it yet
    content, status, why = coded(sent)
    values = {
        "id": encounter_id,
        "practice_id": sent.practice_id,
        "external_id": sent.external_id,
        "source_system": sent.source.system if sent.source else None,
        "patient_id": message.patient_id,
        "claim_id": claim_id if content is not None else None,
        "service_date": sent.service.date,
        "status": status,
        "revision": 1,
        "version": 1,
        "content_hash": message.digest,
        "natural_key": message.natural,
        "detail": message.detail,
        "tenant_id": tx.tenant,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    tx.later(_INSERT, values)
    await _keep_revision(tx, values)
    claim = await _claim(tx, sent, values, content, why)
    if claim is not None and not first_of_day:
        await _look_again(tx, claim, None)
    return Received(encounter_id=encounter_id, created=True, row=values, claim=claim)


async def _revise(tx: Transaction, message: Message, present: Row) -> str:
    """The EHR says it anew: taken while nothing of it has been sent, refused after that."""
    sent, detail = message.sent, message.detail
    claim = await store.load(tx, present["claim_id"], lock=True) if present["claim_id"] else None
    if claim is not None and (claim.status not in UNSENT or claim.attempts):
        raise Conflict(
            "already_sent",
            "The claim of this session has been sent; correct the claim instead.",
            more={"claim": {"id": claim.id, "href": f"/v1/claims/{claim.id}"}},
        )
    content, status, why = coded(sent)
    values: dict[str, Any] = {
        "id": present["id"],
        "practice_id": sent.practice_id,
        "external_id": sent.external_id,
        "patient_id": message.patient_id,
        "claim_id": (claim.id if claim else new_id("clm")) if content is not None else present["claim_id"],
        "service_date": sent.service.date,
        "status": status,
        "revision": present["revision"] + 1,
        "version": present["version"] + 1,
        "content_hash": message.digest,
        "natural_key": message.natural,
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
    told = await _claim(tx, sent, values, content, why, claim)
    if told is not None:
        await _look_again(tx, told, claim)
    return str(present["id"])


def _asks_the_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the payer's answer to the earlier revision still answers this one."""
    asked = ("coverages", "patient", "authorization", "lines")
    return all(before[name] == after[name] for name in asked) and before["service"]["date"] == after["service"]["date"]


async def _keep_revision(tx: Transaction, values: Mapping[str, Any]) -> None:
    tx.later(
        _INSERT_REVISION,
        {
            "tenant_id": tx.tenant,
            "encounter_id": values["id"],
            "revision": values["revision"],
            "practice_id": values["practice_id"],
            "detail": values["detail"],
            "received_at": tx.now,
        },
    )


async def _claim(
    tx: Transaction,
    sent: EncounterIn,
    encounter: Mapping[str, Any],
    content: Content | None,
    why: str,
    present: Claim | None = None,
) -> Claim | None:
    """The encounter's claim says what the session supports, and everybody has been told; or a person has work."""
    tx.correlation_id = encounter["id"]
    if content is None:
        if present is not None and present.can(Step.VOID):
            await move(tx, present, Step.VOID, words=f"the EHR sent it again: {why}")
        await _unbillable(tx, encounter, why)
        return None
    fresh = Claim(
        id=encounter["claim_id"],
        encounter_id=encounter["id"],
        practice_id=encounter["practice_id"],
        patient_id=encounter["patient_id"],
        external_id=encounter["external_id"],
        service_date=encounter["service_date"],
        provider_npi=sent.providers.rendering.npi,
        content=content,
        traceparent=telemetry.current(),
    )
    fresh = await scrub.priced(tx, fresh)
    if present is None:
        claim = fresh  # a draft that nobody sees: it goes on at once, and is written and told as what it becomes
        await store.remember(tx, claim, "create", "coded from the encounter")
    else:
        names = ("patient_id", "service_date", "provider_npi", "content")
        revised = {name: getattr(fresh, name) for name in names}
        claim = await move(tx, present, Step.REVISE, words="the EHR sent it again", **revised)
    await consents.tell_session(tx, sent, encounter, claim)
    return await scrub.stand(tx, claim, encounter["detail"])


async def _look_again(tx: Transaction, claim: Claim, before: Claim | None) -> None:
    """The patient's other claims of that day are held against this one too, and those that it no longer overlaps."""
    others = [other.id for other in await store.same_day(tx, claim) if other.status in UNSENT]
    if before is not None and overlaps.REASON in before.reasons:
        others += await overlaps.held(tx, before)
    await learn.scrub_later(tx, others)


async def _unbillable(tx: Transaction, encounter: Mapping[str, Any], why: str) -> None:
    status = encounter["status"]
    owner = {MINUTES_NOT_BILLABLE: "clinician", "self_pay": "front_desk"}.get(status)
    if owner is not None:
        await tasks.open(
            tx,
            reason=status,
            subject_type="encounter",
            subject_id=encounter["id"],
            practice_id=encounter["practice_id"],
            owner=owner,
            due_on=business_days(tx.today, 2),
            detail=why,
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


async def from_ehr(tx: Transaction, message: InboundMessage) -> Written:
    """The EHR's webhook says the same as POST /v1/encounters."""
    sent = parse(message.body, message.practice_id)
    return Written("encounter", [(await receive(tx, sent)).encounter_id], sent.practice_id)


_BEFORE = sa.text("select * from claims.before_each(:locks, :practice, :named, :was, :patient, :on, :place, :npi)")
_INSERT = tables.encounter.insert()
_INSERT_REVISION = tables.encounter_revision.insert()
