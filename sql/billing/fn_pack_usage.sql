-- Usage of a month and of the two before it, in which something may have come late: read once for all that a bill
-- asks of it, and for all customers in one statement when months are closed.
create or replace function gateway.fn_pack_usage(p_customer text, p_month date, p_known_at timestamptz default null)
returns jsonb
language sql stable
set search_path = ''
as $$
select coalesce(jsonb_agg(to_jsonb(u)), '[]')
from gateway.fn_list_usage(
    p_customer, (p_month - interval '2 months')::date, (p_month + interval '1 month')::date, p_known_at
) as u
$$;

comment on function gateway.fn_pack_usage(text, date, timestamptz) is
'A customer''s usage of a month and of two months before it as JSON, now or as it was known.';

-- As business_vault.usage_part adds up, for everybody in one reading: by customer it would be read a thousand times.
create or replace function gateway.fn_pack_usages(p_month date, p_tenant text default null) returns jsonb
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
with bounds as (
    select
        (p_month - interval '2 months')::date as first_day, (p_month + interval '1 month')::date as next_day,
        (p_month - interval '2 months')::timestamp at time zone 'UTC' - interval '1 day' as hour_from,
        (p_month + interval '1 month')::timestamp at time zone 'UTC' + interval '1 day' as hour_to
),

parts as (
    select
        u.customer_hk, u.offer_hk, u.usage_day, u.request_count, u.input_uncached_tokens, u.cache_read_tokens,
        u.cache_write_tokens, u.output_tokens, u.other_tokens, u.provider_cost_usd, u.markup_usd, u.customer_cost_usd,
        u.own_key_cost_usd
    from ops.usage_hourly as u
    cross join bounds as b
    where
        u.usage_hour >= b.hour_from and u.usage_hour < b.hour_to
        and (p_tenant is null or u.tenant_hk = util.hash_key(p_tenant))
    union all
    select
        s.customer_hk, s.offer_hk, (s.request_timestamp at time zone coalesce(t.time_zone, 'UTC'))::date, 1,
        coalesce(s.input_uncached_tokens, 0), coalesce(s.cache_read_tokens, 0), coalesce(s.cache_write_tokens, 0),
        coalesce(s.output_tokens, 0), coalesce(s.other_tokens, 0), s.provider_cost, s.gateway_markup, s.customer_cost,
        s.own_key_cost
    from gateway.api_request_s as s
    left join auth.tenant_s as t on s.tenant_hk = t.tenant_hk and t.load_end_date is null
    where
        s.api_request_hk >= ops.fn_usage_open_key() and s.load_date >= (select ops.fn_usage_counted_to())
        and (
            s.request_timestamp >= s.load_date - interval '35 days'
            or exists (
                select from gateway.late_request_s as l
                where l.api_request_hk = s.api_request_hk and l.customer_hk = s.customer_hk
            )
        )
        and (p_tenant is null or s.tenant_hk = util.hash_key(p_tenant))
),

sums as (
    select
        u.customer_hk, u.offer_hk, date_trunc('month', u.usage_day)::date as usage_month,
        sum(u.request_count) as requests, sum(u.input_uncached_tokens) as input_tokens,
        sum(u.cache_read_tokens) as cache_read_tokens, sum(u.cache_write_tokens) as cache_write_tokens,
        sum(u.output_tokens) as output_tokens, sum(
            u.input_uncached_tokens + u.cache_read_tokens + u.cache_write_tokens + u.output_tokens + u.other_tokens
        ) as total_tokens, sum(u.provider_cost_usd) as provider_cost_usd, sum(u.markup_usd) as markup_usd,
        sum(u.customer_cost_usd) as charge_usd, sum(u.own_key_cost_usd) as own_key_cost_usd
    from parts as u
    cross join bounds as b
    where u.usage_day >= b.first_day and u.usage_day < b.next_day
    group by u.customer_hk, u.offer_hk, 3
)

select coalesce(jsonb_object_agg(c.customer, c.usage), '{}')
from (
    select
        h.customer_bk as customer, jsonb_agg(
            to_jsonb(s) - '{customer_hk,offer_hk}'::text[]
            || jsonb_build_object('provider', p.provider_bk, 'model', m.model_bk)
        ) as usage
    from sums as s
    inner join gateway.customer_h as h on s.customer_hk = h.customer_hk
    left join gateway.offer_l as l on s.offer_hk = l.offer_hk
    left join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
    left join gateway.model_h as m on l.model_hk = m.model_hk
    group by h.customer_bk
) as c
$$;

comment on function gateway.fn_pack_usages(date, text) is
'As fn_pack_usage for each customer of a tenant, or of all: {"customer": [...]}.';

create or replace function gateway.fn_unpack_usage(p_usage jsonb)
returns table (
    usage_month date, provider text, model text, requests bigint, input_tokens bigint, cache_read_tokens bigint,
    cache_write_tokens bigint, output_tokens bigint, total_tokens bigint, provider_cost_usd numeric, markup_usd numeric,
    charge_usd numeric, own_key_cost_usd numeric
)
language sql immutable
set search_path = ''
begin atomic
    select
        u.usage_month, u.provider, u.model, u.requests, u.input_tokens, u.cache_read_tokens, u.cache_write_tokens,
        u.output_tokens, u.total_tokens, u.provider_cost_usd, u.markup_usd, u.charge_usd, u.own_key_cost_usd
    from jsonb_to_recordset(p_usage) as u (
        usage_month date, provider text, model text, requests bigint, input_tokens bigint, cache_read_tokens bigint,
        cache_write_tokens bigint, output_tokens bigint, total_tokens bigint, provider_cost_usd numeric,
        markup_usd numeric, charge_usd numeric, own_key_cost_usd numeric
    );
end;

comment on function gateway.fn_unpack_usage(jsonb) is 'What fn_pack_usage packed, as rows.';
