-- The rulebook as routing reads it: active rules in order, conditions compiled.
create or replace function ops.fn_refresh_rules() returns void
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('rules', 1));
    delete from ops.rule as r where true;
    insert into ops.rule (
        routing_rule_hk, rule_name, rule_priority, condition_path, target_provider, target_model, cost_optimization,
        latency_optimization, quality_optimization, compliance_requirements, max_attempts
    )
    select
        s.routing_rule_hk, s.rule_name, s.rule_priority, gateway.fn_compile_conditions(s.conditions),
        s.target_provider, s.target_model, s.cost_optimization, s.latency_optimization, s.quality_optimization,
        coalesce(s.compliance_requirements, '{}'), s.max_attempts
    from gateway.routing_rule_s as s
    where s.load_end_date is null and s.is_active;
end
$$;

comment on function ops.fn_refresh_rules() is 'Brings ops.rule to what the vault says.';

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
