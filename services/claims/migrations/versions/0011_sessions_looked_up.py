"""What sessions that come in are held against: the same look for one, for a few that came together, and for a batch.

`session_before` and `sessions_before` stay for processes of the release before, and are used by no other.
"""

from libs.common.migrations import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql("""
        -- A few sessions: behind the locks of their names, and with what their practices and people are known by.
        -- Many, without names: with the practices closed to everybody else, and nothing but the sessions themselves.
        create function claims.before_sessions(
            locks text[], practices text[], named text[], was text[], patients text[], days date[],
            places text[], npis text[]
        )
        returns table (
            present boolean, twin text, others boolean, time_zone text,
            practice_known jsonb, place_known jsonb, providers_known jsonb
        )
        language plpgsql
        -- One plan for one session and for many, made once for each connection and by the indexes, however small the
        -- tables were when it was made.
        set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
        begin
            -- Always in one order, so that two messages never wait for each other.
            if locks is null then
                perform pg_advisory_xact_lock(k)
                from (select distinct claims.intake_of(practice) as k from unnest(practices) practice order by 1) keys;
            else
                perform pg_advisory_xact_lock_shared(k)
                from (select distinct claims.intake_of(practice) as k from unnest(practices) practice order by 1) keys;
                perform pg_advisory_xact_lock(k)
                from (select distinct hashtextextended(key, 1) as k from unnest(locks) key order by 1) keys;
            end if;
            return query select
                exists (
                    select from claims.encounter e
                    where e.practice_id = m.in_practice and e.external_id = m.its_name
                ),
                (
                    select e.id from claims.encounter e
                    where e.natural_key = m.it_was and e.external_id <> m.its_name order by e.created_at limit 1
                ),
                exists (
                    select from claims.claim c where c.patient_id = m.of_patient and c.service_date = m.on_day
                    and c.status <> 'void'
                ),
                k.time_zone, k.practice, k.location, k.providers
            from unnest(practices, named, was, patients, days, places, npis) with ordinality
                as m (in_practice, its_name, it_was, of_patient, on_day, place, npi, number)
            left join lateral (
                select
                    (select a.time_zone from claims.clearinghouse_account a),
                    (select k.data from claims.known k where k.kind = 'practice' and k.id = m.in_practice),
                    (select k.data from claims.known k where k.kind = 'location' and k.id = m.place),
                    (
                        select coalesce(jsonb_agg(k.data order by k.id), '[]') from claims.known k
                        where k.kind = 'provider' and k.lookup = m.npi
                    )
            ) k (time_zone, practice, location, providers) on locks is not null
            order by m.number;
        end $$;
        revoke all on function claims.before_sessions(
            text[], text[], text[], text[], text[], date[], text[], text[]
        ) from public;
        grant execute on function claims.before_sessions(
            text[], text[], text[], text[], text[], date[], text[], text[]
        ) to claims_api, claims_worker;
    """)
