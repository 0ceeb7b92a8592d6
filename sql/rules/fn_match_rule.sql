-- First active rule whose conditions hold, out of those that stand under a value of the call. Rules without conditions
-- never look at the call. A decision made again looks at all rules of its epoch, and at what was seen of budgets then.
create or replace function gateway.fn_match_rule(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz,
    p_epoch bigint, p_seen jsonb, out rule ops.rule, out budget_used_percent numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_rules refcursor;
    v_rule ops.rule;
    v_call jsonb;
begin
    if p_epoch is null then
        open v_rules for
            select r.*
            from ops.rule_gate as g
            -- Looked up one by one, so that the plan never reads all rules to find a few.
            cross join lateral (select k.* from ops.rule as k where k.routing_rule_hk = g.routing_rule_hk limit 1) as r
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
            order by r.distance, r.rule_priority, r.rule_name;
    else
        open v_rules for
            select r.*
            from gateway.fn_rules_at(p_epoch, p_principal) as r
            where r.valid_from <= p_now and r.valid_to > p_now
            order by r.distance, r.rule_priority, r.rule_name;
    end if;
    loop
        fetch v_rules into v_rule;
        exit when not found;
        if v_rule.condition_path is null then
            rule := v_rule;
            exit;
        end if;
        v_call := coalesce(v_call, gateway.fn_describe_call(p_principal, p_features, p_prompt_tokens, p_now));
        if v_rule.asks_for_budget and budget_used_percent is null then
            budget_used_percent := coalesce(
                (p_seen ->> 'budget')::numeric, gateway.fn_measure_budget(p_principal, p_now)
            );
            v_call := v_call || jsonb_build_object('budget_used_percent', budget_used_percent);
        end if;
        if v_rule.asks_for_entitlements and not v_call ? 'entitlements' then
            v_call := v_call || jsonb_build_object('entitlements', gateway.fn_entitled_on(
                p_principal.entitlements, (p_now at time zone p_principal.time_zone)::date
            ));
        end if;
        if v_call @@ v_rule.condition_path then
            rule := v_rule;
            exit;
        end if;
    end loop;
    close v_rules;
end
$$;

comment on function gateway.fn_match_rule(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint, jsonb
) is 'The rule that decides about a call: the first active one whose conditions hold; now, or at an epoch.';
