"""The archive of events as they came, and a table for each topic."""

from libs.common.migrations import append_only, protect, run_sql

revision = "0002"
down_revision = "0001"

BY_PRACTICE = (
    "record",
    "encounter",
    "claim",
    "submission",
    "payment",
    "receivable",
    "denial",
    "denial_resolution",
    "era",
    "deposit",
    "patient_balance",
    "eligibility_check",
    "authorized_units",
    "coverage",
    "enrollment",
    "practice",
    "location",
    "work",
)
BY_TENANT = ("provider", "credential_notice")


def upgrade() -> None:
    run_sql(TABLES)
    for table in BY_PRACTICE:
        protect("reporting", table, practice=True)
    for table in BY_TENANT:
        protect("reporting", table)
    append_only("reporting", "record")
    run_sql("create policy owner on reporting.record for select to reporting_owner using (true);")


TABLES = """
create table reporting.record (
    position bigint generated always as identity primary key,
    event_id uuid not null unique,
    tenant_id text not null,
    practice_id text,
    type text not null,
    subject text not null,
    at timestamptz not null,
    value bytea not null,
    written_by xid8 not null default pg_current_xact_id(),
    received_at timestamptz not null default clock_timestamp()
);
create index record_by_tenant on reporting.record (tenant_id, position);
create index record_by_subject on reporting.record (tenant_id, subject, position);

create table reporting.encounter (
    tenant_id text not null,
    encounter_id text not null,
    claim_id text not null,
    practice_id text,
    patient_id text not null,
    code_family text not null,
    charge_cents bigint not null,
    collected_cents bigint not null,
    revision int not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, encounter_id)
);
create table reporting.claim (
    tenant_id text not null,
    claim_id text not null,
    encounter_id text not null,
    practice_id text,
    patient_id text not null,
    provider_id text,
    payer_id text,
    rank int not null,
    status text not null,
    reasons jsonb not null,
    owner text not null,
    code_family text not null,
    charge_cents bigint not null,
    clean boolean not null,
    attempts int not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, claim_id)
);
create table reporting.submission (
    tenant_id text not null,
    submission_id text not null,
    claim_id text not null,
    practice_id text,
    patient_id text not null,
    provider_id text,
    payer_id text,
    rank int not null,
    attempt int not null,
    frequency text not null,
    charge_cents bigint not null,
    submitted_on date not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, submission_id)
);
create table reporting.payment (
    tenant_id text not null,
    posting_id text not null,
    claim_id text not null,
    era_id text not null,
    practice_id text,
    payer_id text,
    rank int not null,
    entry text not null,
    outcome text not null,
    claim_status text not null,
    paid_cents bigint not null,
    contractual_cents bigint not null,
    patient_cents bigint not null,
    denied_cents bigint not null,
    paid_on date not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, posting_id)
);
create table reporting.receivable (
    tenant_id text not null,
    claim_id text not null,
    practice_id text,
    patient_id text not null,
    payer_id text,
    first_billed_on date,
    at timestamptz not null,
    billed_cents bigint not null,
    credits_cents bigint not null,
    payer_paid_cents bigint not null,
    patient_paid_cents bigint not null,
    contractual_cents bigint not null,
    written_off_cents bigint not null,
    withheld_cents bigint not null,
    patient_cents bigint not null,
    denied_open_cents bigint not null,
    in_flight_cents bigint not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, claim_id)
);
create table reporting.denial (
    tenant_id text not null,
    denial_id text not null,
    claim_id text not null,
    line_id text not null,
    era_id text not null,
    practice_id text,
    payer_id text,
    group_code text not null,
    reason_code text not null,
    remark_codes jsonb not null,
    denied_cents bigint not null,
    code_family text not null,
    first_pass boolean not null,
    raised_on date not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, denial_id)
);
create table reporting.denial_resolution (
    tenant_id text not null,
    resolution_id text not null,
    denial_id text not null,
    claim_id text not null,
    practice_id text,
    resolution text not null,
    amount_cents bigint,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, resolution_id)
);
create table reporting.era (
    tenant_id text not null,
    era_id text not null,
    practice_id text,
    payer_id text,
    method text not null,
    amount_cents bigint,
    provider_adjustment_cents bigint not null,
    claims int not null,
    waiting int not null,
    balance text not null,
    paid_on date not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, era_id)
);
create table reporting.deposit (
    tenant_id text not null,
    deposit_id text not null,
    era_id text not null,
    practice_id text,
    amount_cents bigint,
    deposited_on date not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, deposit_id)
);
create table reporting.patient_balance (
    tenant_id text not null,
    patient_id text not null,
    practice_id text,
    balance_cents bigint not null,
    unapplied_cents bigint not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, patient_id)
);
create table reporting.eligibility_check (
    tenant_id text not null,
    encounter_id text not null,
    patient_id text not null,
    coverage_id text,
    practice_id text,
    payer_id text,
    bill_payer_id text,
    outcome text not null,
    reject_reasons jsonb not null,
    carved_out boolean not null,
    authorization_state text not null,
    estimate_cents bigint,
    visits_left int,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, encounter_id)
);
create table reporting.authorized_units (
    tenant_id text not null,
    authorization_id text not null,
    patient_id text not null,
    practice_id text,
    payer_id text,
    status text not null,
    unit text not null,
    approved_units int not null,
    reserved_units int not null,
    consumed_units int not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, authorization_id)
);
create table reporting.coverage (
    tenant_id text not null,
    coverage_id text not null,
    patient_id text not null,
    practice_id text,
    payer_id text,
    rank int not null,
    status text not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, coverage_id)
);
create table reporting.enrollment (
    tenant_id text not null,
    enrollment_id text not null,
    provider_id text,
    practice_id text,
    payer_id text,
    status text not null,
    billable jsonb not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, enrollment_id)
);
create table reporting.practice (
    tenant_id text not null,
    practice_id text not null,
    status text not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, practice_id)
);
create table reporting.location (
    tenant_id text not null,
    location_id text not null,
    practice_id text,
    status text not null,
    place_of_service text not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, location_id)
);
create table reporting.provider (
    tenant_id text not null,
    provider_id text not null,
    practice_ids jsonb not null,
    status text not null,
    level text not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, provider_id)
);
create table reporting.credential_notice (
    tenant_id text not null,
    notice_id text not null,
    provider_id text,
    credential_id text not null,
    credential text not null,
    expires_on date not null,
    days_left int not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, notice_id)
);
create table reporting.work (
    tenant_id text not null,
    source text not null,
    task_id text not null,
    practice_id text,
    reason text not null,
    subject_type text not null,
    subject_id text not null,
    owner text not null,
    status text not null,
    due_on date,
    amount_cents bigint,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, source, task_id)
);

create index claim_by_status on reporting.claim (tenant_id, status);
create index submission_by_claim on reporting.submission (tenant_id, claim_id, attempt);
create index submission_by_day on reporting.submission (tenant_id, submitted_on);
create index payment_by_claim on reporting.payment (tenant_id, claim_id, ordinal);
create index payment_by_day on reporting.payment (tenant_id, paid_on);
create index denial_by_claim on reporting.denial (tenant_id, claim_id);
create index denial_by_day on reporting.denial (tenant_id, raised_on);
create index work_open on reporting.work (tenant_id, status, due_on);
"""
