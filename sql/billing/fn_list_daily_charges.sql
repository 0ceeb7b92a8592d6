-- Charges by day of the tenant, for credits that are good for some days. What plans include is used up by the first
-- days; what belongs to no day counts on the last one.
create or replace function gateway.fn_list_daily_charges(
    p_customer_hk bytea, p_customer text, p_month date, p_included_usd numeric, p_undated_usd numeric,
    p_known_at timestamptz default null
) returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_next date := (p_month + interval '1 month')::date;
begin
    if not exists (select from gateway.credit_h as h where h.customer_hk = p_customer_hk) then
        return '[]';
    end if;
    return (
        with used as (
            select u.usage_day, sum(u.customer_cost_usd) as usd
            from business_vault.usage_part as u
            where
                p_known_at is null and u.customer = p_customer and u.usage_day >= p_month and u.usage_day < v_next
                and u.usage_hour >= p_month::timestamp at time zone 'UTC' - interval '1 day'
                and u.usage_hour < v_next::timestamp at time zone 'UTC' + interval '1 day'
            group by u.usage_day
            union all
            select d.day, sum(r.customer_cost_usd)
            from business_vault.request_detail as r
            cross join lateral (
                select (r.request_timestamp at time zone gateway.fn_find_zone(p_customer_hk))::date as day
            ) as d
            where
                p_known_at is not null and r.customer = p_customer and r.booked_at <= p_known_at
                and r.request_timestamp >= p_month::timestamp at time zone 'UTC' - interval '1 day'
                and r.request_timestamp < v_next::timestamp at time zone 'UTC' + interval '1 day'
                and d.day >= p_month and d.day < v_next
            group by d.day
        ),

        asked as (
            select
                d.usage_day,
                greatest(least(d.usd, sum(d.usd) over (order by d.usage_day) - p_included_usd), 0) as usd
            from used as d
            union all
            select v_next - 1, p_undated_usd
        ),

        days as (select a.usage_day, sum(a.usd) as usd from asked as a group by a.usage_day)

        select coalesce(jsonb_agg(jsonb_build_object('day', d.usage_day, 'usd', d.usd) order by d.usage_day), '[]')
        from days as d
    );
end
$$;

comment on function gateway.fn_list_daily_charges(bytea, text, date, numeric, numeric, timestamptz) is
'What a customer is charged by day of a month, now or as it was known: [{"day", "usd"}]; empty for one without
credits.';
