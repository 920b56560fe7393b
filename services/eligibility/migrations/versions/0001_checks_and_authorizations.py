"""Patients, coverages, sessions, checks, authorizations with their units, and fees."""

from libs.common.migrations import append_only, protect, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PEOPLE = """
create table eligibility.patient (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    external_id text not null,
    first_name text not null,
    last_name text not null,
    middle_name text,
    dob date not null,
    sex text not null,
    address jsonb,
    as_of text not null,
    version int not null,
    created_at timestamptz not null,
    constraint patient_once unique (tenant_id, practice_id, external_id)
);
create table eligibility.coverage (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    patient_id text not null references eligibility.patient (id),
    payer_id text not null,
    rank int not null check (rank between 1 and 9),
    status text not null,
    member_id text not null,
    group_number text,
    relationship text not null,
    subscriber_first_name text,
    subscriber_last_name text,
    subscriber_dob date,
    effective_from date,
    effective_to date,
    as_of text not null,
    version int not null,
    created_at timestamptz not null
);
create index coverage_of_patient on eligibility.coverage (tenant_id, patient_id);
create table eligibility.practice (
    practice_id text primary key,
    tenant_id text not null,
    name text not null,
    npi text not null,
    taxonomy text not null,
    sequence bigint not null
);
create table eligibility.fee (
    id bigint generated always as identity primary key,
    tenant_id text not null,
    practice_id text,
    payer_id text not null,
    effective_from date not null,
    code text not null,
    modifiers text[] not null,
    allowed_cents bigint not null check (allowed_cents >= 0)
);
create index fee_by_code on eligibility.fee (tenant_id, payer_id, code, effective_from);
"""

_CHECKS = """
create table eligibility.encounter (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    patient_id text not null references eligibility.patient (id),
    claim_id text not null,
    external_id text not null,
    revision int not null,
    service_date date not null,
    place_of_service text not null,
    services jsonb not null,
    rendering_npi text not null,
    authorization_number text,
    eap boolean not null,
    coverage_id text,
    check_id text,
    finding jsonb,
    want jsonb,
    claim_state text not null,
    claim_sequence bigint not null,
    "authorization" text,
    authorization_id text,
    units int not null,
    told jsonb,
    told_sequence int not null
);
create index encounter_wants on eligibility.encounter (tenant_id, patient_id) where want is not null;
create unique index encounter_of_claim on eligibility.encounter (tenant_id, claim_id);
create table eligibility.claim_state (
    tenant_id text not null,
    claim_id text not null,
    practice_id text not null,
    state text not null,
    sequence bigint not null,
    primary key (tenant_id, claim_id)
);
create table eligibility.eligibility_check (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    patient_id text not null references eligibility.patient (id),
    encounter_id text,
    coverage_id text references eligibility.coverage (id),
    payer_id text,
    service_date date not null,
    place_of_service text not null,
    services jsonb not null,
    eap boolean not null,
    routed_from text,
    status text not null,
    attempt int not null,
    control_number bigint,
    question_sealed text,
    answer_sealed text,
    outcome text,
    reject_reasons text[] not null,
    benefits jsonb,
    estimate jsonb,
    created_at timestamptz not null,
    checked_at timestamptz
);
create index check_page on eligibility.eligibility_check (tenant_id, created_at, id);
create index check_of_patient on eligibility.eligibility_check (tenant_id, patient_id);
create table eligibility.control_number (
    tenant_id text not null,
    submitter_id text not null,
    receiver_id text not null,
    last bigint not null,
    primary key (tenant_id, submitter_id, receiver_id)
);
create table eligibility.benefit_route (
    tenant_id text not null,
    coverage_id text not null references eligibility.coverage (id),
    family text not null,
    practice_id text not null,
    payer_id text not null,
    administrator_id text not null,
    evidence text not null,
    phone text,
    check_id text not null,
    valid_from date not null,
    primary key (tenant_id, coverage_id, family)
);
"""

_UNITS = """
create table eligibility.prior_authorization (
    id text primary key,
    tenant_id text not null,
    practice_id text not null,
    patient_id text not null references eligibility.patient (id),
    payer_id text not null,
    kind text not null,
    status text not null,
    number text,
    codes text[] not null,
    unit text not null,
    approved_units int not null check (approved_units >= 0),
    reserved_units int not null check (reserved_units >= 0),
    consumed_units int not null check (consumed_units >= 0),
    effective_from date not null,
    effective_to date not null,
    rendering_npi text,
    source text not null,
    version int not null,
    created_at timestamptz not null,
    constraint authorization_ends_after_it_begins check (effective_from <= effective_to)
);
create index authorization_of_patient on eligibility.prior_authorization (tenant_id, patient_id);
create unique index authorization_number_once
    on eligibility.prior_authorization (tenant_id, practice_id, payer_id, patient_id, number) where status <> 'voided';
create table eligibility.unit_entry (
    id bigint generated always as identity primary key,
    tenant_id text not null,
    practice_id text not null,
    authorization_id text not null references eligibility.prior_authorization (id),
    encounter_id text not null,
    kind text not null,
    units int not null check (units > 0),
    at timestamptz not null
);
create index unit_entry_of on eligibility.unit_entry (tenant_id, authorization_id, id);
"""


def upgrade() -> None:
    for part in (_PEOPLE, _CHECKS, _UNITS):
        run_sql(part)
    protect("eligibility", "control_number")
    for table in (
        "patient", "coverage", "practice", "fee", "encounter", "claim_state", "eligibility_check", "benefit_route",
        "prior_authorization", "unit_entry",
    ):  # fmt: skip
        protect("eligibility", table, practice=True)
    append_only("eligibility", "unit_entry")
