-- The range of hours is wide enough for every time zone; the day, which is the tenant's, decides.
create or replace function gateway.fn_bill_usage(p_customer text, p_month date) returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_month_from timestamptz := p_month::timestamp at time zone 'UTC';
    v_lines jsonb;
    v_total numeric;
begin
    select
        jsonb_agg(jsonb_build_object(
            'provider', l.provider, 'model', l.model, 'requests', l.requests, 'input_tokens', l.input_tokens,
            'cache_read_tokens', l.cache_read_tokens, 'cache_write_tokens', l.cache_write_tokens,
            'output_tokens', l.output_tokens, 'total_tokens', l.total_tokens, 'cost_usd', trim_scale(l.cost_usd)
        ) || case when l.own_key_cost_usd > 0
            then jsonb_build_object('own_key_cost_usd', trim_scale(l.own_key_cost_usd)) else '{}'
        end order by l.provider, l.model),
        sum(l.cost_usd)
    into v_lines, v_total
    from (
        select
            u.provider, u.model, sum(u.request_count) as requests, sum(u.input_tokens) as input_tokens,
            sum(u.cache_read_tokens) as cache_read_tokens, sum(u.cache_write_tokens) as cache_write_tokens,
            sum(u.output_tokens) as output_tokens, sum(u.total_tokens) as total_tokens,
            sum(u.customer_cost_usd) as cost_usd, sum(u.own_key_cost_usd) as own_key_cost_usd
        from business_vault.usage_part as u
        where
            u.customer = p_customer
            and u.usage_day >= p_month and u.usage_day < p_month + interval '1 month'
            and u.usage_hour >= v_month_from - interval '1 day'
            and u.usage_hour < v_month_from + interval '1 month 1 day'
        group by u.provider, u.model
    ) as l;
    return jsonb_build_object(
        'object', 'bill', 'customer', p_customer, 'period', to_char(p_month, 'YYYY-MM'), 'currency', 'USD',
        'lines', coalesce(v_lines, '[]'), 'total_usd', trim_scale(coalesce(v_total, 0))
    );
end
$$;

comment on function gateway.fn_bill_usage(text, date) is
'Usage of a month as a bill: a line per provider and model, and the total.';
