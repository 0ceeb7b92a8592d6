create or replace function admin.explain_route(p_customer text, p_request jsonb default '{}')
returns table (
    provider text, model text, rank bigint, worst_case_cost_usd numeric, chosen boolean, reason text
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_unknown text;
    v_request jsonb;
    v_features gateway.request_features;
    v_principal ops.principal;
    v_refusal gateway.route_decision;
    v_rule ops.rule;
    v_target record;
    v_tokens bigint;
    v_levels text[];
    v_best record;
begin
    select string_agg(quote_literal(k.name), ', ') into v_unknown
    from jsonb_object_keys(p_request) as k (name)
    where k.name not in ('prompt_tokens', 'token', 'type') and not exists (
        select from pg_catalog.pg_attribute as a
        where a.attrelid = 'gateway.request_features'::regclass and a.attname = k.name
    );
    if v_unknown is not null then
        perform admin.fn_refuse_change(
            400, 'request_attributes_are_known', format('A call has no attribute %s', v_unknown),
            'Known are model, prompt_tokens or prompt_bytes, max_output_tokens, type, capability, priority, stream, '
            'tools, vision, structured, images, messages, choices, max_cost, metadata, surface and token.'
        );
    end if;
    -- As the front would send it. A number of tokens stands for itself; its bytes are what the context is checked by.
    v_request := jsonb_build_object(
        'surface', 'chat', 'capability', 'chat', 'request_type', coalesce(p_request ->> 'type', 'completion'),
        'stream', false, 'tools', false, 'vision', false, 'structured', false, 'images', 0, 'messages', 1, 'choices', 1,
        'prompt_bytes', coalesce((p_request ->> 'prompt_tokens')::bigint * 5, 0)
    ) || p_request;
    v_features := jsonb_populate_record(null::gateway.request_features, v_request);
    v_tokens := coalesce(
        (p_request ->> 'prompt_tokens')::bigint,
        gateway.fn_estimate_prompt_tokens(v_features.prompt_bytes, v_features.images, v_features.messages)
    );
    v_principal := admin.fn_read_principal(admin.fn_find_customer(p_customer), p_request ->> 'token');
    if v_features.client_ip is null then
        v_principal.allowed_addresses := null;
    end if;
    v_refusal := gateway.fn_check_principal(v_principal, v_now, 'inference', v_features.client_ip);
    if v_refusal.status is not null then
        reason := 'refused: ' || v_refusal.message;
        chosen := false;
        return next;
        return;
    end if;

    v_rule := gateway.fn_match_rule(v_principal, v_features, v_tokens, v_now);
    if v_rule.deny_reason is not null then
        v_refusal := gateway.fn_deny_call(v_rule);
        reason := 'refused: ' || v_refusal.message;
        chosen := false;
        return next;
        return;
    end if;
    v_target := gateway.fn_resolve_model(v_features.model, v_rule);
    v_levels := v_principal.compliance_levels || v_rule.compliance_requirements;
    v_best := gateway.fn_choose_candidates(
        v_now, v_features, v_target.provider, v_target.model, v_tokens, v_principal, v_levels, v_rule
    );

    return query
    select
        r.provider_bk, r.model_bk, t.place,
        trim_scale(ceil(r.worst_customer_cost_usd * 10000000000) / 10000000000), coalesce(t.place = 1, false),
        case
            when t.place = 1 then coalesce(v_rule.rule_name, 'no rule') || ': ' || v_best.reason
            when t.place > 1 then format('tried as number %s, if those before it fail', t.place)
            when r.dropped_because is not null then admin.fn_explain_drop(r.dropped_because)
            when r.is_sandbox then 'left out: the sandbox answers when asked by name or when nothing else fits'
            when r.is_resting then 'left out: it rests after failures, and others fit'
            else format('left out: it fits, but %s are tried at most', coalesce(v_rule.max_attempts, 3))
        end
    from gateway.fn_rank_offers(
        v_now, v_features, v_target.provider, v_target.model, v_tokens, v_principal.markup_percent,
        v_principal.allowed_models, v_levels
    ) as r
    left join jsonb_array_elements(v_best.candidates) with ordinality as t (candidate, place)
        on t.candidate ->> 'offer' = encode(r.offer_hk, 'hex')
    order by t.place nulls last, r.dropped_because is not null, r.worst_customer_cost_usd, r.provider_bk, r.model_bk;

    if v_best.hold_usd is null then
        v_refusal := gateway.fn_refuse_unroutable(
            v_now, v_features, v_target.provider, v_target.model, v_tokens, v_principal, v_levels, v_rule.rule_name
        );
        reason := 'refused: ' || v_refusal.message;
        chosen := false;
        return next;
    end if;
end
$$;

comment on function admin.explain_route(text, jsonb) is
'What would become of a call of this customer, and why: every candidate in the order of trying, then those left out
and dropped, each with its worst-case cost to the customer. It changes nothing and counts against no limit. The
request names what routing looks at: {"model": "auto", "prompt_tokens": 800, "max_output_tokens": 200, "type":
"summary", "token": "name"}.';
