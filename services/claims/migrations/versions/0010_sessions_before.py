"""Many sessions are held against what is here behind one lock of their practice, instead of two of each session.

A practice's sessions come one by one beside each other, each behind its own two names, or many at once, alone.
"""

from libs.common.migrations import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql("""
        create or replace function claims.session_before(
            locks text[], practice text, named text, was text, of_patient text, on_day date, place text, npi text
        )
        returns table (
            present boolean, twin text, others boolean, time_zone text,
            practice_known jsonb, place_known jsonb, providers_known jsonb
        )
        language plpgsql as $$
        begin
            perform pg_advisory_xact_lock_shared(claims.intake_of(practice));
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

        create function claims.intake_of(practice text) returns bigint language sql stable as $$
            select hashtextextended('claims/intake/' || current_setting('parity.tenant_id') || '/' || practice, 1)
        $$;

        create function claims.sessions_before(
            practices text[], named text[], was text[], patients text[], days date[]
        )
        returns table (present boolean, twin boolean, others boolean)
        language plpgsql as $$
        begin
            perform pg_advisory_xact_lock(k)
            from (select distinct claims.intake_of(practice) as k from unnest(practices) practice order by 1) keys;
            return query select
                exists (
                    select from claims.encounter e
                    where e.practice_id = m.in_practice and e.external_id = m.its_name
                ),
                exists (select from claims.encounter e where e.natural_key = m.it_was and e.external_id <> m.its_name),
                exists (
                    select from claims.claim c where c.patient_id = m.of_patient and c.service_date = m.on_day
                    and c.status <> 'void'
                )
            from unnest(practices, named, was, patients, days) with ordinality
                as m (in_practice, its_name, it_was, of_patient, on_day, number)
            order by m.number;
        end $$;
        revoke all on function claims.intake_of(text), claims.sessions_before(text[], text[], text[], text[], date[])
            from public;
        grant execute on function
            claims.intake_of(text), claims.sessions_before(text[], text[], text[], text[], date[])
            to claims_api, claims_worker;
    """)
