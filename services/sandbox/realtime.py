"""Eligibility in real time: a 270 comes in, and what the payer knows at this moment goes out."""

from libs.common.db import Transaction
from services.sandbox import enrolment, mailbox, store
from services.sandbox.acknowledge import judge, ta1, write_999
from services.sandbox.eligibility270 import Answer, Question, Rejection, read_270, reject, write_271
from services.sandbox.faults import payers_down
from services.sandbox.plans import payer_by_edi
from services.sandbox.scenarios import Faults
from services.sandbox.segments import BrokenEnvelope, Header, read_interchange


class PayerDown(Exception):
    """A scenario has taken this payer off the line."""


class NotRealTime(Exception):
    """The interchange holds something else than a 270."""


async def answer(tx: Transaction, submitter_id: str, body: bytes) -> bytes:
    """The answer to one inquiry; BrokenEnvelope where not even a TA1 can be addressed."""
    number = await mailbox.next_control_number(tx)
    try:
        interchange = read_interchange(body)
    except BrokenEnvelope as broken:
        if broken.isa is None:
            raise
        return ta1(broken.isa, broken.note, control_number=number, created=tx.now)
    for group in interchange.groups:
        judged = judge(group)
        if len(judged.accepted) != len(judged.verdicts):
            return write_999(interchange, judged, control_number=number, created=tx.now)
        for transaction in judged.accepted:
            if transaction.kind != "270":
                raise NotRealTime
            question = read_270(transaction)
            header = Header(
                sender=question.payer_edi,
                receiver=submitter_id,
                control_number=number,
                created=tx.now,
                functional_id="HB",
                version="005010X279A1",
                usage=interchange.isa[15],
            )
            return write_271(await _look_up(tx, question), header)
    raise NotRealTime


async def _look_up(tx: Transaction, question: Question) -> Answer:
    """What the payer finds for the question."""
    payer = payer_by_edi(question.payer_edi)
    if payer is None:
        rejection = reject(question, None, None, tx.today)
        return Answer(question=question, payer=None, member=None, rejection=rejection, today=tx.today)
    if payer.payer_id in await payers_down(tx):
        raise PayerDown
    asked = question.subscriber.id
    members = await enrolment.members(tx, payer.payer_id, [asked])
    member = members.get(asked)
    rejection = await _forced(tx, payer.payer_id, asked, question) or reject(question, payer, member, tx.today)
    effects = await store.effects(tx, payer.payer_id, members)
    return Answer(
        question=question,
        payer=payer,
        member=member,
        effects=tuple(effect for moved in effects.values() for effect in moved),
        rejection=rejection,
        today=tx.today,
    )


async def _forced(tx: Transaction, payer_id: str, member_id: str, question: Question) -> Rejection | None:
    """A scenario's AAA."""
    found = Faults.of(await enrolment.scenarios(tx, [member_id]), payer_id, member_id, question.on, 1).get("aaa")
    if found is None:
        return None
    reason = str(found.get("reason", "42"))
    return Rejection(
        level="2000A" if reason in ("42", "79", "80") else "2100C",
        reason=reason,
        follow_up=str(found.get("follow_up", "R" if reason in ("42", "80") else "C")),
    )
