"""What is open and what is in doubt can be told at any size of the tables."""

from libs.common.migrations import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql("""
        create index batch_in_doubt on claims.batch (created_at) where status = 'stored';
        create index claim_open on claims.claim (status) where status not in ('paid', 'closed', 'void');
        create function claims.oldest_in_doubt() returns timestamptz
        language sql stable security definer set search_path = claims, pg_temp as $$
            select min(created_at) from batch where status = 'stored'
        $$;
        create or replace function claims.claims_by_status() returns table (status text, claims bigint)
        language sql stable security definer set search_path = claims, pg_temp as $$
            select c.status, count(*) from claim c where c.status not in ('paid', 'closed', 'void') group by c.status
        $$;
        revoke all on function claims.oldest_in_doubt() from public;
        grant execute on function claims.oldest_in_doubt() to claims_worker;
    """)
