"""A file arrives: kept first, then answered with TA1, 999 and, for each payer in it, a 277CA."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common import timers
from libs.common.db import Transaction
from services.sandbox import enrolment, mailbox, night, store
from services.sandbox.acknowledge import CLEARINGHOUSE, Answerer, Taken, judge, ta1, write_277ca, write_999
from services.sandbox.claims837 import Claim, read_claims, submitter
from services.sandbox.intake837 import Known, Refusal, refuse
from services.sandbox.mailbox import StoredFile
from services.sandbox.pay import adjudication_time, payment_time, release_time
from services.sandbox.plans import Payer, payer_by_edi
from services.sandbox.scenarios import Faults
from services.sandbox.segments import BrokenEnvelope, Header, Interchange, read_interchange

AFTER_THE_835 = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbered:
    """A claim with its place in the whole file, and the submitter of its set."""

    position: int
    claim: Claim
    submitter: tuple[str, str, str]


async def receive(tx: Transaction, submitter_id: str, control_number: str, body: bytes) -> StoredFile:
    """The file and every answer to it are on record; the same bytes under the same number are answered once."""
    file = await mailbox.store_file(tx, submitter_id, control_number, body)
    if not file.new:
        return file
    try:
        interchange = read_interchange(body)
    except BrokenEnvelope as broken:
        await _ta1(tx, file, broken.isa or (), broken.note)
        return file
    if interchange.isa[14] == "1":
        await _ta1(tx, file, interchange.isa, "000")
    await _take_groups(tx, file, interchange)
    return file


async def _ta1(tx: Transaction, file: StoredFile, isa: tuple[str, ...], note: str) -> None:
    assert isa, "a file without a readable ISA is refused at the door"
    number = await mailbox.next_control_number(tx)
    body = ta1(isa, note, control_number=number, created=tx.now)
    await mailbox.deliver(tx, file.submitter_id, "TA1", body, at=tx.now)


async def _take_groups(tx: Transaction, file: StoredFile, interchange: Interchange) -> None:
    """A 999 for every group; the claims of accepted sets go to their payers, in the order of the file."""
    found: list[_Numbered] = []
    for group in interchange.groups:
        judged = judge(group)
        number = await mailbox.next_control_number(tx)
        body = write_999(interchange, judged, control_number=number, created=tx.now)
        await mailbox.deliver(tx, file.submitter_id, "999", body, at=tx.now)
        for transaction in judged.accepted:
            who = submitter(transaction)
            for claim in read_claims(transaction):
                found.append(_Numbered(position=len(found), claim=claim, submitter=who))
    for edi_id in sorted({one.claim.payer.id for one in found}):
        of_payer = [one for one in found if one.claim.payer.id == edi_id]
        payer = payer_by_edi(edi_id)
        if payer is None:
            await _no_such_payer(tx, file, of_payer, interchange.isa[15])
        else:
            await _take_in(tx, file, payer, of_payer, interchange.isa[15])


async def _no_such_payer(tx: Transaction, file: StoredFile, found: list[_Numbered], usage: str) -> None:
    """The clearinghouse itself returns what it cannot route."""
    refusal = Refusal(category="A7", status="153", entity="PR")
    taken = [(one, Taken(claim=one.claim, icn="", refusals=(refusal,))) for one in found]
    answerer = Answerer(code="AY", name="PARITY CLEARINGHOUSE", qualifier="46", id=CLEARINGHOUSE)
    await _answer(tx, file, answerer, CLEARINGHOUSE, taken, usage, at=tx.now, copies=1)


async def _take_in(tx: Transaction, file: StoredFile, payer: Payer, found: list[_Numbered], usage: str) -> None:
    """The payer's intake of its part of the file: filed or returned, and the 277CA that says so.

    Of a test (ISA15 T) nothing is filed, so nothing is ever paid.
    """
    await store.lock_payer(tx, payer.payer_id)
    ids = {one.claim.subscriber.id for one in found}
    members = await enrolment.members(tx, payer.payer_id, ids)
    scenarios = await enrolment.scenarios(tx, ids)
    answers: dict[tuple[datetime | None, int], list[tuple[_Numbered, Taken]]] = {}
    for one in found:
        claim = one.claim
        attempt = await store.attempt(tx, payer.payer_id, claim.subscriber.id, claim.service_from)
        faults = Faults.of(scenarios, payer.payer_id, claim.subscriber.id, claim.service_from, attempt)
        known = Known(
            member=members.get(claim.subscriber.id),
            original_stands=await _original_stands(tx, payer, claim),
            forced=faults.refusal(),
        )
        refusals = refuse(claim, payer, known, tx.today)
        icn = await store.free_number(tx, payer, tx.today, *_content(claim))
        if not refusals and usage == "P":
            await _file(tx, file, payer, one, icn, attempt, faults)
        when = _release(payer, faults, tx.now)
        answers.setdefault(when, []).append((one, Taken(claim=claim, icn=icn, refusals=refusals)))
    answerer = Answerer(code="PR", name=payer.name, qualifier="PI", id=payer.edi_id)
    for (at, copies), taken in answers.items():
        await _answer(tx, file, answerer, payer.edi_id, taken, usage, at=at, copies=copies)
    due = await store.next_due(tx, payer.payer_id)
    if due is not None:
        await timers.set(tx, night.NIGHT, payer.payer_id, at=due)


async def _original_stands(tx: Transaction, payer: Payer, claim: Claim) -> bool:
    if claim.frequency not in ("7", "8") or not claim.original_reference:
        return False
    original = await store.find_claim(tx, payer.payer_id, claim.original_reference)
    if original is None or original.status not in ("pending", "decided"):
        return False
    same = original.claim.billing.id == claim.billing.id and original.member_id == claim.subscriber.id
    return same and not await store.is_replaced(tx, original.icn)


def _content(claim: Claim) -> list[str]:
    """What a claim number is made of."""
    figures = [claim.pcn, claim.subscriber.id, claim.service_from.isoformat(), str(claim.charge_cents)]
    return figures + [line.code for line in claim.lines]


async def _file(
    tx: Transaction, file: StoredFile, payer: Payer, one: _Numbered, icn: str, attempt: int, faults: Faults
) -> None:
    claim = one.claim
    await store.file_claim(
        tx,
        store.FiledClaim(
            icn=icn,
            payer_id=payer.payer_id,
            submitter_id=file.submitter_id,
            file_id=file.id,
            claim=claim,
            member_id=claim.subscriber.id,
            attempt=attempt,
            position=one.position,
            received_at=tx.now,
            adjudicate_at=adjudication_time(tx.now),
            replaced_icn=claim.original_reference if claim.frequency in ("7", "8") else None,
            faults={scenario.fault: scenario.params for scenario in faults.struck},
        ),
    )


def _release(payer: Payer, faults: Faults, now: datetime) -> tuple[datetime | None, int]:
    """When the 277CA of a claim is in the mailbox, and how many times."""
    twice = faults.get("answer_twice")
    copies = 2 if twice is not None and twice.get("what", "both") in ("277CA", "both") else 1
    if faults.get("no_277ca") is not None:
        return None, copies
    if faults.get("835_before_277ca") is not None:
        late = (faults.get("late_835") or {}).get("days", 30) if faults.get("late_835") is not None else 0
        paid = payment_time(payer, adjudication_time(now).date(), late_days=int(late))
        return release_time(paid) + AFTER_THE_835, copies
    return now, copies


async def _answer(
    tx: Transaction,
    file: StoredFile,
    answerer: Answerer,
    sender: str,
    taken: Iterable[tuple[_Numbered, Taken]],
    usage: str,
    *,
    at: datetime | None,
    copies: int,
) -> None:
    """One 277CA for each submitter name and batch in the file."""
    batches: dict[tuple[str, str, str], list[Taken]] = {}
    for one, result in taken:
        batches.setdefault(one.submitter, []).append(result)
    for who, results in batches.items():
        number = await mailbox.next_control_number(tx)
        header = Header(
            sender=sender,
            receiver=file.submitter_id,
            control_number=number,
            created=tx.now,
            functional_id="HN",
            version="005010X214",
            usage=usage,
        )
        reference = f"{file.control_number}{sender}{number}"
        body = write_277ca(results, answerer, who, header=header, reference=reference, received=file.received_at.date())
        await mailbox.deliver(tx, file.submitter_id, "277CA", body, at=at, copies=copies)
