-- Brings ops.principal to what the vault says for some customers. The locks (everybody's rules of prices and tenant
-- shared, customer exclusive) let two changes of one customer's settings see each other; the query after them has a
-- snapshot that holds what the other did.
create or replace function ops.fn_refresh_principals(p_customer_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('charge rules', 1));
    perform pg_advisory_xact_lock_shared(hashtextextended('tenant' || c.tenant_hk::text, 1))
    from (
        select distinct h.tenant_hk from gateway.customer_h as h
        where h.customer_hk = any(p_customer_hks) order by h.tenant_hk
    ) as c;
    perform pg_advisory_xact_lock(hashtextextended('customer' || c.customer_hk::text, 1))
    from (select distinct u.customer_hk from unnest(p_customer_hks) as u (customer_hk) order by u.customer_hk) as c;

    delete from ops.principal as p
    where
        p.customer_hk = any(p_customer_hks)
        and not exists (
            select from ops.current_principal as c
            where c.token_hk = p.token_hk and c.token_digest = p.token_digest
        );

    merge into ops.principal as p
    using (select c.* from ops.current_principal as c where c.customer_hk = any(p_customer_hks)) as c
    on p.token_digest = c.token_digest
    when matched then update set
        token_name = c.token_name, token_status = c.token_status, expires_at = c.expires_at, scopes = c.scopes,
        is_active = c.is_active, time_zone = c.time_zone, priority_tier = c.priority_tier,
        address_policy = c.address_policy, markup_percent = c.markup_percent,
        compliance_levels = c.compliance_levels, preferred_providers = c.preferred_providers,
        allowed_models = c.allowed_models, allowed_addresses = c.allowed_addresses,
        requests_per_minute = c.requests_per_minute,
        daily_budget_usd = c.daily_budget_usd, monthly_budget_usd = c.monthly_budget_usd,
        token_requests_per_minute = c.token_requests_per_minute,
        token_daily_budget_usd = c.token_daily_budget_usd, token_monthly_budget_usd = c.token_monthly_budget_usd,
        limit_hks = c.limit_hks, is_strict = c.is_strict, keeps_parameters = c.keeps_parameters,
        allowed_betas = c.allowed_betas, own_keys = c.own_keys, entitlements = c.entitlements, charge_rules = c.charge_rules
    when not matched then insert (
        token_digest, token_hk, token_bk, token_name, token_status, expires_at, scopes, customer_hk, customer_bk,
        tenant_hk, tenant_bk, is_active, time_zone, priority_tier, address_policy, markup_percent,
        compliance_levels, preferred_providers, allowed_models, requests_per_minute, daily_budget_usd,
        monthly_budget_usd, token_requests_per_minute, token_daily_budget_usd, token_monthly_budget_usd,
        allowed_addresses, limit_hks, is_strict, keeps_parameters, own_keys, entitlements,
        charge_rules, allowed_betas
    ) values (
        c.token_digest, c.token_hk, c.token_bk, c.token_name, c.token_status, c.expires_at, c.scopes, c.customer_hk,
        c.customer_bk, c.tenant_hk, c.tenant_bk, c.is_active, c.time_zone, c.priority_tier, c.address_policy,
        c.markup_percent, c.compliance_levels, c.preferred_providers, c.allowed_models, c.requests_per_minute,
        c.daily_budget_usd, c.monthly_budget_usd, c.token_requests_per_minute, c.token_daily_budget_usd,
        c.token_monthly_budget_usd, c.allowed_addresses, c.limit_hks, c.is_strict, c.keeps_parameters, c.own_keys,
        c.entitlements, c.charge_rules, c.allowed_betas
    );

    insert into ops.scope_state (scope_hk, scope_kind, customer_hk)
    select s.scope_hk, s.scope_kind, s.customer_hk
    from (
        select p.customer_hk as scope_hk, 'customer' as scope_kind, p.customer_hk from ops.principal as p
        where p.customer_hk = any(p_customer_hks)
        union
        select p.token_hk, 'token', p.customer_hk from ops.principal as p
        where p.customer_hk = any(p_customer_hks) and p.token_is_limited
    ) as s
    order by s.scope_hk
    on conflict (scope_hk) do nothing;

    -- What the rulebook is tested with has changed: tests are run at COMMIT.
    if exists (
        select from gateway.routing_rule_test_s as t
        where t.customer_hk = any(p_customer_hks) and t.load_end_date is null and t.is_active
    ) then
        perform ops.fn_lock_routing();
        perform ops.fn_next_epoch();
    end if;
end
$$;

comment on function ops.fn_refresh_principals(bytea[]) is
'Brings ops.principal to what the vault says for these customers.';
