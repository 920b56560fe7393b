"""What a session supports becomes the lines of a claim: as the EHR coded it, or from its minutes."""

from typing import Final

from libs.codes import payers
from libs.common.ids import new_id
from services.claims import coding
from services.claims.domain import Content, Line
from services.claims.views import EncounterIn, LineIn

ROUTINE = "eight_minute"


MINUTES_NOT_BILLABLE: Final = "minutes_not_billable"


def coded(sent: EncounterIn) -> tuple[Content | None, str, str]:
    """What the claim would say, the encounter's status, and the reason in words where no payer is billed."""
    if not sent.billing_flags.billable:
        return None, "not_billable", "the EHR says that it is not billed"
    if sent.billing_flags.self_pay_restriction:
        return None, "self_pay", "the patient pays and wants no payer to know"
    try:
        lines = _as_sent(sent) if sent.lines else _from_minutes(sent)
    except coding.NotBillable as reason:
        return None, MINUTES_NOT_BILLABLE, str(reason)
    diagnoses = sorted(sent.diagnoses, key=lambda diagnosis: diagnosis.rank)
    content = Content(
        place_of_service=sent.service.place_of_service,
        modality=sent.service.modality,
        diagnoses=tuple(diagnosis.code.replace(".", "") for diagnosis in diagnoses),
        lines=lines,
        authorization_number=sent.authorization.number if sent.authorization else None,
    )
    return content, "charge_ready", ""


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
