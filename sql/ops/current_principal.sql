-- What ops.principal must hold, straight from the vault.
drop view if exists ops.current_principal;
create view ops.current_principal as
select
    ts.token_digest,
    th.token_hk,
    th.token_bk::text as token_bk,
    ts.token_name::text as token_name,
    ts.token_status::text as token_status,
    ts.expires_at,
    ts.scopes,
    ch.customer_hk,
    ch.customer_bk::text as customer_bk,
    nh.tenant_hk,
    nh.tenant_bk::text as tenant_bk,
    cs.is_active and ns.is_active as is_active,
    ns.time_zone,
    cs.priority_tier::text as priority_tier,
    ns.address_policy::text as address_policy,
    coalesce(cs.markup_percent, ns.markup_percent) as markup_percent,
    case
        when coalesce(cs.compliance_level, '') = '' then '{}'::text[]
        else string_to_array(upper(replace(cs.compliance_level, ' ', '')), ',')
    end as compliance_levels,
    cs.preferred_providers,
    ts.allowed_addresses,
    case
        when ts.allowed_models is null then cs.allowed_models
        when cs.allowed_models is null then ts.allowed_models
        else array(select unnest(ts.allowed_models) intersect select unnest(cs.allowed_models))
    end as allowed_models,
    coalesce(cs.rate_limit_requests_per_minute, 60000) as requests_per_minute,
    cs.cost_budget_daily as daily_budget_usd,
    cs.cost_budget_monthly as monthly_budget_usd,
    ts.rate_limit_requests_per_minute as token_requests_per_minute,
    ts.cost_budget_daily as token_daily_budget_usd,
    ts.cost_budget_monthly as token_monthly_budget_usd,
    ul.limit_hks,
    cs.is_strict,
    cs.keeps_parameters,
    ns.allowed_betas,
    ops.fn_list_own_keys(ch.customer_hk) as own_keys,
    ops.fn_list_entitled_days(ch.customer_hk) as entitlements,
    ops.fn_list_charge_rules(ch.customer_hk, nh.tenant_hk, ns.time_zone) as charge_rules
from gateway.token_h as th
inner join gateway.token_s as ts on th.token_hk = ts.token_hk and ts.load_end_date is null
inner join gateway.customer_h as ch on th.customer_hk = ch.customer_hk
inner join gateway.customer_config_s as cs on ch.customer_hk = cs.customer_hk and cs.load_end_date is null
inner join auth.tenant_h as nh on ch.tenant_hk = nh.tenant_hk
inner join auth.tenant_s as ns on nh.tenant_hk = ns.tenant_hk and ns.load_end_date is null
left join lateral (
    select array_agg(l.usage_limit_hk order by l.usage_limit_hk) as limit_hks
    from ops.usage_limit as l
    where
        l.tenant_hk = nh.tenant_hk and (l.customer_hk is null or l.customer_hk = ch.customer_hk)
        and (l.token_hk is null or l.token_hk = th.token_hk)
) as ul on true;

comment on view ops.current_principal is
'The source of ops.principal: tokens with their customer''s and tenant''s settings in force.';
