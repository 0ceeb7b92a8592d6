-- The rulebook as routing reads it: active rules in the order in which they are looked at, conditions compiled.
create or replace function ops.fn_refresh_rules() returns void
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('rules', 1));
    delete from ops.rule as r where true;
    insert into ops.rule (
        place, routing_rule_hk, rule_name, rule_priority, valid_from, valid_to, condition_path, asks_for_budget, deny_reason,
        target_provider, target_model, cost_optimization, latency_optimization, quality_optimization,
        compliance_requirements, max_attempts
    )
    select
        row_number() over (
            order by s.token_hk is null, s.customer_hk is null, s.tenant_hk is null, s.rule_priority, s.rule_name
        ),
        s.routing_rule_hk, s.rule_name, s.rule_priority, s.valid_from, s.valid_to,
        gateway.fn_compile_conditions(s.conditions), s.conditions @? '$.**.budget_used_percent', s.deny_reason,
        s.target_provider, s.target_model, s.cost_optimization, s.latency_optimization, s.quality_optimization,
        coalesce(s.compliance_requirements, '{}'), s.max_attempts
    from gateway.routing_rule_s as s
    where s.load_end_date is null and s.is_active;

    insert into ops.rule_gate (gate, place)
    select g.gate, r.place
    from ops.rule as r
    inner join gateway.routing_rule_s as s on r.routing_rule_hk = s.routing_rule_hk and s.load_end_date is null
    left join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
    left join gateway.customer_h as c on s.customer_hk = c.customer_hk
    left join gateway.token_h as t on s.token_hk = t.token_hk
    cross join lateral unnest(
        case num_nonnulls(s.tenant_hk, s.customer_hk, s.token_hk) when 0 then gateway.fn_choose_gates(s.conditions)
        else array[coalesce('for token=' || t.token_bk, 'for customer=' || c.customer_bk, 'for tenant=' || n.tenant_bk)] end
    ) as g (gate);
end
$$;

comment on function ops.fn_refresh_rules() is 'Brings ops.rule and ops.rule_gate to what the vault says.';

create or replace function ops.tg_routing_rule_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_rules();
    return null;
end
$$;

create or replace trigger routing_rule_s_added after insert on gateway.routing_rule_s
referencing new table as changed for each statement execute function ops.tg_routing_rule_s_changed();
create or replace trigger routing_rule_s_closed after update on gateway.routing_rule_s
referencing new table as changed for each statement execute function ops.tg_routing_rule_s_changed();
