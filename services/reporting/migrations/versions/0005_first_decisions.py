"""The first decision on each claim stands by itself, and what is open is found without what is closed."""

from libs.common.migrations import protect, run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql(TABLES)
    protect("reporting", "first_decision", practice=True)


TABLES = """
create table reporting.first_decision (
    tenant_id text not null,
    claim_id text not null,
    practice_id text,
    payer_id text,
    outcome text not null,
    denied_cents bigint not null,
    paid_on date not null,
    at timestamptz not null,
    event_id text not null,
    ordinal bigint not null,
    primary key (tenant_id, claim_id)
);
alter table reporting.payment no force row level security;
insert into reporting.first_decision
    select distinct on (tenant_id, claim_id)
        tenant_id, claim_id, practice_id, payer_id, outcome, denied_cents, paid_on, at, event_id, -ordinal
    from reporting.payment where entry = 'payment' order by tenant_id, claim_id, ordinal;
alter table reporting.payment force row level security;

create index first_decision_by_day on reporting.first_decision (tenant_id, paid_on);
create index receivable_open on reporting.receivable (tenant_id, first_billed_on)
    where in_flight_cents <> 0 or denied_open_cents <> 0 or withheld_cents <> 0 or patient_cents <> 0;
create index receivable_by_day on reporting.receivable (tenant_id, first_billed_on);
create index claim_unsent on reporting.claim (tenant_id, practice_id) where attempts = 0 and status <> 'void';
"""
