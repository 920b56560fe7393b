-- The embedded event log: one schema, owned by a role that nobody logs in as. Services reach it only through
-- the functions below, each limited to what `log.permission` and `log.group_permission` allow the role that
-- logged in (session_user: inside a security definer function current_user is always the owner).

create schema if not exists log authorization parity_log;
set local role parity_log;

create table if not exists log.topic (
    name       text primary key,
    partitions integer not null check (partitions > 0)
);

create table if not exists log.partition (
    id           integer generated always as identity primary key,
    topic        text not null references log.topic,
    number       integer not null check (number >= 0),
    first_offset bigint not null default 0,
    next_offset  bigint not null default 0,
    unique (topic, number)
) with (fillfactor = 50);

create table if not exists log.record (
    partition_id integer not null,
    "offset"     bigint not null,
    key          text not null,
    value        bytea not null,
    headers      jsonb not null,
    appended_at  timestamptz not null default clock_timestamp(),
    primary key (partition_id, "offset")
);

create table if not exists log.permission (
    role_name text not null,
    topic     text not null,
    produces  boolean not null,
    consumes  boolean not null,
    primary key (role_name, topic)
);

create table if not exists log.group_permission (
    role_name  text not null,
    group_name text not null,
    primary key (role_name, group_name)
);

create table if not exists log.consumer_group (
    name       text primary key,
    generation bigint not null default 0
);

create table if not exists log.member (
    id         uuid primary key,
    group_name text not null references log.consumer_group,
    topics     text[] not null,
    expires_at timestamptz not null
) with (fillfactor = 50);

-- What a group knows of a partition: how far it has come, who holds it and since which generation.
create table if not exists log.position (
    group_name   text not null references log.consumer_group,
    partition_id integer not null references log.partition,
    committed    bigint,
    member_id    uuid,
    since        bigint not null default 0,
    primary key (group_name, partition_id)
) with (fillfactor = 50);

create or replace function log.require_topics(topics text[], may_produce boolean) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    refused text;
begin
    select t into refused from unnest(topics) t
    where not exists (
        select from log.permission p
        where p.role_name = session_user and p.topic = t
          and case when may_produce then p.produces else p.consumes end
    ) limit 1;
    if found then
        raise insufficient_privilege using message = format(
            '%s may not %s %s', session_user, case when may_produce then 'produce' else 'consume' end, refused);
    end if;
end $$;

create or replace function log.require_group(group_name text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (
        select from log.group_permission g
        where g.role_name = session_user and g.group_name = require_group.group_name
    ) then
        raise insufficient_privilege using message = format('%s is not of group %s', session_user, group_name);
    end if;
end $$;

-- Appends in order. Offsets are given out under the partition's row lock, which is held until the caller
-- commits: so they are dense, and a reader sees them in the order in which they were committed.
create or replace function log.append_rows(topics text[], keys text[], vals bytea[], headers jsonb[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told text[] := array(select distinct unnest(topics));
    ids integer[];
    offsets bigint[];
begin
    perform log.require_topics(told, true);
    with spread as (
        select t.name, t.partitions, array_agg(p.id order by p.number) as ids
        from log.topic t join log.partition p on p.topic = t.name where t.name = any(told) group by t.name
    )
    select array_agg(s.ids[1 + (hashtextextended(i.key, 0) & 9223372036854775807) % s.partitions] order by i.n) into ids
    from unnest(topics, keys) with ordinality i(topic, key, n) left join spread s on s.name = i.topic;
    if array_position(ids, null) is not null then
        raise undefined_object using message = 'no such topic: ' || topics[array_position(ids, null)];
    end if;
    perform from log.partition p where p.id = any(ids) order by p.id for no key update;
    -- Numbers are joined and sorted here, and the values that belong to them only copied below.
    with wanted as (
        select id, count(*) as n from unnest(ids) id group by id
    ), given as (
        update log.partition p set next_offset = p.next_offset + wanted.n from wanted where p.id = wanted.id
        returning p.id, p.next_offset - wanted.n as base
    ), numbered as (
        select i.n, given.base + row_number() over (partition by i.id order by i.n) - 1 as "offset"
        from unnest(ids) with ordinality i(id, n) join given on given.id = i.id
    )
    select array_agg("offset" order by n) into offsets from numbered;
    insert into log.record (partition_id, "offset", key, value, headers)
    select * from unnest(ids, offsets, keys, vals, headers);
    perform pg_notify('parity_log', t) from unnest(told) t;
end $$;

-- The same, for who has headers as text.
create or replace function log.append(topics text[], keys text[], vals bytea[], headers text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select log.append_rows(topics, keys, vals, headers::jsonb[])
$$;

-- The next records of these partitions, whole partitions in the order given, at least one record whatever its size.
create or replace function log.fetch(ids integer[], positions bigint[], max_records integer, max_bytes bigint)
returns table (partition_id integer, "offset" bigint, key text, value bytea, headers text)
language plpgsql stable security definer rows 200 set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
-- Plans are kept for as long as the connection: one that was made while the log was empty would read all of it for
-- each fetch once it is full. Each row is found by the index, whatever the planner believes of the table's size.
begin
    perform log.require_topics(array(select distinct p.topic from log.partition p where p.id = any(ids)), false);
    return query
    with found as (
        select w.n, r.partition_id, r."offset", octet_length(r.value) as bytes
        from unnest(ids, positions) with ordinality w(id, position, n)
        join log.partition p on p.id = w.id and p.next_offset > w.position
        cross join lateral (
            select * from log.record r where r.partition_id = w.id and r."offset" >= w.position
            order by r."offset" limit max_records
        ) r
        order by w.n, r."offset" limit max_records
    ), summed as (
        select f.*, sum(f.bytes) over (order by f.n, f."offset") - f.bytes as before from found f
    )
    select r.partition_id, r."offset", r.key, r.value, r.headers::text
    from summed s join log.record r on r.partition_id = s.partition_id and r."offset" = s."offset"
    where s.before = 0 or s.before + s.bytes <= max_bytes
    order by s.n, s."offset";
end $$;

-- Gives every partition of the group's topics to one of the members that read the topic. What a member holds it
-- keeps, unless another would have two fewer. The caller holds the group's row lock.
create or replace function log.rebalance(of_group text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    new_generation bigint;
    moved integer;
    receiver uuid;
begin
    update log.consumer_group g set generation = generation + 1 where g.name = of_group
    returning generation into new_generation;
    insert into log.position (group_name, partition_id)
    select of_group, p.id from log.partition p
    where p.topic in (select unnest(m.topics) from log.member m where m.group_name = of_group)
    on conflict do nothing;
    update log.position s set member_id = null from log.partition p
    where s.group_name = of_group and p.id = s.partition_id and s.member_id is not null
      and not exists (select from log.member m
                      where m.id = s.member_id and m.group_name = of_group and p.topic = any(m.topics));
    if (select count(*) from log.member m where m.group_name = of_group) = 1 then      -- nothing to weigh
        update log.position s set member_id = m.id, since = new_generation
        from log.member m, log.partition p
        where s.group_name = of_group and s.member_id is null and m.group_name = of_group
          and p.id = s.partition_id and p.topic = any(m.topics);
    end if;
    loop
        with held as (
            select m.id, m.topics, count(s.partition_id) as n
            from log.member m left join log.position s on s.group_name = of_group and s.member_id = m.id
            where m.group_name = of_group group by m.id
        )
        select s.partition_id, taker.id into moved, receiver
        from log.position s
        join log.partition p on p.id = s.partition_id
        join held taker on p.topic = any(taker.topics)
        left join held giver on giver.id = s.member_id
        where s.group_name = of_group and (giver.id is null or giver.n - taker.n >= 2)
        order by giver.id is not null, giver.n - taker.n desc, taker.n, p.number, p.topic, taker.id
        limit 1;
        exit when not found;
        update log.position s set member_id = receiver, since = new_generation
        where s.group_name = of_group and s.partition_id = moved;
    end loop;
    perform pg_notify('parity_log', '@' || of_group);
end $$;

-- A member lives while its session has not passed and its connection holds the lock that it took when it joined:
-- one that was stopped is given up after its session, one that was killed at once.
create or replace function log.gone_members(of_group text) returns setof uuid
language sql volatile set search_path = pg_catalog, pg_temp as $$
    select m.id from log.member m
    where m.group_name = of_group and (m.expires_at < clock_timestamp() or not exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select d.oid from pg_database d where d.datname = current_database())
          and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(m.id::text, 0)
    ))
$$;

create or replace function log.expire_members(of_group text) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    delete from log.member m where m.group_name = of_group and m.id in (select log.gone_members(of_group));
    return found;
end $$;

-- The member is in the group and reads these topics. Returns the group's generation.
create or replace function log.join_group(of_group text, member uuid, reads text[], session interval) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    changed boolean;
begin
    perform log.require_group(of_group);
    perform log.require_topics(reads, false);
    perform pg_try_advisory_lock(hashtextextended(member::text, 0));
    insert into log.consumer_group (name) values (of_group) on conflict do nothing;
    perform from log.consumer_group g where g.name = of_group for update;
    changed := log.expire_members(of_group);
    changed := changed or not exists (
        select from log.member m where m.id = member and m.group_name = of_group and m.topics = reads);
    insert into log.member as m (id, group_name, topics, expires_at)
    values (member, of_group, reads, clock_timestamp() + session)
    on conflict (id) do update set topics = excluded.topics, expires_at = excluded.expires_at
    where m.group_name = of_group;
    changed := changed or exists (          -- topics that were created, or widened, after the last rebalance
        select from log.partition p where p.topic = any(reads) and not exists (
            select from log.position s where s.group_name = of_group and s.partition_id = p.id));
    if changed then
        perform log.rebalance(of_group);
    end if;
    return (select g.generation from log.consumer_group g where g.name = of_group);
end $$;

-- What the member holds, and where to read on.
create or replace function log.assignment(of_group text, member uuid)
returns table (partition_id integer, topic text, number integer, start bigint, since bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform log.require_group(of_group);
    return query
    select p.id, p.topic, p.number, greatest(coalesce(s.committed, 0), p.first_offset), s.since
    from log.position s join log.partition p on p.id = s.partition_id
    where s.group_name = of_group and s.member_id = member order by p.topic, p.number;
end $$;

-- The member lives. Returns the group's generation, or null when the group has given the member up.
create or replace function log.heartbeat(of_group text, member uuid, session interval) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform log.require_group(of_group);
    if exists (select log.gone_members(of_group)) then
        perform from log.consumer_group g where g.name = of_group for update;
        if log.expire_members(of_group) then
            perform log.rebalance(of_group);
        end if;
    end if;
    update log.member m set expires_at = clock_timestamp() + session where m.id = member and m.group_name = of_group;
    if not found then
        return null;
    end if;
    return (select g.generation from log.consumer_group g where g.name = of_group);
end $$;

create or replace function log.leave_group(of_group text, member uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform log.require_group(of_group);
    perform from log.consumer_group g where g.name = of_group for update;
    delete from log.member m where m.id = member and m.group_name = of_group;
    if found then
        perform log.rebalance(of_group);
    end if;
end $$;

-- Moves the group's positions. Returns the partitions that the member does not hold, or did not hold without
-- interruption since the generation that it knows of: those are left alone.
create or replace function log.commit_positions(of_group text, member uuid, generation bigint, ids integer[], positions bigint[])
returns integer[]
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lost integer[];
begin
    perform log.require_group(of_group);
    with wanted as (
        select * from unnest(ids, positions) w(id, position)
    ), kept as (
        update log.position s set committed = wanted.position from wanted
        where s.group_name = of_group and s.partition_id = wanted.id
          and s.member_id = member and s.since <= generation
        returning s.partition_id
    )
    select coalesce(array_agg(id), '{}') into lost from wanted where id not in (select partition_id from kept);
    return lost;
end $$;

create or replace function log.lag(of_group text, reads text[])
returns table (topic text, number integer, lag bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not pg_has_role(session_user, 'parity_log', 'member') then
        perform log.require_group(of_group);
    end if;
    return query
    select p.topic, p.number, p.next_offset - greatest(coalesce(s.committed, 0), p.first_offset)
    from log.partition p left join log.position s on s.group_name = of_group and s.partition_id = p.id
    where p.topic = any(reads) and p.next_offset > greatest(coalesce(s.committed, 0), p.first_offset);
end $$;

-- For the owner alone: topics come into being by this and by nothing else.
create or replace function log.create_topics(names text[], partitions integer) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into log.topic (name, partitions) select n, create_topics.partitions from unnest(names) n on conflict do nothing;
    insert into log.partition (topic, number)
    select t.name, n from log.topic t cross join lateral generate_series(0, t.partitions - 1) n
    where t.name = any(names)
    on conflict do nothing;
end $$;

-- Forgets what is older than `keep` and was read by every group that reads the topic. Within a partition records
-- stand in the order of their time, so that only those which go are looked at. A service may not go below a week.
create or replace function log.trim(keep interval) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before timestamptz;
    one record;
    young bigint;
    here bigint;
    trimmed bigint := 0;
begin
    if not pg_has_role(session_user, 'parity_log', 'member') then
        keep := greatest(keep, interval '7 days');
    end if;
    before := clock_timestamp() - keep;
    if not pg_try_advisory_xact_lock(hashtextextended('parity/log/trim', 0)) then
        return 0;
    end if;
    for one in
        select p.id, p.first_offset, min(coalesce(s.committed, 0)) as read_by_all
        from log.partition p join log.position s on s.partition_id = p.id
        group by p.id having min(coalesce(s.committed, 0)) > p.first_offset
    loop
        select r."offset" into young from log.record r
        where r.partition_id = one.id and r."offset" >= one.first_offset and r.appended_at >= before
        order by r."offset" limit 1;
        delete from log.record r
        where r.partition_id = one.id and r."offset" < least(one.read_by_all, coalesce(young, one.read_by_all));
        get diagnostics here = row_count;
        if here > 0 then
            update log.partition p set first_offset = least(one.read_by_all, coalesce(young, one.read_by_all))
            where p.id = one.id;
            trimmed := trimmed + here;
        end if;
    end loop;
    return trimmed;
end $$;

revoke all on all tables in schema log from public;
revoke all on all functions in schema log from public;
reset role;
