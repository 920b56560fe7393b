"""A keyed request begins in one round trip: the tenant is set, its key is locked, and what was answered is looked up.

Three statements in one function, each with a snapshot of its own: the policies see the tenant that the first one sets,
and the look-up sees whatever was committed before the key was locked.
"""

from libs.common.migrations import run_kernel_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_kernel_sql("""
        create function "{schema}".begin_keyed(tenant text, practices text, lock text, of_route text, with_key text)
        returns table (locked boolean, request_hash text, status int, headers text, body_sealed text)
        language plpgsql as $$
        begin
            perform set_config('parity.tenant_id', tenant, true), set_config('parity.practice_ids', practices, true);
            locked := pg_try_advisory_xact_lock(hashtextextended(lock, 0));
            select i.request_hash, i.status, i.headers::text, i.body_sealed
            into request_hash, status, headers, body_sealed
            from "{schema}".idempotency i where i.tenant_id = tenant and i.route = of_route and i.key = with_key;
            return next;
        end $$;
        revoke all on function "{schema}".begin_keyed(text, text, text, text, text) from public;
        grant execute on function "{schema}".begin_keyed(text, text, text, text, text)
            to "{schema}_api", "{schema}_worker";
    """)
