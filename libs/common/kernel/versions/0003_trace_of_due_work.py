"""Due work knows the trace in which it was set, so that its step goes on with it."""

from libs.common.migrations import run_kernel_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_kernel_sql("""
        alter table "{schema}".timer add column traceparent text;
        drop function "{schema}".timers_due(timestamptz, text[], int);
        create function "{schema}".timers_due(at timestamptz, kinds text[], most int)
        returns table (kind text, tenant_id text, id text, due_at timestamptz, attempts int, traceparent text)
        language sql stable security definer set search_path = "{schema}", pg_temp as $$
            select t.kind, t.tenant_id, t.id, t.due_at, t.attempts, t.traceparent from timer t
            where t.due_at <= at and t.kind = any(kinds) and (t.not_before is null or t.not_before <= clock_timestamp())
            order by t.due_at, t.kind, t.id limit most
        $$;
        revoke all on function "{schema}".timers_due(timestamptz, text[], int) from public;
        grant execute on function "{schema}".timers_due(timestamptz, text[], int) to "{schema}_worker";
    """)
