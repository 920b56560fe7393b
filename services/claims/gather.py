"""All that a claim's 837P is made of is brought together from what we know: people, places, answers, earlier payers."""

from collections.abc import Mapping
from typing import Any

from libs.codes import payers
from libs.common.db import Transaction
from services.claims import coverages, prior_payers, store
from services.claims.build837 import Before, Material
from services.claims.domain import Claim


async def material(tx: Transaction, claim: Claim) -> Material:
    """What the claim's 837P is made of, with a patient control number of this submission's own."""
    assert claim.payer_id is not None
    row = await store.encounter(tx, claim.encounter_id)
    detail: Mapping[str, Any] = row["detail"]
    practice = await store.known(tx, "practice", claim.practice_id)
    provider = await store.known_by(tx, "provider", claim.provider_npi)
    assert practice is not None, "the gates let no claim of an unknown practice through"
    supervising = (detail["providers"].get("supervising") or {}).get("npi")
    supervisor = await store.known_by(tx, "provider", supervising) if supervising else []
    location_id = detail["providers"].get("facility_id")
    location = await store.known(tx, "location", location_id) if location_id else None
    answer = await coverages.identity(tx, claim, claim.rank)
    routed = claim.content.route_payer_id is not None
    serial = await store.next_number(tx, "pcn")
    pcn = f"P{serial:08d}A{claim.attempts + 1}"
    return Material(
        claim=claim,
        payer=payers.payer(claim.payer_id, claim.service_date),
        pcn=pcn,
        detail=detail,
        answer=None if routed else answer,
        practice=practice["sealed"],
        provider=provider[0]["sealed"],
        supervisor=supervisor[0]["sealed"] if supervisor else None,
        location=location["sealed"] if location else None,
        original_reference=claim.payer_control_number if claim.frequency == "7" else None,
        line_controls=tuple(f"{pcn}L{index}" for index in range(1, len(claim.content.sent_lines) + 1)),
        before=await _before(tx, claim),
    )


async def _before(tx: Transaction, claim: Claim) -> tuple[Before, ...]:
    """The payers before this one, with what they decided and the subscriber as they know them."""
    if claim.rank == 1:
        return ()
    found, lines = [], [line.id for line in claim.content.sent_lines]
    for said in prior_payers.said(await prior_payers.decisions(tx, claim), lines):
        identity = dict(await coverages.identity(tx, claim, said.rank) or {})
        sent = await store.last_member_id(tx, claim.id, said.rank)
        payer = payers.payer(said.payer_id, claim.service_date)
        found.append(Before(said=said, payer=payer, identity=identity | ({"member_id": sent} if sent else {})))
    return tuple(found)
