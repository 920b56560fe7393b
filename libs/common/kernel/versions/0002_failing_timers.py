"""Due work that keeps failing is counted, and a clearinghouse has a day of its own.

`if not exists`: for some weeks new databases had this from revision 0001.
"""

from libs.common.migrations import run_kernel_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_kernel_sql("""
        create index if not exists timer_failing on "{schema}".timer (attempts) where attempts >= 3;
        create or replace function "{schema}".timers_failing_count() returns bigint
        language sql stable security definer set search_path = "{schema}", pg_temp as $$
            select count(*) from timer t where t.attempts >= 3
        $$;
        revoke all on function "{schema}".timers_failing_count() from public;
        grant execute on function "{schema}".timers_failing_count() to "{schema}_worker";
        alter table "{schema}".clearinghouse_account add column if not exists time_zone text not null default 'UTC';
    """)
