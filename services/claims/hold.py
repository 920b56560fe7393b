"""A person stops a claim, lets it go on, or takes it back for good."""

from dataclasses import replace

from libs.common.db import Transaction
from libs.common.problems import Conflict, FieldError, Invalid
from services.claims import scrub, store
from services.claims.domain import Claim, Status, Step
from services.claims.lifecycle import move

NEVER_ACCEPTED = frozenset(
    {
        "up_code",
        "charge_missing",
        "code_not_in_force",
        "add_on_without_primary",
        "diagnosis_pointer_invalid",
        "note_unsigned",
        "place_unknown",
        "modifier_unknown",
    }
)
"""Findings that are put right, never waved through."""


async def hold(tx: Transaction, claim_id: str, why: str) -> Claim:
    """The claim stays here until somebody releases it. Raises IllegalStep once it is on its way."""
    claim = await store.load(tx, claim_id, lock=True)
    reasons = tuple(dict.fromkeys((scrub.BY_PERSON, *claim.reasons)))
    return await move(tx, claim, Step.HOLD, reasons=reasons, words=why)


async def release(tx: Transaction, claim_id: str, why: str, accept: list[str]) -> Claim:
    """The claim is scrubbed again, without the findings that the person accepts."""
    claim = await store.load(tx, claim_id, lock=True)
    if claim.status is not Status.HELD:
        raise Conflict("state_conflict", f"A claim that is {claim.status} is not held.")
    for index, code in enumerate(accept):
        if code in NEVER_ACCEPTED:
            words = "This finding is put right, not accepted."
            raise Invalid([FieldError(f"/accept/{index}", "never_accepted", words)])
    accepted = tuple(dict.fromkeys((*claim.content.accepted, *accept)))
    content = replace(claim.content, accepted=accepted)
    await move(tx, claim, Step.WAIT, reasons=("released",), content=content, words=why)
    return await scrub.run(tx, claim_id)


async def void(tx: Transaction, claim_id: str, why: str) -> Claim:
    """The claim will never go out. Raises IllegalStep once a payer may have it."""
    claim = await store.load(tx, claim_id, lock=True)
    if claim.rank > 1 or (claim.attempts and claim.status is not Status.REJECTED):
        raise Conflict("already_sent", "A payer has this claim; it is settled there, not taken back here.")
    return await move(tx, claim, Step.VOID, words=why, clean=False)
