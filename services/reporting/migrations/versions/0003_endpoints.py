"""Outbound webhooks: endpoints, what is delivered to each, and every attempt."""

from libs.common.migrations import append_only, protect, run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql(TABLES)
    protect("reporting", "endpoint", practice=True)
    protect("reporting", "delivery")
    protect("reporting", "attempt")
    append_only("reporting", "attempt")


TABLES = """
create table reporting.endpoint (
    id text primary key,
    tenant_id text not null,
    practice_id text,
    url text not null,
    description text not null default '',
    event_types jsonb not null,
    secrets_sealed jsonb not null,
    status text not null default 'active',
    failing_since timestamptz,
    noticed int not null default 0,
    version int not null default 1,
    created_at timestamptz not null
);
create index endpoint_page on reporting.endpoint (tenant_id, created_at, id);
create table reporting.delivery (
    id text primary key,
    tenant_id text not null,
    endpoint_id text not null references reporting.endpoint (id) on delete cascade,
    event_id uuid,
    message_id text not null,
    type text not null,
    status text not null default 'pending',
    attempts int not null default 0,
    last_status int,
    last_error text,
    next_at timestamptz,
    created_at timestamptz not null,
    delivered_at timestamptz
);
create unique index delivery_once on reporting.delivery (endpoint_id, message_id);
create index delivery_due on reporting.delivery (endpoint_id, next_at) where status = 'pending';
create index delivery_page on reporting.delivery (tenant_id, endpoint_id, created_at, id);
create table reporting.attempt (
    id bigint generated always as identity primary key,
    tenant_id text not null,
    delivery_id text not null references reporting.delivery (id) on delete cascade,
    at timestamptz not null default clock_timestamp(),
    number int not null,
    status int,
    error text,
    milliseconds int not null
);
create index attempt_of on reporting.attempt (delivery_id, number);
"""
