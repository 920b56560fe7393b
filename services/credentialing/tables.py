"""The tables of schema `credentialing`, as the migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(schema="credentialing")
_time = sa.DateTime(timezone=True)
_json = pg.JSONB(none_as_null=True)

practice = sa.Table(
    "practice", metadata,
    sa.Column("practice_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("npi", sa.Text, nullable=False),
    sa.Column("tin", sa.Text, nullable=False),
    sa.Column("taxonomy", sa.Text, nullable=False),
    sa.Column("address", _json, nullable=False),
    sa.Column("pay_to", _json),
    sa.Column("contact_name", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.UniqueConstraint("tenant_id", "npi", name="practice_once"),
)  # fmt: skip

location = sa.Table(
    "location", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("npi", sa.Text),
    sa.Column("address", _json, nullable=False),
    sa.Column("place_of_service", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip

clinician = sa.Table(
    "clinician", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("npi", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("first_name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("credential", sa.Text),
    sa.Column("taxonomy", sa.Text, nullable=False),
    sa.Column("caqh_id", sa.Text),
    sa.Column("caqh_attested_on", sa.Date),
    sa.Column("notices", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.UniqueConstraint("tenant_id", "npi", name="clinician_once"),
)  # fmt: skip
"""`notices` counts what was told about credentials that end."""

affiliation = sa.Table(
    "affiliation", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("provider_id", sa.Text, primary_key=True),
    sa.Column("practice_id", sa.Text, primary_key=True),
)  # fmt: skip
"""Which practices a clinician works for."""

credential = sa.Table(
    "credential", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date, nullable=False),
    sa.CheckConstraint("effective_from <= expires_on", name="credential_ends_after_it_begins"),
)  # fmt: skip
"""Licences, and the attestation of the CAQH profile."""

enrollment = sa.Table(
    "enrollment", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_since", sa.Date, nullable=False),
    sa.Column("location_ids", pg.ARRAY(sa.Text)),
    sa.Column("effective_from", sa.Date),
    sa.Column("effective_to", sa.Date),
    sa.Column("payer_loaded_on", sa.Date),
    sa.Column("payer_reference", sa.Text),
    sa.Column("requested_from", sa.Date),
    sa.Column("next_follow_up", sa.Date),
    sa.Column("reason", sa.Text),
    sa.Column("told", _json),
    sa.Column("told_sequence", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip
"""`told` is what the last enrollment.changed said, `told_sequence` its sequence."""

enrollment_history = sa.Table(
    "enrollment_history", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("enrollment_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("on", sa.Date, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
)  # fmt: skip

held_claim = sa.Table(
    "held_claim", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("claim_id", sa.Text, primary_key=True),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text),
    sa.Column("payer_id", sa.Text),
    sa.Column("charge_cents", sa.BigInteger, nullable=False),
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Column("held_since", sa.Date),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)  # fmt: skip
"""The latest news of each claim that has ever waited for an enrollment."""
