-- First active rule whose conditions hold. Rules without conditions never look at the call.
create or replace function gateway.fn_match_rule(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint
) returns ops.rule
language plpgsql
stable
set search_path = ''
as $$
declare
    v_rule ops.rule;
    v_call jsonb;
begin
    for v_rule in select r.* from ops.rule as r order by r.rule_priority, r.rule_name loop
        if v_rule.condition_path is null then
            return v_rule;
        end if;
        v_call := coalesce(v_call, to_jsonb(p_features) || jsonb_build_object(
            'tier', p_principal.priority_tier, 'tenant', p_principal.tenant_bk, 'customer', p_principal.customer_bk,
            'token', p_principal.token_name, 'prompt_tokens', p_prompt_tokens
        ));
        if v_call @@ v_rule.condition_path then
            return v_rule;
        end if;
    end loop;
    return null;
end
$$;

comment on function gateway.fn_match_rule(ops.principal, gateway.request_features, bigint) is
'The rule that decides about a call: the first active one, by rule_priority, whose conditions hold.';
