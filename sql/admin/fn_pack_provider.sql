create or replace function admin.fn_pack_provider(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if lower(p_row ->> 'adapter_kind') not in (
        'openai', 'azure', 'mistral', 'anthropic', 'google', 'bedrock', 'cohere', 'voyage', 'sandbox'
    ) then
        perform admin.fn_refuse_change(
            400, 'adapter_kind_is_known', format('There is no adapter of the kind %L', p_row ->> 'adapter_kind'),
            'Use openai, which also serves every server that speaks OpenAI''s dialect, azure, mistral, anthropic, google, '
            'bedrock, cohere, voyage, or sandbox.'
        );
    end if;
    if coalesce(lower(p_row ->> 'adapter_kind'), 'openai') <> 'sandbox' and p_row ->> 'api_endpoint' = 'in-process' then
        perform admin.fn_refuse_change(
            400, 'api_endpoint_is_http', 'Only the sandbox runs in-process',
            'Write the endpoint like https://api.example.com/v1.'
        );
    end if;
    if p_row ->> 'customer' is not null and btrim(p_row ->> 'api_endpoint') !~ '^https://' then
        perform admin.fn_refuse_change(
            400, 'own_endpoints_are_https', 'A customer''s own server is reached by https only',
            'Write its endpoint like https://models.example.com/v1.'
        );
    end if;
    return jsonb_build_object(
        'provider_name', nullif(btrim(p_row ->> 'provider_name'), ''),
        'adapter_kind', lower(p_row ->> 'adapter_kind'),
        'api_endpoint', rtrim(btrim(p_row ->> 'api_endpoint'), '/'),
        'adapter_settings', admin.fn_check_settings(
            coalesce(lower(p_row ->> 'adapter_kind'), 'openai'), p_row -> 'adapter_settings'
        ),
        'needs_key', p_row -> 'needs_key',
        'compliance_levels', admin.fn_clean_levels(
            case jsonb_typeof(p_row -> 'compliance_levels')
                when 'array' then array(select jsonb_array_elements_text(p_row -> 'compliance_levels'))
            end
        ),
        'requests_per_minute_limit', p_row -> 'requests_per_minute_limit',
        'max_tokens_per_request', p_row -> 'max_tokens_per_request',
        'first_byte_timeout_ms', p_row -> 'first_byte_timeout_ms',
        'quality_score', admin.fn_check_score('quality_score', (p_row ->> 'quality_score')::numeric),
        'owner_hk', case when p_row ->> 'customer' is not null then admin.fn_find_customer(p_row ->> 'customer') end,
        'reconcile_percent', p_row -> 'reconcile_percent',
        'reconcile_usd', p_row -> 'reconcile_usd',
        'is_active', p_row -> 'is_active'
    );
end
$$;

comment on function admin.fn_pack_provider(jsonb) is 'A row of admin.provider as a payload for ai_provider_s, checked.';
