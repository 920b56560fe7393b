"""What is due is found without the work of those who have their share in hand, however much of it comes first."""

from libs.common.migrations import run_kernel_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_kernel_sql("""
        create function "{schema}".timers_due(at timestamptz, kinds text[], most int, served text[])
        returns table (kind text, tenant_id text, id text, due_at timestamptz, attempts int, traceparent text)
        language sql stable security definer set search_path = "{schema}", pg_temp as $$
            select t.kind, t.tenant_id, t.id, t.due_at, t.attempts, t.traceparent from timer t
            where t.due_at <= at and t.kind = any(kinds) and (t.not_before is null or t.not_before <= clock_timestamp())
                and t.kind || '/' || t.tenant_id <> all(served)
            order by t.due_at, t.kind, t.id limit most
        $$;
        revoke all on function "{schema}".timers_due(timestamptz, text[], int, text[]) from public;
        grant execute on function "{schema}".timers_due(timestamptz, text[], int, text[]) to "{schema}_worker";
    """)
