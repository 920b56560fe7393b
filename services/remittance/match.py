"""Which of our claims and lines a payer speaks of; where it is not certain, nobody guesses."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.common.db import Transaction
from services.remittance.domain.era import EraClaim, EraLine, key_of
from services.remittance.store import claims
from services.remittance.store.claims import SentLine, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The submission that a payer answers, and how it was found."""

    submission: Submission
    method: str


async def find(tx: Transaction, claim: EraClaim, payer_id: str | None) -> Match | None:
    """By our control number, exact or as payers alter it; without one by member, date and charge.

    A number that nobody knows is of a claim that we have not heard of yet, or not ours: it is not guessed at.
    """
    if key := key_of(claim.pcn):
        found = await claims.submissions_by_pcn(tx, key)
        exact = [one for one in found if one.pcn == claim.pcn]
        if len(exact or found) != 1:
            return None
        return Match(submission=(exact or found)[0], method="pcn" if exact else "pcn_altered")
    if claim.member_key is None or claim.on is None:
        return None
    same = await claims.submissions_by_member(
        tx, member_key=claim.member_key, charge_cents=abs(claim.charge_cents), service_date=claim.on
    )
    if payer_id is not None:
        same = [one for one in same if one.payer_id == payer_id]
    if len({one.claim_id for one in same}) != 1:
        return None
    return Match(submission=max(same, key=lambda one: one.attempt), method="member_date_charge")


def match_lines(sent: Sequence[SentLine], said: Sequence[EraLine]) -> dict[str, tuple[EraLine, ...]] | None:
    """What was said of each of our lines, by line id; None where one of them fits none or several.

    Our line control number first; then code, modifiers, date and charge; then code and date.
    """
    found: dict[str, list[EraLine]] = {}
    open_lines: list[EraLine] = []
    for line in said:
        ours = [one for one in sent if line.control and key_of(one.control) == key_of(line.control)]
        if len(ours) == 1:
            found.setdefault(ours[0].line_id, []).append(line)
        else:
            open_lines.append(line)
    for line in open_lines:
        free = [one for one in sent if one.line_id not in found]
        ours = [one for one in free if _same(one, line)] or [one for one in free if _similar(one, line)]
        if len(ours) != 1 and not _alike(ours):
            return None
        found[ours[0].line_id] = [line]
    return {line_id: tuple(lines) for line_id, lines in found.items()}


def _code(line: EraLine) -> set[str]:
    return {code for code in (line.procedure, line.submitted_procedure) if code}


def _same(ours: SentLine, line: EraLine) -> bool:
    return (
        _similar(ours, line)
        and set(ours.modifiers) == set(line.modifiers)
        and ours.charge_cents == abs(line.charge_cents)
    )


def _similar(ours: SentLine, line: EraLine) -> bool:
    return ours.procedure in _code(line) and line.service_date in (None, ours.service_date)


def _alike(lines: Sequence[SentLine]) -> bool:
    """Lines that nothing tells apart are interchangeable."""
    return bool(lines) and len({(o.procedure, o.modifiers, o.service_date, o.charge_cents) for o in lines}) == 1
