-- The road's own functions asked without the road's writes: what is told here is what a call would meet.
create or replace function admin.fn_read_principal(p_customer_hk bytea, p_token text) returns ops.principal
language plpgsql
stable
set search_path = ''
as $$
declare
    v_principal ops.principal;
begin
    if p_token is not null then
        select p.* into v_principal
        from ops.principal as p
        where p.customer_hk = p_customer_hk and p_token in (p.token_bk, p.token_name)
        order by p.token_status, p.token_bk
        limit 1;
        if v_principal.token_hk is null then
            perform admin.fn_refuse_change(
                404, 'token_exists', format('This customer has no token %s', quote_literal(p_token)),
                'Look into admin.token; leave "token" out to ask for the customer alone.'
            );
        end if;
        return v_principal;
    end if;
    -- The customer as a token without limits of its own would speak for it.
    select * into v_principal
    from jsonb_populate_record(null::ops.principal, (
        select jsonb_build_object(
            'token_digest', '\x', 'token_status', 'ACTIVE', 'scopes', '{inference}'::text[],
            'customer_hk', h.customer_hk, 'customer_bk', h.customer_bk,
            'tenant_hk', n.tenant_hk, 'tenant_bk', n.tenant_bk,
            'is_active', cs.is_active and ns.is_active, 'time_zone', ns.time_zone, 'priority_tier', cs.priority_tier,
            'address_policy', ns.address_policy, 'markup_percent', coalesce(cs.markup_percent, ns.markup_percent),
            'compliance_levels', c.compliance, 'preferred_providers', cs.preferred_providers,
            'allowed_models', cs.allowed_models,
            'requests_per_minute', coalesce(cs.rate_limit_requests_per_minute, 60000),
            'daily_budget_usd', cs.cost_budget_daily, 'monthly_budget_usd', cs.cost_budget_monthly,
            'own_keys', ops.fn_list_own_keys(h.customer_hk),
            'entitlements', ops.fn_list_entitled_days(h.customer_hk),
            'charge_rules', ops.fn_list_charge_rules(h.customer_hk, n.tenant_hk, ns.time_zone), 'is_strict', cs.is_strict,
            'keeps_parameters', cs.keeps_parameters, 'allowed_betas', ns.allowed_betas,
            'limit_hks', (
                select array_agg(l.usage_limit_hk order by l.usage_limit_hk) from ops.usage_limit as l
                where l.tenant_hk = n.tenant_hk and l.token_hk is null
                    and (l.customer_hk is null or l.customer_hk = h.customer_hk)
            )
        )
        from gateway.customer_h as h
        inner join gateway.customer_config_s as cs on h.customer_hk = cs.customer_hk and cs.load_end_date is null
        inner join admin.customer as c on h.customer_bk = c.customer
        inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
        inner join auth.tenant_s as ns on n.tenant_hk = ns.tenant_hk and ns.load_end_date is null
        where h.customer_hk = p_customer_hk
    ));
    return v_principal;
end
$$;

comment on function admin.fn_read_principal(bytea, text) is
'Whom a call would come from: one of the customer''s tokens by id or name, or the customer alone.';
