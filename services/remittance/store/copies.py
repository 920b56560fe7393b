"""What remittance keeps of other services' aggregates: the newest state that it has seen."""

from typing import Any

from libs.common import upserts
from libs.common.db import Transaction
from services.remittance import tables as t


async def save_practice(tx: Transaction, practice_id: str, *, npi: str, sequence: int) -> None:
    values = {"practice_id": practice_id, "npi": npi, "sequence": sequence}
    await upserts.put(tx, t.practice, ("tenant_id", "practice_id"), values, newer="sequence")


async def save_coverage(tx: Transaction, *, coverage_id: str, sequence: int, **values: Any) -> None:
    values = {"coverage_id": coverage_id, "sequence": sequence, **values}
    await upserts.put(tx, t.coverage, ("tenant_id", "coverage_id"), values, newer="sequence")
