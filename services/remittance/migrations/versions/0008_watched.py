"""The whole ledger's imbalance can be told in every tenant's stead."""

from libs.common.migrations import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql("""
        create policy owner on remittance.entry for select to remittance_owner using (true);
        create function remittance.ledger_imbalance_cents() returns bigint
        language sql stable security definer set search_path = remittance, pg_temp as $$
            select coalesce(sum(abs(of_tenant)), 0)::bigint
            from (select sum(amount_cents) as of_tenant from entry group by tenant_id) sums
        $$;
        revoke all on function remittance.ledger_imbalance_cents() from public;
        grant execute on function remittance.ledger_imbalance_cents() to remittance_worker;
    """)
