-- Reads usage as its tenant, whom the setting onevault.tenant has to name. The range of hours is wide enough for every
-- time zone; the day decides.
create or replace function ops.fn_load_spending(p_customer_hk bytea, p_customer text, p_billing_period date)
returns boolean
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_month text := to_char(p_billing_period, 'YYYY-MM');
    v_month_from timestamptz := p_billing_period::timestamp at time zone 'UTC';
    v_hk bytea := util.hash_key(p_customer, v_month);
    v_spent jsonb;
begin
    with spent as materialized (
        select
            u.provider, u.model, sum(u.request_count) as requests, sum(u.total_tokens) as tokens,
            sum(u.provider_cost_usd) as provider_cost_usd, sum(u.markup_usd) as markup_usd,
            sum(u.customer_cost_usd) as customer_cost_usd
        from business_vault.usage_part as u
        where
            u.customer = p_customer
            and u.usage_day >= p_billing_period and u.usage_day < p_billing_period + interval '1 month'
            and u.usage_hour >= v_month_from - interval '1 day'
            and u.usage_hour < v_month_from + interval '1 month 1 day'
        group by u.provider, u.model
    )

    select jsonb_build_object(
        'billing_period', p_billing_period, 'total_requests', coalesce(sum(s.requests), 0),
        'total_tokens', coalesce(sum(s.tokens), 0), 'total_provider_cost', coalesce(sum(s.provider_cost_usd), 0),
        'total_gateway_revenue', coalesce(sum(s.markup_usd), 0),
        'total_customer_charges', coalesce(sum(s.customer_cost_usd), 0),
        'cost_by_provider', (
            select coalesce(jsonb_object_agg(p.provider, trim_scale(p.cost_usd)), '{}')
            from (select t.provider, sum(t.customer_cost_usd) as cost_usd from spent as t group by t.provider) as p
        ),
        'cost_by_model', (
            select coalesce(jsonb_object_agg(m.model, trim_scale(m.cost_usd)), '{}')
            from (select t.model, sum(t.customer_cost_usd) as cost_usd from spent as t group by t.model) as m
        )
    ) into v_spent
    from spent as s;

    perform util.fn_load_hub(
        'gateway.customer_spending_h', v_hk, p_customer || '|' || v_month, 'rollup',
        jsonb_build_object('customer_hk', p_customer_hk)
    );
    return util.fn_load_satellite(
        'gateway.customer_spending_s', jsonb_build_object('spending_hk', v_hk), v_spent, 'rollup'
    );
end
$$;

comment on function ops.fn_load_spending(bytea, text, date) is
'Loads what a customer spent in a month (by provider and by model: what it costs the customer); true when a version
was added.';
