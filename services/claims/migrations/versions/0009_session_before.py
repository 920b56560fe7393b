"""What a session that comes in is held against, looked up in one round trip behind the lock of its two names."""

from libs.common.migrations import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql("""
        create function claims.session_before(
            locks text[], practice text, named text, was text, of_patient text, on_day date, place text, npi text
        )
        returns table (
            present boolean, twin text, others boolean, time_zone text,
            practice_known jsonb, place_known jsonb, providers_known jsonb
        )
        language plpgsql as $$
        begin
            -- Always in one order, so that two messages never wait for each other.
            perform pg_advisory_xact_lock(k)
            from (select hashtextextended(key, 1) as k from unnest(locks) key order by 1) keys;
            return query select
                exists (select from claims.encounter e where e.practice_id = practice and e.external_id = named),
                (
                    select e.id from claims.encounter e where e.natural_key = was and e.external_id <> named
                    order by e.created_at limit 1
                ),
                exists (
                    select from claims.claim c where c.patient_id = of_patient and c.service_date = on_day
                    and c.status <> 'void'
                ),
                (select a.time_zone from claims.clearinghouse_account a),
                (select k.data from claims.known k where k.kind = 'practice' and k.id = practice),
                (select k.data from claims.known k where k.kind = 'location' and k.id = place),
                (
                    select coalesce(jsonb_agg(k.data order by k.id), '[]') from claims.known k
                    where k.kind = 'provider' and k.lookup = npi
                );
        end $$;
        revoke all on function claims.session_before(text[], text, text, text, text, date, text, text) from public;
        grant execute on function claims.session_before(text[], text, text, text, text, date, text, text)
            to claims_api, claims_worker;
    """)
