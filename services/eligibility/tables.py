"""The tables of schema `eligibility`, as the migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(schema="eligibility")
_time = sa.DateTime(timezone=True)
_json = pg.JSONB(none_as_null=True)

patient = sa.Table(
    "patient", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("middle_name", sa.Text),
    sa.Column("dob", sa.Date, nullable=False),
    sa.Column("sex", sa.Text, nullable=False),
    sa.Column("address", _json),
    sa.Column("as_of", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip
"""`as_of` orders what is told of a patient: the newest word wins."""

coverage = sa.Table(
    "coverage", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("member_id", sa.Text, nullable=False),
    sa.Column("group_number", sa.Text),
    sa.Column("relationship", sa.Text, nullable=False),
    sa.Column("subscriber_first_name", sa.Text),
    sa.Column("subscriber_last_name", sa.Text),
    sa.Column("subscriber_dob", sa.Date),
    sa.Column("effective_from", sa.Date),
    sa.Column("effective_to", sa.Date),
    sa.Column("as_of", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip

encounter = sa.Table(
    "encounter", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("service_date", sa.Date, nullable=False),
    sa.Column("place_of_service", sa.Text, nullable=False),
    sa.Column("services", _json, nullable=False),
    sa.Column("rendering_npi", sa.Text, nullable=False),
    sa.Column("authorization_number", sa.Text),
    sa.Column("eap", sa.Boolean, nullable=False),
    sa.Column("coverage_id", sa.Text),
    sa.Column("check_id", sa.Text),
    sa.Column("finding", _json),
    sa.Column("want", _json),
    sa.Column("claim_state", sa.Text, nullable=False),
    sa.Column("claim_sequence", sa.BigInteger, nullable=False),
    sa.Column("authorization", sa.Text),
    sa.Column("authorization_id", sa.Text),
    sa.Column("units", sa.Integer, nullable=False),
    sa.Column("told", _json),
    sa.Column("told_sequence", sa.Integer, nullable=False),
    sa.Column("traceparent", sa.Text),
)  # fmt: skip
"""A session: what the payer said of it (`finding`), the units it needs (`want`) and has, and what was last told.

`claim_state` is open (may still lose its units to an earlier session), sent, or void.
"""

claim_state = sa.Table(
    "claim_state", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("claim_id", sa.Text, primary_key=True),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)  # fmt: skip
"""News of claims, also of those whose session has not arrived yet."""

check = sa.Table(
    "eligibility_check", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("encounter_id", sa.Text),
    sa.Column("coverage_id", sa.Text),
    sa.Column("payer_id", sa.Text),
    sa.Column("service_date", sa.Date, nullable=False),
    sa.Column("place_of_service", sa.Text, nullable=False),
    sa.Column("services", _json, nullable=False),
    sa.Column("eap", sa.Boolean, nullable=False),
    sa.Column("routed_from", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("control_number", sa.BigInteger),
    sa.Column("question_sealed", sa.Text),
    sa.Column("answer_sealed", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("reject_reasons", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("benefits", _json),
    sa.Column("estimate", _json),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("checked_at", _time),
)  # fmt: skip
"""A question (270) to one payer and its answer (271): pending, asking, completed, failed. No payer: self-pay."""

control_number = sa.Table(
    "control_number", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("submitter_id", sa.Text, primary_key=True),
    sa.Column("receiver_id", sa.Text, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
)  # fmt: skip

benefit_route = sa.Table(
    "benefit_route", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("coverage_id", sa.Text, primary_key=True),
    sa.Column("family", sa.Text, primary_key=True),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("administrator_id", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("check_id", sa.Text, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
)  # fmt: skip

authorization = sa.Table(
    "prior_authorization", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("number", sa.Text),
    sa.Column("codes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("approved_units", sa.Integer, nullable=False),
    sa.Column("reserved_units", sa.Integer, nullable=False),
    sa.Column("consumed_units", sa.Integer, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("effective_to", sa.Date, nullable=False),
    sa.Column("rendering_npi", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip

unit_entry = sa.Table(
    "unit_entry", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("authorization_id", sa.Text, nullable=False),
    sa.Column("encounter_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("units", sa.Integer, nullable=False),
    sa.Column("at", _time, nullable=False),
)  # fmt: skip
"""The units ledger, append-only: reserve, release, consume, give_back."""

fee = sa.Table(
    "fee", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("modifiers", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("allowed_cents", sa.BigInteger, nullable=False),
)  # fmt: skip
"""What a payer allows for a code, as the tenant loads it; without it estimates are a percentage of the charge."""

practice = sa.Table(
    "practice", metadata,
    sa.Column("practice_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("npi", sa.Text, nullable=False),
    sa.Column("taxonomy", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)  # fmt: skip
"""Our copy of practice.changed: who asks."""
