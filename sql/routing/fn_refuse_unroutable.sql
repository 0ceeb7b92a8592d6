-- Said when no offer fits: the reason that a customer can do most about comes first.
create or replace function gateway.fn_refuse_unroutable(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_principal ops.principal, p_compliance_levels text[], p_rule ops.rule, p_is_free boolean, p_epoch bigint,
    p_seen jsonb
) returns gateway.route_decision
language plpgsql
stable
set search_path = ''
as $$
declare
    v_asked text := coalesce(p_provider || '/', '') || coalesce(p_model, 'auto');
    v_reasons jsonb;
    v_cheapest numeric;
    v_context integer;
    v_own_keys jsonb := case when p_principal.own_keys is not null
        then gateway.fn_open_own_keys(p_principal.own_keys, p_now, p_seen, p_features.closed) end;
    v_charges jsonb;
    v_inputs integer;
    v_routes text;
    v_needs text[] := p_features.needs || case when p_features.betas is not null then array['anthropic-beta'] end;
begin
    if p_principal.charge_rules is not null then
        v_charges := gateway.fn_list_charges(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            (gateway.fn_read_charge_rules(p_principal, p_now, p_seen)).rules,
            case when p_is_free then p_rule.target_names end, p_epoch, false
        );
    end if;
    select
        jsonb_object_agg(r.dropped_because, r.offers), min(r.cheapest), max(r.context_tokens)
    into v_reasons, v_cheapest, v_context
    from (
        select
            k.dropped_because, count(*) as offers, max(k.context_tokens) as context_tokens,
            min(k.worst_customer_cost_usd) filter (where k.dropped_because = 'max_cost') as cheapest
        from gateway.fn_rank_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            p_principal.allowed_models, p_compliance_levels, p_rule.min_quality_score,
            case when p_is_free then p_rule.target_names end, p_epoch, '[]', v_own_keys, true, v_charges
        ) as k
        group by k.dropped_because
    ) as r;

    if v_reasons ?| '{inputs,surface}' then
        select max(o.max_inputs), string_agg(distinct gateway.fn_name_route(s.surface), ' or ') into v_inputs, v_routes
        from gateway.fn_list_offers(
            p_now, p_provider, p_model, case when p_is_free then p_rule.target_names end, p_epoch
        ) as o
        left join lateral unnest(o.surfaces) as s (surface) on true;
    end if;
    return case
        when v_reasons is null and p_model is not null then gateway.fn_refuse(
            'model_not_found', 404,
            format('The model %s does not exist here. GET /v1/models lists those you can use.', quote_literal(v_asked)),
            jsonb_build_object('param', 'model')
        )
        when v_reasons ? 'max_cost' then gateway.fn_refuse(
            'max_cost_too_low', 422,
            format('The cheapest way to answer this call may cost up to %s USD, your max_cost is %s. Raise it, '
                'or lower max_tokens.', trim_scale(round(v_cheapest, 10))::text, trim_scale(p_features.max_cost)::text),
            jsonb_build_object('param', 'max_cost', 'cheapest_estimate_usd', trim_scale(round(v_cheapest, 10)))
        )
        when v_reasons ? 'compliance' then gateway.fn_refuse(
            'compliance_blocked', 403,
            format('No provider of %s meets the required compliance (%s).', quote_literal(v_asked),
                array_to_string(p_compliance_levels, ', ')),
            jsonb_build_object('rule', p_rule.rule_name, 'required', p_compliance_levels)
        )
        when v_reasons ? 'model_not_allowed' then gateway.fn_refuse(
            'model_not_allowed', 403,
            format('Your account may not use %s. Allowed: %s.', quote_literal(v_asked),
                coalesce(nullif(array_to_string(p_principal.allowed_models, ', '), ''), 'none')),
            jsonb_build_object('param', 'model', 'rule', 'allowed_models')
        )
        when v_reasons ? 'context' then gateway.fn_refuse(
            'invalid_request', 400,
            format('The prompt is longer than %s can take (%s tokens). Shorten it, or use a model with a larger '
                'context.',
                quote_literal(v_asked), v_context),
            jsonb_build_object('param', 'messages')
        )
        when v_reasons ? 'surface' then gateway.fn_refuse(
            'invalid_request', 400,
            format('%s is not served by this route, but by %s. Ask there, or for another model.',
                quote_literal(v_asked), v_routes),
            jsonb_build_object('param', 'model')
        )
        when v_reasons ? 'inputs' then gateway.fn_refuse(
            'invalid_request', 400,
            format('%s takes %s texts a call at most, this call has %s. Send fewer at a time, or ask for another model.',
                quote_literal(v_asked), v_inputs, p_features.inputs),
            jsonb_build_object('param', 'input')
        )
        when v_reasons ?| '{stream,tools,vision,structured}' then gateway.fn_refuse(
            'invalid_request', 400,
            format('%s cannot do what this call needs (%s). Leave that out, or ask for another model.',
                quote_literal(v_asked), (
                    select string_agg(k.reason, ', ') from jsonb_object_keys(v_reasons) as k (reason)
                    where k.reason in ('stream', 'tools', 'vision', 'structured')
                )), jsonb_build_object('param', 'model')
        )
        when v_reasons ? 'service_tier' and p_features.service_tier like 'geo\_%' then gateway.fn_refuse(
            'invalid_request', 400,
            format('%s has no price in the region %s here. Leave inference_geo out, or use another model.',
                quote_literal(v_asked), quote_literal(split_part(p_features.service_tier, '_', 2))),
            jsonb_build_object('param', 'inference_geo')
        )
        when v_reasons ? 'service_tier' then gateway.fn_refuse(
            'invalid_request', 400,
            format('%s has no price in the service tier %s here. Leave service_tier out, or use another model.',
                quote_literal(v_asked), quote_literal(p_features.service_tier)),
            jsonb_build_object('param', 'service_tier')
        )
        when v_reasons ? 'no_price' and gateway.fn_ask_extras(p_features) is not null then gateway.fn_refuse(
            'invalid_request', 400,
            format('What this call would use (pictures, sound or searches) has no price here at %s.', quote_literal(v_asked)),
            jsonb_build_object('param', 'model')
        )
        when v_reasons ? 'unsupported' then gateway.fn_refuse(
            'invalid_request', 400,
            format('%s cannot be told all that this call says (%s). Leave that out, or ask for another model.',
                quote_literal(v_asked), array_to_string(v_needs, ', ')),
            jsonb_build_object('param', v_needs[1])
        )
        when v_reasons ? 'own_key' then gateway.fn_refuse(
            'no_provider', 503,
            format('Your own key for %s was not taken by its provider, and the gateway''s is not to be used in its place. '
                'Set another key, or have it fall back.', quote_literal(v_asked)), null, 5000
        )
        when v_reasons ? 'quality' then gateway.fn_refuse(
            'no_provider', 503,
            format('No model that can answer %s has the quality that the rule %s asks for (%s).', quote_literal(v_asked),
                quote_literal(p_rule.rule_name), p_rule.min_quality_score),
            jsonb_build_object('rule', p_rule.rule_name), 5000
        )
        -- Last, since models of another kind are among those that were looked at whenever none is named.
        when v_reasons ? 'capability' then gateway.fn_refuse_capability(v_asked, p_model is not null, p_features.capability)
        else gateway.fn_refuse(
            'no_provider', 503,
            format('No provider can answer %s at the moment. Try again later, or ask for another model.',
                quote_literal(v_asked)), null, 5000
        )
    end;
end
$$;

comment on function gateway.fn_refuse_unroutable(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, jsonb
) is 'Why no offer fits a call, told as the refusal that helps most.';
