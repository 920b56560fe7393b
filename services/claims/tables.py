"""The tables of schema `claims`, as the migrations make them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData(schema="claims")
_time = sa.DateTime(timezone=True)

encounter = sa.Table(
    "encounter", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("source_system", sa.Text),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text),
    sa.Column("service_date", sa.Date, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("natural_key", sa.Text),
    sa.Column("detail", pg.JSONB, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
)  # fmt: skip
"""`told`: encounter.created has gone out; not before the patient has consented to disclosure where that is needed."""

encounter_revision = sa.Table(
    "encounter_revision", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("encounter_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("detail", pg.JSONB, nullable=False),
    sa.Column("received_at", _time, nullable=False),
)  # fmt: skip

claim = sa.Table(
    "claim", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("encounter_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("service_date", sa.Date, nullable=False),
    sa.Column("provider_npi", sa.Text, nullable=False),
    sa.Column("provider_id", sa.Text),
    sa.Column("payer_id", sa.Text),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("reasons", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("clean", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("frequency", sa.Text, nullable=False),
    sa.Column("submission_id", sa.Text),
    sa.Column("payer_control_number", sa.Text),
    sa.Column("authorization_id", sa.Text),
    sa.Column("code_family", sa.Text, nullable=False),
    sa.Column("charge_cents", sa.BigInteger, nullable=False),
    sa.Column("content", pg.JSONB, nullable=False),
    sa.Column("findings", pg.JSONB, nullable=False),
    sa.Column("cut_at", _time),
    sa.Column("traceparent", sa.Text),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
)  # fmt: skip

history = sa.Table(
    "claim_history", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("claim_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("encounter_id", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reasons", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("words", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
)  # fmt: skip
"""Every step a claim has taken; append-only."""

charge = sa.Table(
    "charge", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("practice_id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("effective_from", sa.Date, primary_key=True),
    sa.Column("effective_to", sa.Date),
    sa.Column("charge_cents", sa.BigInteger, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
)  # fmt: skip

known = sa.Table(
    "known", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("practice_id", sa.Text),
    sa.Column("lookup", sa.Text),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("data", pg.JSONB, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
)  # fmt: skip
"""Our copy of what other services own, by the events that they told it with; the newest sequence wins."""

counter = sa.Table(
    "counter", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
)  # fmt: skip
"""The last number given out, of control numbers by submitter and receiver, and of patient control numbers."""

batch = sa.Table(
    "batch", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("submitter_id", sa.Text, nullable=False),
    sa.Column("receiver_id", sa.Text, nullable=False),
    sa.Column("control_number", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("charge_cents", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("file", sa.LargeBinary, nullable=False),
    sa.Column("file_id", sa.Text),
    sa.Column("cut_at", _time, nullable=False),
    sa.Column("sent_at", _time),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip
"""`status`: stored (may be sending, outcome unknown), sent, refused."""

submission = sa.Table(
    "submission", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Text, nullable=False),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("frequency", sa.Text, nullable=False),
    sa.Column("pcn", sa.Text, nullable=False),
    sa.Column("replaces", sa.Text),
    sa.Column("original_reference", sa.Text),
    sa.Column("payer_control_number", sa.Text),
    sa.Column("acknowledged", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("member_id", sa.Text),
    sa.Column("lines", pg.JSONB, nullable=False),
    sa.Column("charge_cents", sa.BigInteger, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip
"""One sending of one claim. `acknowledged`: accepted, rejected or NULL; `status`: stored, sent, refused."""

acknowledgement = sa.Table(
    "acknowledgement", metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("mail_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("received_at", _time, nullable=False),
    sa.Column("applied_at", _time),
    sa.Column("summary", pg.JSONB, nullable=False),
    sa.Column("batch_id", sa.Text),
    sa.Column("practice_id", sa.Text),
)  # fmt: skip

claim_ack = sa.Table(
    "claim_ack", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),
    sa.Column("submission_id", sa.Text, nullable=False),
    sa.Column("mail_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("payer_control_number", sa.Text),
    sa.Column("at", _time, nullable=False),
)  # fmt: skip
"""What each acknowledgement said of each submission; append-only."""

posting = sa.Table(
    "posting", metadata,
    sa.Column("posting_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),
    sa.Column("submission_id", sa.Text),
    sa.Column("entry", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("data", pg.JSONB, nullable=False),
    sa.Column("applied", sa.Boolean, nullable=False),
    sa.Column("received_at", _time, nullable=False),
)  # fmt: skip
"""What remittance posted for a claim; `applied` once the claim's state allowed it."""

denial = sa.Table(
    "denial", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),
    sa.Column("line_id", sa.Text, nullable=False),
    sa.Column("submission_id", sa.Text),
    sa.Column("payer_id", sa.Text, nullable=False),
    sa.Column("group_code", sa.Text, nullable=False),
    sa.Column("reason_code", sa.Text, nullable=False),
    sa.Column("remark_codes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("payer_control_number", sa.Text),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("root_cause", sa.Text, nullable=False),
    sa.Column("evidence", pg.JSONB, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("steps", pg.JSONB, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("correct_by", sa.Date, nullable=False),
    sa.Column("appeal_by", sa.Date, nullable=False),
    sa.Column("first_pass", sa.Boolean, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("raised_on", sa.Date, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
)  # fmt: skip
"""`status`: open, correcting, resubmitted, appealed, overturned, upheld, written_off, superseded."""

appeal = sa.Table(
    "appeal", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("denial_id", sa.Text, nullable=False),
    sa.Column("claim_id", sa.Text, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("letter_ref", sa.Text),
    sa.Column("filed_on", sa.Date, nullable=False),
    sa.Column("answer_due_on", sa.Date, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
)  # fmt: skip

consent = sa.Table(
    "consent", metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("practice_id", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payer_ids", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("given_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date),
    sa.Column("revoked_at", _time),
    sa.Column("document_ref", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("updated_at", _time, nullable=False),
)  # fmt: skip
"""A patient's consent to disclosure under 42 CFR Part 2; empty `payer_ids`: to whoever pays."""
