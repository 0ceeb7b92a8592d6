-- First active rule whose conditions hold, out of those that stand under a value of the call. Rules without conditions
-- never look at the call.
create or replace function gateway.fn_match_rule(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz
) returns ops.rule
language plpgsql
stable
set search_path = ''
as $$
declare
    v_rule ops.rule;
    v_call jsonb;
begin
    for v_rule in
        select r.*
        from ops.rule_gate as g
        inner join ops.rule as r on g.routing_rule_hk = r.routing_rule_hk
        where
            g.gate = any(array[
                '*', 'for token=' || p_principal.token_bk, 'for customer=' || p_principal.customer_bk,
                'for tenant=' || p_principal.tenant_bk, 'customer=' || p_principal.customer_bk,
                'token=' || p_principal.token_name, 'tenant=' || p_principal.tenant_bk,
                'request_type=' || p_features.request_type, 'model=' || p_features.model,
                'surface=' || p_features.surface, 'tier=' || p_principal.priority_tier,
                'capability=' || p_features.capability
            ])
            and r.valid_from <= p_now and r.valid_to > p_now
        order by r.distance, r.rule_priority, r.rule_name
    loop
        if v_rule.condition_path is null then
            return v_rule;
        end if;
        v_call := coalesce(v_call, gateway.fn_describe_call(p_principal, p_features, p_prompt_tokens, p_now));
        if v_rule.asks_for_budget and not v_call ? 'budget_used_percent' then
            v_call := v_call || jsonb_build_object(
                'budget_used_percent', gateway.fn_measure_budget(p_principal, p_now)
            );
        end if;
        if v_call @@ v_rule.condition_path then
            return v_rule;
        end if;
    end loop;
    return null;
end
$$;

comment on function gateway.fn_match_rule(ops.principal, gateway.request_features, bigint, timestamptz) is
'The rule that decides about a call: the first active one whose conditions hold.';
