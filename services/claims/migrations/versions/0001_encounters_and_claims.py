"""Encounters, claims and their history, batches, submissions, acknowledgements, denials and appeals."""

from libs.common.migrations import append_only, protect, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table claims.acknowledgement (
    tenant_id text not null,
    mail_id text not null,
    kind text not null,
    raw bytea not null,
    received_at timestamptz not null,
    applied_at timestamptz,
    summary jsonb not null,
    primary key (tenant_id, mail_id)
);
create table claims.appeal (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    denial_id text not null,
    claim_id text not null,
    level int not null,
    kind text not null,
    letter_ref text,
    filed_on date not null,
    answer_due_on date not null,
    status text not null,
    version int not null,
    created_at timestamptz not null
);
create table claims.batch (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    payer_id text not null,
    submitter_id text not null,
    receiver_id text not null,
    control_number bigint not null,
    status text not null,
    claims int not null,
    charge_cents bigint not null,
    tries int not null,
    file bytea not null,
    file_id text,
    cut_at timestamptz not null,
    sent_at timestamptz,
    created_at timestamptz not null
);
create table claims.charge (
    tenant_id text not null,
    practice_id text not null,
    code text not null,
    effective_from date not null,
    effective_to date,
    charge_cents bigint not null,
    updated_at timestamptz not null,
    primary key (tenant_id, practice_id, code, effective_from)
);
create table claims.claim (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    encounter_id text not null,
    patient_id text not null,
    external_id text not null,
    service_date date not null,
    provider_npi text not null,
    provider_id text,
    payer_id text,
    rank int not null,
    status text not null,
    version int not null,
    reasons text[] not null,
    owner text not null,
    clean boolean not null,
    attempts int not null,
    frequency text not null,
    submission_id text,
    payer_control_number text,
    authorization_id text,
    code_family text not null,
    charge_cents bigint not null,
    content jsonb not null,
    findings jsonb not null,
    cut_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create table claims.claim_ack (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    claim_id text not null,
    submission_id text not null,
    mail_id text not null,
    kind text not null,
    verdict text not null,
    words text not null,
    payer_control_number text,
    at timestamptz not null
);
create table claims.claim_history (
    tenant_id text not null,
    claim_id text not null,
    version int not null,
    practice_id text not null,
    encounter_id text not null,
    step text not null,
    status text not null,
    reasons text[] not null,
    words text,
    actor text not null,
    at timestamptz not null,
    primary key (tenant_id, claim_id, version)
);
create table claims.counter (
    tenant_id text not null,
    name text not null,
    last bigint not null,
    primary key (tenant_id, name)
);
create table claims.denial (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    claim_id text not null,
    line_id text not null,
    submission_id text,
    payer_id text not null,
    group_code text not null,
    reason_code text not null,
    remark_codes text[] not null,
    amount_cents bigint not null,
    payer_control_number text,
    category text not null,
    root_cause text not null,
    evidence jsonb not null,
    action text not null,
    steps jsonb not null,
    owner text not null,
    correct_by date not null,
    appeal_by date not null,
    first_pass boolean not null,
    status text not null,
    version int not null,
    raised_on date not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create table claims.encounter (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    external_id text not null,
    source_system text,
    patient_id text not null,
    claim_id text,
    service_date date not null,
    status text not null,
    revision int not null,
    version int not null,
    content_hash text not null,
    natural_key text,
    detail jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create table claims.encounter_revision (
    tenant_id text not null,
    encounter_id text not null,
    revision int not null,
    practice_id text not null,
    detail jsonb not null,
    received_at timestamptz not null,
    primary key (tenant_id, encounter_id, revision)
);
create table claims.known (
    tenant_id text not null,
    kind text not null,
    id text not null,
    practice_id text,
    lookup text,
    sequence bigint not null,
    data jsonb not null,
    updated_at timestamptz not null,
    primary key (tenant_id, kind, id)
);
create table claims.posting (
    posting_id text primary key,
    tenant_id text not null,
    practice_id text not null,
    claim_id text not null,
    submission_id text,
    entry text not null,
    outcome text not null,
    sequence bigint not null,
    data jsonb not null,
    applied boolean not null,
    received_at timestamptz not null
);
create table claims.submission (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    claim_id text not null,
    batch_id text not null,
    payer_id text not null,
    attempt int not null,
    frequency text not null,
    pcn text not null,
    replaces text,
    original_reference text,
    payer_control_number text,
    acknowledged text,
    status text not null,
    member_id text,
    lines jsonb not null,
    charge_cents bigint not null,
    created_at timestamptz not null
);
alter table claims.encounter add constraint encounter_once unique (tenant_id, practice_id, external_id);
create index encounter_natural on claims.encounter (tenant_id, natural_key);
create index encounter_page on claims.encounter (tenant_id, created_at, id);
create index encounter_of_patient on claims.encounter (tenant_id, patient_id, service_date);
alter table claims.claim add constraint claim_once unique (tenant_id, encounter_id, rank),
    add constraint claim_bills_no_negative check (charge_cents >= 0);
create index claim_page on claims.claim (tenant_id, created_at, id);
create index claim_ready on claims.claim (tenant_id, practice_id, payer_id, cut_at) where status = 'ready';
create index claim_waiting on claims.claim (tenant_id, provider_npi) where status = 'waiting';
create index claim_of_patient on claims.claim (tenant_id, patient_id, service_date);
alter table claims.charge add constraint charge_not_negative check (charge_cents >= 0);
create index known_lookup on claims.known (tenant_id, kind, lookup);
alter table claims.batch add constraint number_used_once unique (submitter_id, receiver_id, control_number);
create index batch_page on claims.batch (tenant_id, created_at, id);
alter table claims.submission add constraint attempt_once unique (tenant_id, claim_id, attempt),
    add constraint pcn_once unique (tenant_id, pcn);
create index submission_of_batch on claims.submission (tenant_id, batch_id);
create index submission_unanswered on claims.submission (tenant_id, created_at)
    where status = 'sent' and acknowledged is null;
create index claim_ack_of_claim on claims.claim_ack (tenant_id, claim_id);
alter table claims.claim_ack add constraint ack_once unique (tenant_id, mail_id, submission_id, words);
create index posting_of_claim on claims.posting (tenant_id, claim_id, sequence);
create index denial_of_claim on claims.denial (tenant_id, claim_id);
create index denial_page on claims.denial (tenant_id, created_at, id);
create index appeal_of_denial on claims.appeal (tenant_id, denial_id);
create function claims.batches_in_doubt() returns bigint
language sql stable security definer set search_path = claims, pg_temp as $$
    select count(*) from batch where status = 'stored'
$$;
create function claims.claims_by_status() returns table (status text, claims bigint)
language sql stable security definer set search_path = claims, pg_temp as $$
    select c.status, count(*) from claim c group by c.status
$$;
revoke all on function claims.batches_in_doubt(), claims.claims_by_status() from public;
grant execute on function claims.batches_in_doubt(), claims.claims_by_status() to claims_api, claims_worker;
"""

_OF_PRACTICE = (
    "encounter", "encounter_revision", "claim", "claim_history", "charge", "known", "batch", "submission",
    "claim_ack", "posting", "denial", "appeal",
)  # fmt: skip


def upgrade() -> None:
    run_sql(_TABLES)
    for table in ("counter", "acknowledgement"):
        protect("claims", table)
    for table in _OF_PRACTICE:
        protect("claims", table, practice=True)
    for table in ("encounter_revision", "claim_history", "claim_ack"):
        append_only("claims", table)
    for table in ("claim", "batch"):
        run_sql(f"create policy owner on claims.{table} for select to claims_owner using (true);")
