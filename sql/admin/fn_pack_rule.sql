create or replace function admin.fn_pack_rule(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_provider text := nullif(btrim(p_row ->> 'target_provider'), '');
    v_tenant_hk bytea;
    v_customer_hk bytea;
    v_token_hk bytea;
    v_model text := nullif(btrim(p_row ->> 'target_model'), '');
begin
    -- Refused here, also where the rule is not active and would not be compiled yet.
    if jsonb_typeof(p_row -> 'conditions') = 'object' then
        perform gateway.fn_compile_conditions(p_row -> 'conditions');
    end if;
    if num_nonnulls(p_row ->> 'tenant', p_row ->> 'customer', p_row ->> 'token_id') > 1 then
        perform admin.fn_refuse_change(400, 'rule_has_one_scope', e.message, e.hint)
        from admin.fn_explain_constraint('rule_has_one_scope') as e;
    end if;
    if p_row ->> 'tenant' is not null then
        v_tenant_hk := admin.fn_find_tenant(p_row ->> 'tenant');
    elsif p_row ->> 'customer' is not null then
        v_customer_hk := admin.fn_find_customer(p_row ->> 'customer');
    elsif p_row ->> 'token_id' is not null then
        v_token_hk := admin.fn_find_token(p_row ->> 'token_id');
    end if;
    if num_nonnulls(v_customer_hk, v_token_hk) > 0 then
        select c.tenant_hk into v_tenant_hk
        from gateway.customer_h as c
        where
            c.customer_hk = coalesce(
                v_customer_hk, (select t.customer_hk from gateway.token_h as t where t.token_hk = v_token_hk)
            );
    end if;
    if v_provider is not null then
        v_provider := (admin.fn_clean_providers(array[v_provider]))[1];
    end if;
    if v_model is not null then
        v_model := (admin.fn_clean_models(array[v_model]))[1];
        if not exists (select from gateway.model_h as h where h.model_bk = v_model) then
            perform admin.fn_refuse_change(
                400, 'target_model_is_a_model', format('%s names a provider too', quote_literal(v_model)),
                'Put the model alone in target_model, and the provider in target_provider.'
            );
        end if;
    end if;
    if v_provider is not null and v_model is not null then
        perform admin.fn_find_offer(v_provider, v_model);
    end if;
    return (
        select jsonb_build_object(
            'rule_priority', r.rule_priority,
            'tenant_hk', v_tenant_hk,
            'customer_hk', v_customer_hk,
            'token_hk', v_token_hk,
            'conditions', r.conditions,
            'deny_reason', nullif(btrim(r.deny_reason), ''),
            'target_provider', v_provider,
            'target_model', v_model,
            'targets', admin.fn_clean_targets(r.targets),
            'fallbacks', nullif(admin.fn_clean_models(r.fallbacks), '{}'),
            'strategy', upper(nullif(btrim(r.strategy), '')),
            'optimization_weights', admin.fn_clean_weights(r.optimization_weights),
            'min_quality_score', admin.fn_check_score('min_quality_score', r.min_quality_score),
            'is_sticky', r.is_sticky,
            'cost_optimization', r.cost_optimization,
            'latency_optimization', r.latency_optimization,
            'quality_optimization', r.quality_optimization,
            'compliance_requirements', nullif(admin.fn_clean_levels(r.compliance_requirements), '{}'),
            'max_attempts', r.max_attempts,
            'is_hedged', r.is_hedged,
            'valid_from', coalesce(r.valid_from, '-infinity'),
            'valid_to', coalesce(r.valid_to, 'infinity'),
            'is_active', r.is_active
        )
        from jsonb_populate_record(null::admin.routing_rule, p_row) as r
    );
end
$$;

comment on function admin.fn_pack_rule(jsonb) is
'A row of admin.routing_rule as a payload for routing_rule_s, checked.';
