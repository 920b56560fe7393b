"""Practices, locations, clinicians, their credentials and enrollments, and the claims that wait for them."""

from libs.common.migrations import append_only, protect, run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table credentialing.practice (
    practice_id text primary key,
    tenant_id text not null,
    external_id text,
    status text not null,
    name text not null,
    npi text not null,
    tin text not null,
    taxonomy text not null,
    address jsonb not null,
    pay_to jsonb,
    contact_name text,
    phone text,
    version int not null,
    created_at timestamptz not null,
    constraint practice_once unique (tenant_id, npi)
);
create unique index practice_external on credentialing.practice (tenant_id, external_id);
create table credentialing.location (
    id text primary key,
    tenant_id text not null,
    practice_id text not null references credentialing.practice (practice_id),
    external_id text,
    status text not null,
    name text not null,
    npi text,
    address jsonb not null,
    place_of_service text not null,
    version int not null,
    created_at timestamptz not null
);
create index location_of_practice on credentialing.location (tenant_id, practice_id);
create unique index location_external on credentialing.location (tenant_id, practice_id, external_id);
create table credentialing.clinician (
    id text primary key,
    tenant_id text not null,
    npi text not null,
    status text not null,
    first_name text not null,
    last_name text not null,
    credential text,
    taxonomy text not null,
    caqh_id text,
    caqh_attested_on date,
    notices int not null default 0,
    version int not null,
    created_at timestamptz not null,
    constraint clinician_once unique (tenant_id, npi)
);
create table credentialing.affiliation (
    tenant_id text not null,
    provider_id text not null references credentialing.clinician (id),
    practice_id text not null references credentialing.practice (practice_id),
    primary key (tenant_id, provider_id, practice_id)
);
create table credentialing.credential (
    id text primary key,
    tenant_id text not null,
    provider_id text not null references credentialing.clinician (id),
    kind text not null,
    state text,
    number text not null,
    type text not null,
    effective_from date not null,
    expires_on date not null,
    constraint credential_ends_after_it_begins check (effective_from <= expires_on)
);
create index credential_of_clinician on credentialing.credential (tenant_id, provider_id);
create table credentialing.enrollment (
    id text primary key,
    tenant_id text not null,
    practice_id text not null references credentialing.practice (practice_id),
    provider_id text not null references credentialing.clinician (id),
    payer_id text not null,
    status text not null,
    status_since date not null,
    location_ids text[],
    effective_from date,
    effective_to date,
    payer_loaded_on date,
    payer_reference text,
    requested_from date,
    next_follow_up date,
    reason text,
    told jsonb,
    told_sequence int not null,
    version int not null,
    created_at timestamptz not null
);
create index enrollment_of_clinician on credentialing.enrollment (tenant_id, provider_id, practice_id, payer_id);
create index enrollment_of_practice on credentialing.enrollment (tenant_id, practice_id);
create table credentialing.enrollment_history (
    tenant_id text not null,
    enrollment_id text not null,
    version int not null,
    practice_id text not null,
    step text not null,
    status text not null,
    "on" date not null,
    reason text,
    actor text not null,
    at timestamptz not null,
    primary key (tenant_id, enrollment_id, version)
);
create table credentialing.held_claim (
    tenant_id text not null,
    claim_id text not null,
    practice_id text not null,
    provider_id text,
    payer_id text,
    charge_cents bigint not null,
    held boolean not null,
    held_since date,
    sequence bigint not null,
    primary key (tenant_id, claim_id)
);
create index held_for on credentialing.held_claim (tenant_id, provider_id, practice_id, payer_id) where held;
"""


def upgrade() -> None:
    run_sql(_TABLES)
    for table in ("clinician", "credential"):
        protect("credentialing", table)
    for table in ("practice", "location", "affiliation", "enrollment", "enrollment_history", "held_claim"):
        protect("credentialing", table, practice=True)
    append_only("credentialing", "enrollment_history")
