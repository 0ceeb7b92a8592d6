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
    v_tokens bigint;
begin
    select string_agg(quote_literal(k.name), ', ') into v_unknown
    from jsonb_object_keys(p_request) as k (name)
    where k.name not in ('prompt_tokens', 'seed', 'token', 'type') and not exists (
        select from pg_catalog.pg_attribute as a
        where a.attrelid = 'gateway.request_features'::regclass and a.attname = k.name
    );
    if v_unknown is not null then
        perform admin.fn_refuse_change(
            400, 'request_attributes_are_known', format('A call has no attribute %s', v_unknown),
            'Known are model, prompt_tokens or prompt_bytes, max_output_tokens, type, capability, priority, stream, '
            'tools, vision, structured, images, messages, choices, max_cost, metadata, surface, session, seed and token.'
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

    return query
    select e.provider, e.model, e.rank, e.worst_case_cost_usd, e.chosen, e.reason
    from admin.fn_explain_choice(
        v_principal, v_features, v_tokens, v_now, coalesce((p_request ->> 'seed')::bigint, 0), null, null
    ) as e;
end
$$;

comment on function admin.explain_route(text, jsonb) is
'What would become of a call of this customer, and why: every candidate in the order of trying, then those left out
and dropped, each with its worst-case cost to the customer. It changes nothing and counts against no limit. The
request names what routing looks at: {"model": "auto", "prompt_tokens": 800, "max_output_tokens": 200, "type":
"summary", "token": "name"}. Equal offers are told apart by "seed", which is another one for each call.';
