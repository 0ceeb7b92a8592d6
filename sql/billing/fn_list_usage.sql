-- Usage of whole months by provider and model, from rollups and what is not rolled up yet; as it was known at a moment,
-- from what had been booked by then. The caller names the tenant by onevault.tenant. The range of hours is wide enough
-- for every time zone; the day, which is the tenant's, decides.
create or replace function gateway.fn_list_usage(
    p_customer text, p_from date, p_to date, p_known_at timestamptz default null
) returns table (
    usage_month date, provider text, model text, requests bigint, input_tokens bigint, cache_read_tokens bigint,
    cache_write_tokens bigint, output_tokens bigint, total_tokens bigint, provider_cost_usd numeric, markup_usd numeric,
    charge_usd numeric, own_key_cost_usd numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_from timestamptz := p_from::timestamp at time zone 'UTC' - interval '1 day';
    v_to timestamptz := p_to::timestamp at time zone 'UTC' + interval '1 day';
begin
    if p_known_at is null then
        return query
        select
            date_trunc('month', u.usage_day)::date, u.provider, u.model, sum(u.request_count)::bigint,
            sum(u.input_tokens)::bigint, sum(u.cache_read_tokens)::bigint, sum(u.cache_write_tokens)::bigint,
            sum(u.output_tokens)::bigint, sum(u.total_tokens)::bigint, sum(u.provider_cost_usd), sum(u.markup_usd),
            sum(u.customer_cost_usd), sum(u.own_key_cost_usd)
        from business_vault.usage_part as u
        where
            u.customer = p_customer and u.usage_day >= p_from and u.usage_day < p_to
            and u.usage_hour >= v_from and u.usage_hour < v_to
        group by 1, u.provider, u.model;
        return;
    end if;
    return query
    select
        date_trunc('month', d.day)::date, r.provider, r.model, count(*), sum(coalesce(r.input_tokens, 0))::bigint,
        sum(coalesce(r.cache_read_tokens, 0))::bigint, sum(coalesce(r.cache_write_tokens, 0))::bigint,
        sum(coalesce(r.output_tokens, 0))::bigint, sum(coalesce(r.total_tokens, 0))::bigint, sum(r.provider_cost_usd),
        sum(r.markup_usd), sum(r.customer_cost_usd), sum(r.own_key_cost_usd)
    from business_vault.request_detail as r
    inner join auth.tenant_h as n on r.tenant = n.tenant_bk
    inner join auth.tenant_s as t on n.tenant_hk = t.tenant_hk and t.load_end_date is null
    cross join lateral (select (r.request_timestamp at time zone t.time_zone)::date as day) as d
    where
        r.customer = p_customer and r.booked_at <= p_known_at
        and r.request_timestamp >= v_from and r.request_timestamp < v_to and d.day >= p_from and d.day < p_to
    group by 1, r.provider, r.model;
end
$$;

comment on function gateway.fn_list_usage(text, date, date, timestamptz) is
'Usage of a customer by month, provider and model, from a day on to before another; exact, now or as it was known.';
