-- What our books say that providers are to ask the house for: cost at what it is by now, adjustments included.
create view ops.booked_usage as
select
    u.usage_day, u.provider_hk, u.provider_key_hk, u.bucket, u.amount, u.value_usd, m.model_bk::text as model,
    ops.fn_name_usage_model(coalesce(o.upstream_model, m.model_bk)) as model_match, k.key_name::text as key_name
from (
    select
        w.usage_day, w.provider_hk, w.offer_hk, w.provider_key_hk, b.bucket, b.amount, b.value_usd
    from (
        select
            t.usage_day, t.provider_hk, t.offer_hk, t.provider_key_hk, count(*) as requests,
            sum(t.input_uncached_tokens) as input, sum(t.input_uncached_tokens * t.input_usd_per_million) as input_usd,
            sum(t.cache_read_tokens) as cache_read,
            sum(t.cache_read_tokens * t.cache_read_usd_per_million) as read_usd,
            sum(t.cache_write_tokens) as cache_write,
            sum(t.cache_write_tokens * t.cache_write_usd_per_million) as write_usd,
            sum(t.output_tokens) as output, sum(t.output_tokens * t.output_usd_per_million) as output_usd,
            sum(t.provider_cost) as cost
        from ops.billable_attempt as t
        group by t.usage_day, t.provider_hk, t.offer_hk, t.provider_key_hk
    ) as w
    cross join lateral (
        values
        ('requests', w.requests, 0), ('input_uncached', w.input, w.input_usd / 1000000),
        ('cache_read', w.cache_read, w.read_usd / 1000000), ('cache_write', w.cache_write, w.write_usd / 1000000),
        ('output', w.output, w.output_usd / 1000000), ('cost', w.cost, w.cost)
    ) as b (bucket, amount, value_usd)
    where b.amount <> 0
    union all
    select
        t.usage_day, t.provider_hk, t.offer_hk, t.provider_key_hk, split_part(e.key, '/', 1),
        sum((e.value ->> 'units')::numeric),
        sum((e.value ->> 'units')::numeric * (e.value ->> 'usd_per_million')::numeric) / 1000000
    from ops.billable_attempt as t
    cross join lateral jsonb_each(t.other_usage) as e
    where t.other_usage is not null
    group by t.usage_day, t.provider_hk, t.offer_hk, t.provider_key_hk, split_part(e.key, '/', 1)
    union all
    select
        d.usage_day, a.provider_hk, a.offer_hk, a.provider_key_hk, 'cost', sum(e.value::numeric), sum(e.value::numeric)
    from gateway.charge_adjustment_s as j
    cross join lateral (
        values ((util.fn_request_time(j.api_request_hk) at time zone 'UTC')::date)
    ) as d (usage_day)
    cross join lateral jsonb_each_text(j.attempt_costs) as e
    inner join gateway.api_request_attempt_s as a
        on
            j.api_request_hk = a.api_request_hk and j.customer_hk = a.customer_hk
            and e.key::smallint = a.attempt_number and not a.is_own_key
    group by d.usage_day, a.provider_hk, a.offer_hk, a.provider_key_hk
) as u
inner join gateway.offer_l as l on u.offer_hk = l.offer_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk
left join lateral (
    select s.upstream_model
    from gateway.offer_s as s
    where s.offer_hk = u.offer_hk
    order by s.load_date desc
    limit 1
) as o on true
left join gateway.ai_provider_key_s as k on u.provider_key_hk = k.provider_key_hk and k.load_end_date is null;

comment on view ops.booked_usage is
'What the books say that providers are to ask the house for, by day, model, key and bucket: cost is USD, adjustments
included; the others are units, with what they are worth.';
