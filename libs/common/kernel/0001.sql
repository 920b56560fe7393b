-- The kernel's tables in one service's schema ("{schema}"); run by its owner. Every service has the same.

create table "{schema}".outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    topic text not null,
    key text not null,
    tenant_id text not null,
    value bytea not null,
    headers jsonb not null default '{{}}',
    created_at timestamptz not null default clock_timestamp()
);
create table "{schema}".sent (
    id bigint not null,
    event_id uuid not null,
    topic text not null,
    key text not null,
    tenant_id text not null,
    value bytea not null,
    headers jsonb not null,
    created_at timestamptz not null,
    sent_at timestamptz not null default clock_timestamp()
) partition by range (sent_at);
create index sent_by_id on "{schema}".sent (id);

create function "{schema}".ensure_sent_partitions() returns void
language plpgsql security definer set search_path = "{schema}", pg_temp as $$
declare
    first date;
begin
    for n in 0..1 loop
        first := (date_trunc('month', clock_timestamp() at time zone 'UTC') + make_interval(months => n))::date;
        execute format(
            'create table if not exists %I.%I partition of %I.sent for values from (%L) to (%L)',
            '{schema}', 'sent_' || to_char(first, 'YYYYMM'), '{schema}',
            first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00'
        );
        execute format('grant select, insert on %I.%I to %I', '{schema}', 'sent_' || to_char(first, 'YYYYMM'), '{schema}_worker');
    end loop;
end $$;
revoke all on function "{schema}".ensure_sent_partitions() from public;
grant execute on function "{schema}".ensure_sent_partitions() to "{schema}_worker";
select "{schema}".ensure_sent_partitions();

create table "{schema}".inbox (
    event_id uuid primary key,
    topic text not null,
    received_at timestamptz not null default clock_timestamp()
);
create table "{schema}".parked (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    topic text not null,
    key text not null,
    tenant_id text,
    value bytea not null,
    headers jsonb not null default '{{}}',
    reason text not null,
    attempts int not null default 0,
    parked_at timestamptz not null default clock_timestamp()
);
create index parked_by_key on "{schema}".parked (key, id);

grant insert on "{schema}".outbox to "{schema}_api", "{schema}_worker";
grant select, delete on "{schema}".outbox to "{schema}_worker";
grant select, insert on "{schema}".sent to "{schema}_worker";
grant select, insert, delete on "{schema}".inbox to "{schema}_worker";
grant select, insert, update, delete on "{schema}".parked to "{schema}_worker";

-- Work that is due at a business time. Which tenants have any is told by a function, never by the table.
create table "{schema}".timer (
    kind text not null,
    tenant_id text not null,
    id text not null,
    due_at timestamptz not null,
    attempts int not null default 0,
    not_before timestamptz,
    primary key (kind, tenant_id, id)
);
create index timer_by_due on "{schema}".timer (due_at);
create function "{schema}".timers_due(at timestamptz, kinds text[], most int)
returns table (kind text, tenant_id text, id text, due_at timestamptz, attempts int)
language sql stable security definer set search_path = "{schema}", pg_temp as $$
    select t.kind, t.tenant_id, t.id, t.due_at, t.attempts from timer t
    where t.due_at <= at and t.kind = any(kinds) and (t.not_before is null or t.not_before <= clock_timestamp())
    order by t.due_at, t.kind, t.id limit most
$$;
create function "{schema}".timer_stands(kind text, tenant text, id text, due timestamptz) returns boolean
language sql stable security definer set search_path = "{schema}", pg_temp as $$
    select exists (
        select 1 from timer t where t.kind = $1 and t.tenant_id = $2 and t.id = $3 and t.due_at = $4
    )
$$;
create function "{schema}".timers_due_count(at timestamptz) returns bigint
language sql stable security definer set search_path = "{schema}", pg_temp as $$
    select count(*) from timer t where t.due_at <= at
$$;

create table "{schema}".idempotency (
    tenant_id text not null,
    route text not null,
    key text not null,
    request_hash text not null,
    status int not null,
    headers jsonb not null default '{{}}',
    body_sealed text not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, route, key)
);
create index idempotency_by_age on "{schema}".idempotency (tenant_id, created_at);
create table "{schema}".task (
    id text primary key,
    tenant_id text not null,
    practice_id text,
    reason text not null,
    subject_type text not null,
    subject_id text not null,
    owner text not null,
    status text not null default 'open',
    due_on date,
    amount_cents bigint,
    detail text,
    outcome text,
    version int not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index task_open_once on "{schema}".task (tenant_id, subject_id, reason) where status = 'open';
create index task_page on "{schema}".task (tenant_id, created_at, id);
create table "{schema}".audit (
    id bigint generated always as identity primary key,
    tenant_id text not null,
    practice_id text,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    action text not null,
    subject_type text,
    subject_id text,
    why text,
    request_id text
);
create index audit_page on "{schema}".audit (tenant_id, id);
create index audit_subject on "{schema}".audit (tenant_id, subject_id, id);
create table "{schema}".inbound_source (
    id text primary key,
    tenant_id text not null,
    practice_id text,
    kind text not null,
    name text not null,
    secrets_sealed text[] not null,
    status text not null default 'active',
    version int not null default 1,
    created_at timestamptz not null
);
create function "{schema}".inbound_source_of(source text)
returns table (tenant_id text, practice_id text, kind text, secrets_sealed text[], status text)
language sql stable security definer set search_path = "{schema}", pg_temp as $$
    select s.tenant_id, s.practice_id, s.kind, s.secrets_sealed, s.status from inbound_source s where s.id = source
$$;
create table "{schema}".inbound_message (
    id text primary key,
    tenant_id text not null,
    practice_id text,
    source_id text not null references "{schema}".inbound_source (id),
    webhook_id text not null,
    body_sealed text not null,
    status text not null default 'received',
    errors jsonb not null default '[]',
    attempts int not null default 0,
    traceparent text,
    received_at timestamptz not null,
    processed_at timestamptz,
    unique (tenant_id, source_id, webhook_id)
);
create index inbound_message_page on "{schema}".inbound_message (tenant_id, received_at, id);
create table "{schema}".clearinghouse_account (
    tenant_id text primary key,
    submitter_id text not null,
    receiver_id text not null,
    url text not null,
    api_key_sealed text not null,
    version int not null default 1,
    updated_at timestamptz not null
);
revoke all on function "{schema}".timers_due(timestamptz, text[], int), "{schema}".timers_due_count(timestamptz),
    "{schema}".timer_stands(text, text, text, timestamptz), "{schema}".inbound_source_of(text) from public;
grant execute on function "{schema}".timers_due(timestamptz, text[], int), "{schema}".timers_due_count(timestamptz),
    "{schema}".timer_stands(text, text, text, timestamptz) to "{schema}_worker";
grant execute on function "{schema}".inbound_source_of(text) to "{schema}_api", "{schema}_worker";
