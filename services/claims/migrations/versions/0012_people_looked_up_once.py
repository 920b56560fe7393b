"""Sessions that come in together are mostly of one practice and of few clinicians: each is looked up, and told, once.

`before_sessions` stays for processes of the release before; what only older ones used goes.
"""

from libs.common.migrations import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql("""
        -- Of sessions of the same practice, place and clinician the first has what these are known by, others nulls.
        create function claims.before_each(
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
            return query
            with message as materialized (
                select * from unnest(practices, named, was, patients, days, places, npis) with ordinality
                    as m (in_practice, its_name, it_was, of_patient, on_day, place, npi, number)
            ),
            people as materialized (
                select min(m.number) as number, m.in_practice, m.place, m.npi
                from message m where locks is not null group by m.in_practice, m.place, m.npi
            )
            select
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
            from message m
            left join (
                select
                    p.number,
                    (select a.time_zone from claims.clearinghouse_account a) as time_zone,
                    (
                        select k.data from claims.known k where k.kind = 'practice' and k.id = p.in_practice
                    ) as practice,
                    (select k.data from claims.known k where k.kind = 'location' and k.id = p.place) as location,
                    (
                        select coalesce(jsonb_agg(k.data order by k.id), '[]') from claims.known k
                        where k.kind = 'provider' and k.lookup = p.npi
                    ) as providers
                from people p
            ) k using (number)
            order by m.number;
        end $$;
        revoke all on function claims.before_each(
            text[], text[], text[], text[], text[], date[], text[], text[]
        ) from public;
        grant execute on function claims.before_each(
            text[], text[], text[], text[], text[], date[], text[], text[]
        ) to claims_api, claims_worker;
        drop function claims.session_before(text[], text, text, text, text, date, text, text);
        drop function claims.sessions_before(text[], text[], text[], text[], date[]);
    """)
