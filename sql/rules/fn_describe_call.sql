-- A call as conditions see it, by the names of gateway.fn_type_of_attribute(): what is absent is left out.
create or replace function gateway.fn_describe_call(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz
) returns jsonb
language sql stable
set search_path = ''
begin atomic
    select jsonb_strip_nulls(jsonb_build_object(
        'request_type', (p_features).request_type, 'capability', (p_features).capability,
        'surface', (p_features).surface,
        'priority', (p_features).priority, 'tier', (p_principal).priority_tier, 'tenant', (p_principal).tenant_bk,
        'customer', (p_principal).customer_bk, 'token', (p_principal).token_name, 'model', (p_features).model,
        'compliance', to_jsonb((p_principal).compliance_levels), 'stream', (p_features).stream,
        'tools', (p_features).tools, 'vision', (p_features).vision, 'structured', (p_features).structured,
        'prompt_tokens', p_prompt_tokens,
        'max_output_tokens', (p_features).max_output_tokens, 'max_cost', (p_features).max_cost,
        'images', (p_features).images, 'choices', (p_features).choices,
        'hour', extract(hour from n.moment)::integer, 'weekday', extract(isodow from n.moment)::integer
    )) || jsonb_build_object('metadata', coalesce((p_features).metadata, '{}'))
    from (values (p_now at time zone (p_principal).time_zone)) as n (moment);
end;

comment on function gateway.fn_describe_call(ops.principal, gateway.request_features, bigint, timestamptz) is
'The attributes of a call that rules may ask for; budget_used_percent and entitlements are added only for rules
that do.';
