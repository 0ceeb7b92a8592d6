-- What a person should look at, found by the database itself; for "onevault doctor".
create or replace function admin.sp_check_house()
returns table (check_name text, is_ok boolean, finding text, remedy text)
language plpgsql
security definer
set search_path = ''
as $$
begin
    return query
    select
        'roles', count(*) filter (where r.rolname is null or r.rolsuper) = 0,
        coalesce(
            string_agg(m.role_name || case when r.rolsuper then ' is a superuser' else ' is missing' end, ', ')
            filter (where r.rolname is null or r.rolsuper), 'all there, none is a superuser'
        ),
        'Run "onevault migrate" as a user who may create roles; no service may run as a superuser.'
    from unnest('{onevault_owner,onevault_app,onevault_worker,onevault_dba,onevault_bi}'::text[]) as m (role_name)
    left join pg_catalog.pg_roles as r on m.role_name = r.rolname;

    return query
    select
        'public', count(*) = 0,
        coalesce('PUBLIC may ' || string_agg(distinct a.privilege_type, ', '), 'PUBLIC may nothing'),
        format('revoke all on database %I from public;', current_database())
    from pg_catalog.pg_database as d
    cross join lateral pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) as a
    where d.datname = current_database() and a.grantee = 0;

    return query select f.* from admin.fn_check_logging() as f;

    return query select f.* from admin.fn_check_webhooks() as f;

    return query select f.* from admin.fn_check_usage_exports() as f;

    return query
    select
        'tokens', count(*) > 0, format('%s tokens of %s customers may call', count(*), count(distinct p.customer_hk)),
        'Issue one: onevault token issue CUSTOMER'
    from ops.principal as p
    where p.is_active and p.token_status = 'ACTIVE' and coalesce(p.expires_at > now(), true);

    return query
    select
        'models', count(*) filter (where o.unroutable_because is null) > 0,
        format(
            '%s of %s models can be routed to; %s wait for a key, %s have no price',
            count(*) filter (where o.unroutable_because is null), count(*),
            count(*) filter (where o.unroutable_because = 'no_key'),
            count(*) filter (where o.unroutable_because = 'no_price')
        ),
        'See why in admin.model (unroutable_because); set a key: onevault provider set NAME --api-key-env VARIABLE'
    from ops.offer as o
    where o.valid_from <= now() and o.valid_to > now() and o.service_tier = 'standard' and o.above_tokens = 0;

    return query
    select
        'queue ' || q.name, coalesce(q.oldest < 60, true),
        format('%s waiting, the oldest for %s seconds', q.depth, round(coalesce(q.oldest, 0))),
        'No worker fetches them, or too few: start one with "onevault work".'
    from (
        select 'premium' as name, count(*) as depth, extract(epoch from now() - min(m.enqueued_at)) as oldest
        from pgmq.q_premium as m where m.vt <= now()
        union all
        select 'standard', count(*), extract(epoch from now() - min(m.enqueued_at))
        from pgmq.q_standard as m where m.vt <= now()
        union all
        select 'basic', count(*), extract(epoch from now() - min(m.enqueued_at))
        from pgmq.q_basic as m where m.vt <= now()
    ) as q;

    return query
    select
        'dead messages', count(*) = 0, format('%s in the last day', count(*)),
        'Look into ops.dead_message; each was read five times without an answer. The customers were not charged.'
    from ops.dead_message as d
    where d.died_at > now() - interval '1 day';

    return query
    select
        'clock', count(*) filter (where j.last_started_at < now() - j.every - interval '1 minute') = 0,
        case
            when max(j.last_started_at) is null then 'no job has run yet'
            else format('the last job ran %s seconds ago', round(extract(epoch from now() - max(j.last_started_at))))
        end,
        'Jobs are ticked by workers: start one with "onevault work".'
    from ops.job as j
    where j.is_active;

    return query
    select
        'jobs', count(*) = 0,
        coalesce(
            string_agg(format('%s failed with %s', j.job_name, j.last_error), ', ' order by j.job_name), 'none failed'
        ),
        'Look into ops.job and the log of the database.'
    from ops.job as j
    where j.last_error is not null;

    return query
    select
        'requests', true,
        format(
            '%s reserved, %s dispatched, %s streaming; %s calls of unknown outcome in two days',
            count(*) filter (where r.request_state = 'reserved'), count(*) filter (where r.request_state = 'dispatched'),
            count(*) filter (where r.request_state = 'streaming'),
            (select coalesce(sum(u.unknown_calls), 0) from ops.unknown_request as u)
        ), ''
    from ops.reservation as r;

    return query
    select
        i.name, count(v.invariant) = 0,
        case
            when count(v.invariant) = 0 then 'holds'
            else format('%s violations; %s %s', count(v.invariant), min(v.subject), min(v.finding))
        end,
        format(
            case i.name
                when 'unpriced_attempt' then 'Look into ops.%I, and set the price that is missing in admin.price.'
                when 'unbalanced_entry' then 'Look into ops.%I, and do not close a month before it is explained.'
                else 'Look into ops.%I; ops.fn_rebuild_hot_state() sets budgets right, a running worker closes requests.'
            end, i.name
        )
    from unnest(
        array[
            'unaccounted_request', 'unbalanced_request', 'budget_invariant', 'stray_message', 'overdue_request',
            'foreign_row', 'unpriced_attempt', 'unbalanced_entry'
        ]
    ) with ordinality as i (name, place)
    left join ops.invariant_violation as v on v.invariant = i.name
    group by i.name, i.place
    order by i.place;

    return query
    select
        'partitions', count(n.oid) > 0,
        case when count(n.oid) > 0 then 'next month has its place' else 'none for next month' end,
        'The job "keep partitions" makes them: start a worker. No row is lost meanwhile.'
    from pg_catalog.pg_class as n
    where
        n.relnamespace = 'gateway'::regnamespace
        and n.relname = 'api_request_h' || to_char((now() at time zone 'UTC') + interval '1 month', '"_"YYYY"_"MM');
end
$$;

comment on function admin.sp_check_house() is
'What to look at and how to mend it: roles, rights, tokens, models, queues, clock, jobs, requests, invariants,
partitions.';
