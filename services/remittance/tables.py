"""The tables of schema `remittance`, as far as statements in `store` name their columns."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = sa.MetaData(schema="remittance")


def _table(name: str, **columns: Any) -> sa.Table:
    return sa.Table(name, metadata, *(sa.Column(column, kind) for column, kind in columns.items()))


_T, _I, _B, _D = sa.Text, sa.BigInteger, sa.Boolean, sa.Date
_AT, _J, _A = sa.DateTime(timezone=True), JSONB, ARRAY(sa.Text)

practice = _table("practice", tenant_id=_T, practice_id=_T, npi=_T, sequence=_I)
coverage = _table(
    "coverage",
    tenant_id=_T,
    coverage_id=_T,
    practice_id=_T,
    patient_id=_T,
    payer_id=_T,
    rank=_I,
    status=_T,
    sequence=_I,
)
claim_state = _table("claim_state", tenant_id=_T, claim_id=_T, practice_id=_T, status=_T, rank=_I, sequence=_I)
receivable = _table(
    "receivable", tenant_id=_T, claim_id=_T, practice_id=_T, patient_id=_T, encounter_id=_T, provider_id=_T,
    payer_id=_T, service_date=_D, first_submitted_on=_D, version=_I, traceparent=_T,
    created_at=_AT,
)  # fmt: skip
submission = _table(
    "submission", tenant_id=_T, id=_T, claim_id=_T, practice_id=_T, payer_id=_T, rank=_I, attempt=_I, frequency=_T,
    pcn=_T, pcn_key=_T, member_key=_T, next_payer=_B, charge_cents=_I, submitted_on=_D,
)  # fmt: skip
submission_line = _table(
    "submission_line", tenant_id=_T, submission_id=_T, line_id=_T, practice_id=_T, position=_I, control=_T,
    procedure=_T, modifiers=_A, service_date=_D, charge_cents=_I, units=_I,
)  # fmt: skip
line = _table(
    "line", tenant_id=_T, line_id=_T, claim_id=_T, practice_id=_T, patient_id=_T, position=_I, code_family=_T,
    service_date=_D, billed_cents=_I, credits_cents=_I, payer_paid_cents=_I, patient_paid_cents=_I,
    contractual_cents=_I, written_off_cents=_I, withheld_cents=_I, patient_cents=_I, denied_open_cents=_I,
    in_flight_cents=_I, patient_written_off_cents=_I, patient_write_off_asked_cents=_I,
)  # fmt: skip
journal = _table(
    "journal", tenant_id=_T, id=_T, practice_id=_T, kind=_T, claim_id=_T, patient_id=_T, era_id=_T, posting_id=_T,
    deposit_id=_T, reverses=_T, posted_on=_D, created_at=_AT,
)  # fmt: skip
entry = _table(
    "entry", tenant_id=_T, journal_id=_T, n=_I, practice_id=_T, account=_T, amount_cents=_I, line_id=_T,
    patient_id=_T, payer_id=_T, reference=_T,
)  # fmt: skip
patient_account = _table(
    "patient_account", tenant_id=_T, patient_id=_T, practice_id=_T, received_cents=_I, balance_cents=_I,
    unapplied_cents=_I, version=_I,
)  # fmt: skip
patient_money = _table(
    "patient_money", tenant_id=_T, id=_T, practice_id=_T, patient_id=_T, encounter_id=_T, kind=_T, amount_cents=_I,
    method=_T, reference=_T, received_on=_D, created_at=_AT,
)  # fmt: skip
visit = _table("visit", tenant_id=_T, encounter_id=_T, practice_id=_T, patient_id=_T, collected_cents=_I, revision=_I)
era_file = _table(
    "era_file", tenant_id=_T, id=_T, practice_id=_T, content_hash=_T, source=_T, reference=_T, body_sealed=_T,
    status=_T, received_at=_AT,
)  # fmt: skip
era = _table(
    "era", tenant_id=_T, id=_T, file_id=_T, position=_I, practice_id=_T, payer_id=_T, payer_name=_T,
    payer_identifier=_T, payee_npi=_T, trace=_T, method=_T, amount_cents=_I, claims_cents=_I,
    provider_adjustment_cents=_I, difference_cents=_I, fingerprint=_T, paid_on=_D, status=_T, reason=_T, decision=_T,
    decided_by=_T, decided_at=_AT, deposit_id=_T, version=_I, created_at=_AT, within=_A,
)  # fmt: skip
era_claim = _table(
    "era_claim", tenant_id=_T, id=_T, era_id=_T, practice_id=_T, position=_I, pcn=_T, pcn_key=_T, clp02=_T, icn=_T,
    original_reference=_T, charge_cents=_I, paid_cents=_I, patient_responsibility_cents=_I, member_key=_T, content=_J,
    difference_cents=_I, difference=_T, status=_T, reason=_T, claim_id=_T, submission_id=_T, match=_T, created_at=_AT,
)  # fmt: skip
posting = _table(
    "posting", tenant_id=_T, id=_T, era_id=_T, era_claim_id=_T, practice_id=_T, claim_id=_T, submission_id=_T,
    payer_id=_T, rank=_I, attempt=_I, entry=_T, outcome=_T, clp02=_T, icn=_T, paid_cents=_I, paid_on=_D, forwarded=_B,
    first_pass=_B, ordering=_A, reverses=_T, reversed_by=_T, created_at=_AT,
)  # fmt: skip
posting_line = _table(
    "posting_line", tenant_id=_T, posting_id=_T, line_id=_T, practice_id=_T, charge_cents=_I, paid_cents=_I,
    contractual_cents=_I, patient_cents=_I, denied_cents=_I, withheld_cents=_I, explained_cents=_I, unknown_cents=_I,
    adjustments=_J, remark_codes=_A,
)  # fmt: skip
denial = _table(
    "denial", tenant_id=_T, id=_T, posting_id=_T, claim_id=_T, line_id=_T, practice_id=_T, payer_id=_T,
    denied_cents=_I, group_code=_T, reason_code=_T, remark_codes=_A, resolution=_T, resolution_sequence=_I,
    raised_on=_D,
)  # fmt: skip
provider_adjustment = _table(
    "provider_adjustment", tenant_id=_T, id=_T, era_id=_T, practice_id=_T, position=_I, provider_npi=_T, code=_T,
    reference=_T, amount_cents=_I, account=_T, claim_id=_T, created_at=_AT,
)  # fmt: skip
deposit = _table(
    "deposit", tenant_id=_T, id=_T, practice_id=_T, trace=_T, amount_cents=_I, deposited_on=_D, reference=_T,
    status=_T, era_id=_T, created_at=_AT,
)  # fmt: skip
adjustment_reading = _table(
    "adjustment_reading", tenant_id=_T, id=_T, payer_id=_T, group_code=_T, reason_code=_T, adjusts=_T,
    effective_from=_D, effective_to=_D, why=_T, decided_by=_T, created_at=_AT,
)  # fmt: skip
patient_write_off = _table(
    "patient_write_off", tenant_id=_T, id=_T, practice_id=_T, patient_id=_T, claim_id=_T, kind=_T, amount_cents=_I,
    reverses=_T, why=_T, decided_by=_T, created_at=_AT,
)  # fmt: skip
withhold_return = _table(
    "withhold_return", tenant_id=_T, provider_adjustment_id=_T, line_id=_T, practice_id=_T, claim_id=_T,
    amount_cents=_I, created_at=_AT,
)  # fmt: skip
