"""Which payer may learn of a protected session."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.claims import consents, disclosure
from services.claims.consent_views import ConsentIn
from tests.calls import NOON
from tests.claims.conftest import PRACTICE, Desk, an_encounter

TODAY = NOON.date()
PROTECTED = an_encounter(sensitivity={"part2_program": True})


@pytest.mark.parametrize(
    ("consent", "may"),
    [
        (None, False),
        ({}, True),
        ({"payer_ids": ["pay_harborbh"]}, True),
        ({"payer_ids": ["pay_summit"]}, False),
        ({"expires_on": TODAY}, True),
        ({"expires_on": TODAY - timedelta(days=1)}, False),
        ({"given_on": TODAY + timedelta(days=1)}, False),
    ],
)
async def test_a_consent_is_for_a_payer_and_a_time(desk: Desk, consent: dict[str, Any] | None, may: bool) -> None:
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        patient_id = "pat_nobody"
        if consent is not None:
            given = {"external_id": "c1", "practice_id": PRACTICE, "patient_external_id": "MRN-5521"}
            row, _ = await consents.record(tx, ConsentIn(**given | {"given_on": date(2026, 9, 1)} | consent))
            patient_id = row["patient_id"]
        assert await disclosure.allowed(tx, patient_id, PROTECTED, "pay_harborbh") is may


async def test_what_is_not_protected_or_has_no_payer_needs_no_consent(desk: Desk) -> None:
    async with desk.api.worker.transaction(desk.api.tenant) as tx:
        assert await disclosure.allowed(tx, "pat_nobody", an_encounter(), "pay_harborbh")
        assert await disclosure.allowed(tx, "pat_nobody", PROTECTED, None)
