-- Active rules as routing reads them, conditions compiled, under the values by which a call finds them; what was there
-- goes to ops.past.
create or replace function ops.fn_refresh_rules(p_rule_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_epoch bigint;
begin
    perform ops.fn_lock_routing();
    v_epoch := ops.fn_next_epoch();
    insert into ops.past (version, thing, from_epoch, until_epoch, was)
    select r.version, 'rule', r.from_epoch, v_epoch, to_jsonb(r)
    from ops.rule as r where r.routing_rule_hk = any(p_rule_hks);
    delete from ops.rule as r where r.routing_rule_hk = any(p_rule_hks);
    insert into ops.rule (
        routing_rule_hk, rule_name, distance, rule_priority, valid_from, valid_to, condition_path, asks_for_budget,
        asks_for_entitlements, deny_reason, target_provider, target_model, target_names, target_weights, target_places, strategy, cost_weight,
        latency_weight, quality_weight, min_quality_score, is_sticky, cost_optimization, latency_optimization,
        quality_optimization, compliance_requirements, max_attempts, is_hedged, from_epoch, scope_gate
    )
    select
        s.routing_rule_hk, s.rule_name,
        case
            when s.token_hk is not null then 0 when s.customer_hk is not null then 1 when s.tenant_hk is not null then 2
            else 3
        end,
        s.rule_priority, s.valid_from, s.valid_to, gateway.fn_compile_conditions(s.conditions),
        s.conditions @? '$.**.budget_used_percent', s.conditions @? '$.**.entitlements', s.deny_reason,
        -- A rule with more than one place to go to names all of them in the lists.
        case when t.names is null then s.target_provider end, case when t.names is null then s.target_model end,
        t.names, t.weights, t.places,
        coalesce(s.strategy, case when s.targets is null then 'OPTIMIZE' else 'WEIGHTED' end),
        w.cost, w.latency, w.quality, s.min_quality_score, s.is_sticky,
        s.cost_optimization, s.latency_optimization, s.quality_optimization,
        coalesce(s.compliance_requirements, '{}'), s.max_attempts, s.is_hedged, v_epoch,
        coalesce('for token=' || k.token_bk, 'for customer=' || c.customer_bk, 'for tenant=' || n.tenant_bk)
    from gateway.routing_rule_s as s
    left join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
    left join gateway.customer_h as c on s.customer_hk = c.customer_hk
    left join gateway.token_h as k on s.token_hk = k.token_hk
    cross join lateral gateway.fn_list_targets(
        s.targets, s.target_provider::text, s.target_model::text, s.fallbacks
    ) as t
    cross join lateral gateway.fn_weigh_flags(
        s.optimization_weights, s.cost_optimization, s.latency_optimization, s.quality_optimization
    ) as w
    where s.load_end_date is null and s.is_active and s.routing_rule_hk = any(p_rule_hks);

    insert into ops.rule_gate (gate, routing_rule_hk)
    select g.gate, r.routing_rule_hk
    from ops.rule as r
    inner join gateway.routing_rule_s as s on r.routing_rule_hk = s.routing_rule_hk and s.load_end_date is null
    cross join lateral unnest(
        case when r.scope_gate is null then gateway.fn_choose_gates(s.conditions) else array[r.scope_gate] end
    ) as g (gate)
    where r.routing_rule_hk = any(p_rule_hks);

    delete from ops.asked_metadata where true;
    insert into ops.asked_metadata (name)
    select split_part(k.name #>> '{}', '.', 2) as name
    from gateway.routing_rule_s as s
    cross join lateral jsonb_path_query(s.conditions, '$.** ? (@.type() == "object").keyvalue().key ? (@ starts with "metadata.")') as k (name)
    where s.load_end_date is null and s.is_active
    union
    select split_part(k.name #>> '{}', '.', 1)
    from gateway.routing_rule_s as s
    cross join lateral jsonb_path_query(s.conditions, '$.**.metadata ? (@.type() == "object").keyvalue().key') as k (name)
    where s.load_end_date is null and s.is_active;
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
