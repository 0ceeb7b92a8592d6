-- Ours against theirs, as finely as they told: over all models where a day has usage of no model, over all keys where
-- it has usage of no key or one of our keys, of now or of that day, is not known by its id there.
create view ops.reconciliation as
with named as (
    select
        h.provider_hk, s.load_date, s.load_end_date,
        bool_or(s.provider_key_id is not null) over (partition by h.provider_key_hk) as is_known,
        s.key_status = 'ACTIVE' as is_active
    from gateway.ai_provider_key_h as h
    inner join gateway.ai_provider_key_s as s on h.provider_key_hk = s.provider_key_hk
),

told as (
    select
        t.provider_hk, t.usage_day, t.is_cost, bool_and(t.model_name <> '' or t.amount = 0) as by_model,
        bool_and(t.provider_key_id <> '' or t.amount = 0) as by_key
    from ops.imported_usage as t
    group by t.provider_hk, t.usage_day, t.is_cost
),

grain as materialized (
    select t.provider_hk, t.usage_day, t.is_cost, t.by_model, t.by_key and coalesce(k.are_known, false) as by_key
    from told as t
    left join lateral (
        select bool_and(n.is_known) as are_known
        from named as n
        where
            n.provider_hk = t.provider_hk and n.is_active and (
                n.load_end_date is null
                or n.load_date < (t.usage_day + 1)::timestamp at time zone 'UTC'
                and n.load_end_date > t.usage_day::timestamp at time zone 'UTC'
            )
    ) as k on true
),

sides as (
    select
        o.provider_hk, o.usage_day, o.bucket, g.provider_hk is not null as is_imported,
        case when coalesce(g.by_model, true) then o.model_match end as model_match,
        case when coalesce(g.by_key, true) then coalesce(encode(o.provider_key_hk, 'hex'), '') end as key_match,
        o.model as our_model, null as their_model, o.key_name, o.amount as ours, 0 as theirs, o.value_usd as ours_usd
    from ops.booked_usage as o
    left join grain as g
        on o.provider_hk = g.provider_hk and o.usage_day = g.usage_day and (o.bucket = 'cost') = g.is_cost
    union all
    select
        t.provider_hk, t.usage_day, t.bucket, true,
        case when g.by_model then ops.fn_name_usage_model(t.model_name) end,
        case when g.by_key then coalesce(encode(t.provider_key_hk, 'hex'), t.provider_key_id) end,
        null, t.model_name, t.provider_key_id, 0, t.amount, 0
    from ops.imported_usage as t
    inner join grain as g on t.provider_hk = g.provider_hk and t.usage_day = g.usage_day and t.is_cost = g.is_cost
),

compared as (
    select
        s.provider_hk, s.usage_day, s.bucket, s.model_match, s.key_match, bool_or(s.is_imported) as is_imported,
        case when s.model_match is not null then coalesce(min(s.our_model), min(s.their_model)) end as model,
        -- Our name of a key, its id there where it is none of ours.
        case when s.key_match is not null then coalesce(min(s.key_name) filter (where s.our_model is not null),
            min(s.key_name)) end as key_name,
        sum(s.ours) as ours, sum(s.theirs) as theirs, sum(s.theirs) - sum(s.ours) as difference,
        sum(s.ours_usd) as ours_usd
    from sides as s
    group by s.provider_hk, s.usage_day, s.bucket, s.model_match, s.key_match
    having sum(s.ours) <> 0 or sum(s.theirs) <> 0
),

valued as (
    select
        c.*, case
            when c.bucket = 'cost' then c.difference
            when c.difference = 0 then 0
            when c.bucket = 'requests' then null
            when c.ours <> 0 then c.difference * c.ours_usd / c.ours
            else c.difference * ops.fn_find_usage_price(c.provider_hk, c.model_match, c.usage_day, c.bucket)
        end as difference_usd
    from compared as c
)

select
    p.provider_bk::text as provider, v.usage_day, v.model, v.key_name, v.bucket, trim_scale(v.ours) as ours,
    case when v.is_imported then trim_scale(v.theirs) end as theirs,
    case when v.is_imported then trim_scale(v.difference) end as difference,
    case when v.is_imported then round(100 * v.difference / nullif(v.theirs, 0), 4) end as difference_percent,
    case when v.is_imported then round(v.difference_usd, 10) end as difference_usd,
    j.is_within_tolerance,
    case
        when not v.is_imported then 'not imported'
        when v.bucket = 'requests' then 'not judged'
        when j.is_within_tolerance then 'matched'
        else 'different'
    end as status,
    v.model_match, v.key_match
from valued as v
inner join gateway.ai_provider_h as p on v.provider_hk = p.provider_hk
cross join lateral (
    select s.reconcile_percent, s.reconcile_usd, s.owner_hk
    from gateway.ai_provider_s as s
    where s.provider_hk = v.provider_hk
    order by s.load_date desc
    limit 1
) as t
cross join lateral (
    values (case when v.is_imported and v.bucket <> 'requests' then
        abs(v.difference) * 100 <= abs(v.theirs) * t.reconcile_percent
        or coalesce(abs(v.difference_usd) <= t.reconcile_usd, false)
    end)
) as j (is_within_tolerance)
where t.owner_hk is null;

comment on view ops.reconciliation is
'What providers say was used and asked against what our books say, by their day (UTC), model, key and bucket. The
house''s numbers, over all tenants. Ask for few days: each is read from the books.';
comment on column ops.reconciliation.model is
'Our name of the model, theirs where it is none of ours; NULL for all: something was imported without its model.';
comment on column ops.reconciliation.key_name is
'Our name of the key (admin.provider_key), its id there where it is none of ours; NULL for all of them.';
comment on column ops.reconciliation.bucket is
'cost is USD; input_uncached, cache_read, cache_write, cache_write_1h, output and other meters are units; requests.';
comment on column ops.reconciliation.difference is 'Theirs less ours.';
comment on column ops.reconciliation.difference_percent is 'In percent of theirs.';
comment on column ops.reconciliation.difference_usd is
'What the difference is worth by what such units cost us that day, else by the price book; NULL where neither knows.';
comment on column ops.reconciliation.is_within_tolerance is
'Whether it is small enough in percent or in USD (admin.provider); NULL for what is not judged.';
comment on column ops.reconciliation.status is
'matched, different, not imported (that day), or not judged: counts of requests, which providers count differently.';
comment on column ops.reconciliation.model_match is 'What the model is compared by.';
comment on column ops.reconciliation.key_match is 'What the key is compared by.';
