-- Rules name customers in lists, which a name is in or not; only starts_with and budgets look at who it is.
create or replace function admin.fn_list_profiles() returns table (principal ops.principal, profile jsonb)
language sql stable
set search_path = ''
begin atomic
    with asked as materialized (
        select
            bool_or(s.conditions::text ~ '"budget_used_percent"') as for_budget,
            bool_or(
                s.conditions::text ~ '"(customer|tenant|token)"' and s.conditions::text ~ '"(starts_with|gte?|lte?)"'
            ) as for_parts_of_names,
            bool_or(s.conditions::text ~ '"entitlements"') as for_entitlements,
            bool_or(s.conditions::text ~ '"(hour|weekday|entitlements)"') as for_time,
            coalesce(jsonb_agg(distinct n.name) filter (where n.name is not null), '[]') as names
        from gateway.routing_rule_s as s
        left join lateral jsonb_path_query(s.conditions, '$.** ? (@.type() == "string")') as n (name) on true
        where s.load_end_date is null and s.is_active
    )

    select
        p,
        jsonb_build_object(
            'markup', p.markup_percent, 'prices', p.charge_rules, 'models', p.allowed_models,
            'compliance', p.compliance_levels,
            'preferred', p.preferred_providers, 'own_keys', p.own_keys, 'tier', p.priority_tier, 'who', case
                when a.for_budget or a.for_parts_of_names or exists (
                    select from gateway.routing_rule_s as s
                    where
                        s.load_end_date is null and s.is_active
                        and (
                            s.tenant_hk = p.tenant_hk or s.customer_hk = p.customer_hk or s.token_hk = p.token_hk
                        )
                ) then encode(p.token_hk, 'hex')
                else concat_ws(
                    '/', case when a.names ? p.tenant_bk then p.tenant_bk end,
                    case when a.names ? p.customer_bk then p.customer_bk end,
                    case when a.names ? p.token_name then p.token_name end
                )
            end,
            'entitled', case when a.for_entitlements then p.entitlements end,
            'zone', case when a.for_time then p.time_zone end
        )
    from ops.principal as p
    cross join asked as a;
end;

comment on function admin.fn_list_profiles() is
'Every principal with what rules and offers see of him: calls alike of two with the same profile are decided alike.';
