-- Active rules as routing reads them, conditions compiled, under the values by which a call finds them. One lock for
-- all: rules are changed by people, seldom, and never by a call.
create or replace function ops.fn_refresh_rules(p_rule_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('rules', 1));
    delete from ops.rule as r where r.routing_rule_hk = any(p_rule_hks);
    insert into ops.rule (
        routing_rule_hk, rule_name, distance, rule_priority, valid_from, valid_to, condition_path, asks_for_budget,
        deny_reason, target_provider, target_model, cost_optimization, latency_optimization, quality_optimization,
        compliance_requirements, max_attempts
    )
    select
        s.routing_rule_hk, s.rule_name,
        case
            when s.token_hk is not null then 0 when s.customer_hk is not null then 1 when s.tenant_hk is not null then 2
            else 3
        end,
        s.rule_priority, s.valid_from, s.valid_to, gateway.fn_compile_conditions(s.conditions),
        s.conditions @? '$.**.budget_used_percent', s.deny_reason, s.target_provider, s.target_model,
        s.cost_optimization, s.latency_optimization, s.quality_optimization,
        coalesce(s.compliance_requirements, '{}'), s.max_attempts
    from gateway.routing_rule_s as s
    where s.load_end_date is null and s.is_active and s.routing_rule_hk = any(p_rule_hks);

    insert into ops.rule_gate (gate, routing_rule_hk)
    select g.gate, r.routing_rule_hk
    from ops.rule as r
    inner join gateway.routing_rule_s as s on r.routing_rule_hk = s.routing_rule_hk and s.load_end_date is null
    left join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
    left join gateway.customer_h as c on s.customer_hk = c.customer_hk
    left join gateway.token_h as t on s.token_hk = t.token_hk
    cross join lateral unnest(case r.distance
        when 0 then array['for token=' || t.token_bk]
        when 1 then array['for customer=' || c.customer_bk]
        when 2 then array['for tenant=' || n.tenant_bk]
        else gateway.fn_choose_gates(s.conditions)
    end) as g (gate)
    where r.routing_rule_hk = any(p_rule_hks);
end
$$;

comment on function ops.fn_refresh_rules(bytea[]) is
'Brings ops.rule and ops.rule_gate to what the vault says of these rules.';

create or replace function ops.tg_routing_rule_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_rules(array(select distinct c.routing_rule_hk from changed as c));
    return null;
end
$$;

create or replace trigger routing_rule_s_added after insert on gateway.routing_rule_s
referencing new table as changed for each statement execute function ops.tg_routing_rule_s_changed();
create or replace trigger routing_rule_s_closed after update on gateway.routing_rule_s
referencing new table as changed for each statement execute function ops.tg_routing_rule_s_changed();
