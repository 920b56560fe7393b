"""The clearinghouse's accounts, files and mailboxes; the payers' members, rosters, claims and payments.

Nothing here belongs to a tenant: a submitter is told apart by its account, as at a real clearinghouse.
"""

from libs.common.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table sandbox.account (
    submitter_id text primary key,
    api_key text not null unique
);
create sequence sandbox.control_number maxvalue 999999999 cycle;
create table sandbox.file (
    id text primary key,
    submitter_id text not null references sandbox.account,
    control_number text not null,
    sha256 text not null,
    body bytea not null,
    received_at timestamptz not null,
    unique (submitter_id, control_number)
);
create table sandbox.mail (
    number bigint generated always as identity primary key,
    id text not null unique,
    submitter_id text not null references sandbox.account,
    kind text not null check (kind in ('TA1', '999', '277CA', '835')),
    body bytea not null,
    release_at timestamptz,
    confirmed_at timestamptz
);
comment on column sandbox.mail.release_at is 'Listed from then on; null: never';
create index mail_open on sandbox.mail (submitter_id, release_at) where confirmed_at is null;
create table sandbox.member (
    payer_id text not null,
    member_id text not null,
    family_id text not null,
    body jsonb not null,
    primary key (payer_id, member_id)
);
create index member_by_family on sandbox.member (payer_id, family_id);
create table sandbox.roster (
    payer_id text not null,
    npi text not null,
    billing_npi text not null,
    effective_from date not null,
    effective_to date,
    taxonomy text not null default '',
    primary key (payer_id, npi, billing_npi, effective_from)
);
create table sandbox.payer_authorization (
    payer_id text not null,
    number text not null,
    member_id text not null,
    body jsonb not null,
    primary key (payer_id, number)
);
create table sandbox.scenario (
    member_id text not null,
    fault text not null,
    service_date date not null default '0001-01-01',
    payer_id text not null default '',
    attempt int not null default 1,
    params jsonb not null default '{}',
    primary key (member_id, fault, service_date, payer_id, attempt)
);
create table sandbox.fault (
    only_row boolean primary key default true check (only_row),
    timeout_after_accept_rate double precision not null default 0,
    seconds double precision not null default 0,
    seed text not null default '1',
    payers_down text[] not null default '{}'
);
insert into sandbox.fault default values;
create table sandbox.arrival (
    payer_id text not null,
    member_id text not null,
    service_from date not null,
    claims int not null,
    primary key (payer_id, member_id, service_from)
);
create table sandbox.claim (
    icn text primary key,
    payer_id text not null,
    submitter_id text not null references sandbox.account,
    file_id text references sandbox.file,
    member_id text not null,
    service_from date not null,
    billing_npi text not null,
    pcn text not null,
    frequency text not null,
    replaced_icn text,
    attempt int not null,
    position int not null,
    received_at timestamptz not null,
    adjudicate_at timestamptz not null,
    status text not null check (status in ('pending', 'decided', 'reversed', 'voided')),
    body jsonb not null,
    decision jsonb,
    faults jsonb not null default '{}'
);
create index claim_pending on sandbox.claim (payer_id, adjudicate_at) where status = 'pending';
create index claim_by_visit on sandbox.claim (payer_id, member_id, service_from);
create table sandbox.effect (
    icn text not null references sandbox.claim,
    line int not null,
    payer_id text not null,
    member_id text not null,
    body jsonb not null,
    stands boolean not null default true,
    primary key (icn, line)
);
create index effect_by_member on sandbox.effect (payer_id, member_id) where stands;
create table sandbox.pay_item (
    id text primary key,
    number bigint generated always as identity,
    payer_id text not null,
    submitter_id text not null references sandbox.account,
    billing_npi text not null,
    part int not null,
    pay_at timestamptz not null,
    icn text not null references sandbox.claim,
    reversal boolean not null,
    line_numbers int[] not null,
    faults jsonb not null default '{}',
    paid_by text
);
create index pay_item_open on sandbox.pay_item (payer_id, pay_at) where paid_by is null;
create table sandbox.takeback (
    icn text primary key references sandbox.claim,
    payer_id text not null,
    submitter_id text not null,
    billing_npi text not null,
    from_at timestamptz not null,
    left_cents bigint not null check (left_cents >= 0)
);
create table sandbox.carried (
    payer_id text not null,
    submitter_id text not null,
    billing_npi text not null,
    cents bigint not null check (cents >= 0),
    reference text not null,
    primary key (payer_id, submitter_id, billing_npi)
);
create table sandbox.payment (
    payer_id text not null,
    trace text not null,
    submitter_id text not null references sandbox.account,
    billing_npi text not null,
    method text not null check (method in ('ACH', 'CHK', 'NON')),
    amount_cents bigint not null check (amount_cents >= 0),
    written_at timestamptz not null,
    effective_on date not null,
    deposited_on date not null,
    body bytea not null,
    primary key (payer_id, trace)
);
grant usage on sequence sandbox.control_number to sandbox_api, sandbox_worker;
grant select, insert, update, delete on
    sandbox.account, sandbox.file, sandbox.mail, sandbox.member, sandbox.roster, sandbox.payer_authorization,
    sandbox.scenario, sandbox.fault, sandbox.arrival, sandbox.claim, sandbox.effect, sandbox.pay_item,
    sandbox.takeback, sandbox.carried, sandbox.payment
    to sandbox_api, sandbox_worker;
"""


def upgrade() -> None:
    run_sql(_TABLES)


def downgrade() -> None:
    raise NotImplementedError("schemas only go forward")
