"""Answers that speak of the business: 277CA for claims, AAA for an inquiry, status E for a status inquiry."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from libs.x12.findings import Finding
from libs.x12.reading import Reading, Transaction
from libs.x12.records import (
    AcknowledgedClaim,
    Amount,
    Claim,
    ClaimAcknowledgement,
    ClaimFile,
    EligibilityAnswer,
    EligibilityInquiry,
    EligibilityResponse,
    Envelope,
    Party,
    Quantity,
    Rejection,
    Status,
    StatusAnswer,
    StatusInquiry,
    StatusResponse,
    Tally,
)
from libs.x12.rules.segments import luhn_npi
from libs.x12.scan import Scan, at, clean


def _claim_files(data: bytes) -> Iterator[tuple[Transaction, ClaimFile]]:
    for transaction in Reading(data):
        if transaction.set in ("837P", "837I"):
            record = transaction.record
            assert isinstance(record, ClaimFile)
            yield transaction, record


#: Finding code to (category, claim status code, entity): what a claim's rejection says.
STATUS_OF = {
    "CLAIM_CHARGE": ("A8", "178", ""), "NEGATIVE_CHARGE": ("A7", "178", ""), "ORIGINAL_REFERENCE": ("A6", "464", ""),
    "DIAGNOSIS_POINTER": ("A8", "477", ""), "DIAGNOSIS": ("A7", "254", ""), "DIAGNOSIS_VERSION": ("A7", "254", ""),
    "PROCEDURE": ("A7", "454", ""), "MODIFIER": ("A7", "453", ""), "NPI": ("A7", "562", "85"),
    "DATE_IN_FUTURE": ("A7", "187", ""), "DATE_ORDER": ("A8", "187", ""), "COB_LINE_BALANCE": ("A8", "400", ""),
    "COB_CLAIM_BALANCE": ("A8", "400", ""), "COB_PAID": ("A8", "400", ""), "TAXONOMY": ("A7", "145", "85"),
    "SUBSCRIBER_INCOMPLETE": ("A6", "125", "IL"), "SUBSCRIBER_PATIENT": ("A8", "125", "IL"),
    "PRIOR_PAYER_MISSING": ("A6", "286", ""), "UNITS": ("A7", "476", ""), "POSTAL_CODE": ("A7", "500", "85"),
}  # fmt: skip


def answer_837(data: bytes, scan: Scan, reply: Envelope) -> Iterator[ClaimAcknowledgement]:
    """Every claim accepted, or rejected with what our findings of any level say of it."""
    for transaction, file in _claim_files(data):
        control = transaction.control
        start = next((i for _, sets in scan.groups for st, i, _ in sets if at(st, 2) == control), 0)
        own = [f for f in scan.findings if f.transaction == control and f.segment_index >= start]
        yield claim_acknowledgement(file, own, reply)


def claim_acknowledgement(file: ClaimFile, findings: list[Finding], reply: Envelope) -> ClaimAcknowledgement:
    """The 277CA for a claim file: its claims accepted but for those that a finding concerns."""
    day = reply.created.date()
    wrong: dict[int, list[Finding]] = {}
    general: list[Finding] = []
    for finding in findings:
        owner = next(
            (i for i, c in enumerate(file.claims) if c.source and c.source.start <= finding.offset < c.source.end), None
        )
        if owner is None and finding.claim:
            owner = next((i for i, c in enumerate(file.claims) if c.pcn == finding.claim), None)
        if owner is None:
            general.append(finding)
        else:
            wrong.setdefault(owner, []).append(finding)
    taken = _taken(file, day)
    claims = []
    for index, claim in enumerate(file.claims):
        reasons = wrong.get(index) or [f for f in general if _concerns(f, claim)]
        claims.append(_acknowledged(claim, reasons, taken))
    counts = [claim.accepted for claim in claims]
    charges = [claim.charge_cents for claim in file.claims]
    accepted, rejected = counts.count(True), counts.count(False)
    yes = sum(c for c, ok in zip(charges, counts, strict=True) if ok)
    no = sum(charges) - yes
    return ClaimAcknowledgement(
        envelope=reply,
        source=Party(
            code=taken.entity,
            name=clean(file.receiver.name) or "RECEIVER",
            id_qualifier="46",
            id=(clean(file.receiver.id) or reply.sender_id).rjust(2, "0"),
        ),
        receiver=replace(
            _named(file.submitter, "46", ""),
            id_qualifier="46",
            id=(clean(file.submitter.id) or reply.receiver_id).rjust(2, "0"),
        ),
        reference=f"{reply.control_number}",
        trace=f"{reply.control_number}",
        created=reply.created,
        received=day,
        processed=day,
        batch=Tally(
            trace=clean(file.reference) or "0",
            statuses=(replace(taken, category="A1", code="19", charge_cents=yes + no),),
            quantities=_quantities(("90", accepted), ("AA", rejected)),
            amounts=_amounts(("YU", yes), ("YY", no)),
        ),
        claims=tuple(_with_tallies(claims, taken)),
    )


def _taken(file: ClaimFile, day: date) -> Status:
    """What whoever answers says of a claim that it takes: a payer, that it will decide (A2); a clearinghouse, that it
    has it (A1), since it decides nothing. The receiver is the payer where all claims go to it."""
    if all(claim.payer.id == file.receiver.id for claim in file.claims):
        return Status(category="A2", code="20", entity="PR", effective=day, action="WQ")
    return Status(category="A1", code="19", entity="AY", effective=day, action="WQ")


def _with_tallies(claims: list[AcknowledgedClaim], taken: Status) -> Iterator[AcknowledgedClaim]:
    """Each claim with the sums of its provider's (2200C), one record for neighbours of the same provider."""
    for _, group in groupby(claims, key=lambda claim: claim.provider):
        run = list(group)
        yes = [claim.statuses[0].charge_cents or 0 for claim in run if claim.accepted]
        no = [claim.statuses[0].charge_cents or 0 for claim in run if not claim.accepted]
        tally = Tally(
            trace="0",
            statuses=(replace(taken, category="A1", code="19", effective=None, charge_cents=sum(yes) + sum(no)),),
            quantities=_quantities(("QA", len(yes)), ("QC", len(no))),
            amounts=_amounts(("YU", sum(yes)), ("YY", sum(no))),
        )
        for claim in run:
            yield replace(claim, provider_tally=tally)


def _quantities(*pairs: tuple[str, int]) -> tuple[Quantity, ...]:
    return tuple(Quantity(qualifier=name, quantity=Decimal(count)) for name, count in pairs if count)


def _amounts(*pairs: tuple[str, int]) -> tuple[Amount, ...]:
    return tuple(Amount(qualifier=name, amount_cents=value) for name, value in pairs if value)


def _concerns(finding: Finding, claim: Claim) -> bool:
    """A finding above the claims concerns those beneath it."""
    if finding.loop in ("2000B", "2010BA", "2010BB"):
        subscriber = claim.source.start if claim.source else 0
        return 0 <= subscriber - finding.offset < 5_000 and not finding.claim
    return finding.loop in ("1000A", "1000B", "2000A", "2010AA", "2010AB")


def _acknowledged(claim: Claim, reasons: list[Finding], taken: Status) -> AcknowledgedClaim:
    accepted = replace(taken, charge_cents=claim.charge_cents)
    statuses = [
        replace(accepted, category=category, code=code, entity=entity, action="U")
        for category, code, entity in dict.fromkeys(STATUS_OF.get(f.code, ("A7", "21", "")) for f in reasons)
    ]
    person = claim.patient.party if claim.patient else claim.subscriber.party
    days = [line.service_date for line in claim.lines if line.service_date]
    return AcknowledgedClaim(
        pcn=clean(claim.pcn) or "0",
        statuses=tuple(statuses) or (accepted,),
        provider=_named(claim.billing_provider, "FI", claim.billing_provider.tax_id),
        patient=_named(replace(person, person=True), "MI", claim.subscriber.party.id),
        service_date=min(days, default=None),
        service_end=max(days) if len(set(days)) > 1 else None,
    )


def _named(party: Party, qualifier: str, fallback: str) -> Party:
    """A party's name and number alone, with something in place of what the file lacks."""
    usual = {"FI": ("XX", "FI", "SV"), "MI": ("MI", "II")}.get(qualifier, ())
    known = bool(party.id and party.id_qualifier in usual)
    known = known and (party.id_qualifier != "XX" or luhn_npi(party.id))
    return Party(
        name=clean(party.name) or "UNKNOWN",
        first_name=clean(party.first_name) if party.person else "",
        middle_name=clean(party.middle_name) if party.person else "",
        suffix=clean(party.suffix),
        person=party.person,
        id_qualifier=party.id_qualifier if known else qualifier,
        id=clean(party.id if known else fallback) or "000000000",
    )


def answer_270(data: bytes, scan: Scan, reply: Envelope) -> Iterator[EligibilityResponse]:
    """AAA for every question of a 270 that has findings."""
    for transaction in Reading(data):
        record = transaction.record
        if not isinstance(record, EligibilityInquiry):
            continue
        wrong = [f for f in scan.findings if f.transaction == transaction.control]
        answers = [_refused(question, _aaa(wrong)) for question in record.questions if wrong]
        if answers:
            yield EligibilityResponse(
                envelope=reply, reference=record.reference, created=reply.created, answers=tuple(answers)
            )


#: Segment and element of a finding to (reason, follow-up, level) of an AAA.
_AAA = {
    ("2100A", "NM1"): ("79", "C", "2100A"), ("2100B", "NM1"): ("43", "C", "2100B"),
    ("2100C", "NM1"): ("72", "C", "2100C"), ("2100C", "DMG"): ("58", "C", "2100C"),
    ("2100C", "DTP"): ("57", "C", "2100C"), ("2110C", "EQ"): ("15", "C", "2100C"),
    ("2100D", "NM1"): ("73", "C", "2100D"), ("2100D", "DMG"): ("58", "C", "2100D"),
}  # fmt: skip


def _aaa(findings: list[Finding]) -> tuple[Rejection, ...]:
    found = dict.fromkeys(_AAA.get((f.loop, f.segment), ("15", "C", "")) for f in findings)
    return tuple(Rejection(reason=reason, follow_up=follow, level=level) for reason, follow, level in found)[:9]


def _refused(question: Any, rejections: tuple[Rejection, ...]) -> EligibilityAnswer:
    traces = tuple(replace(trace, kind="2") for trace in question.traces)
    return EligibilityAnswer(
        payer=question.payer,
        provider=question.provider,
        subscriber=question.subscriber,
        dependent=question.dependent,
        relationship="",
        traces=traces,
        rejections=rejections,
    )


def answer_276(data: bytes, scan: Scan, reply: Envelope) -> Iterator[StatusResponse]:
    """Status E0 for every question of a 276 that has findings."""
    for transaction in Reading(data):
        record = transaction.record
        if not isinstance(record, StatusInquiry):
            continue
        wrong = [f for f in scan.findings if f.transaction == transaction.control]
        day = reply.created.date()
        answers = tuple(
            StatusAnswer(
                payer=question.payer,
                receiver=question.receiver,
                provider=question.provider,
                subscriber=replace(question.subscriber, birth_date=None, gender=""),
                dependent=question.dependent,
                trace=question.trace or "0",
                statuses=(Status(category="E0", code="21", effective=day),),
                pcn=question.pcn,
                payer_control_number=question.payer_control_number,
            )
            for question in record.questions
            if wrong
        )
        if answers:
            yield StatusResponse(envelope=reply, reference=record.reference, created=reply.created, answers=answers)
