-- What the books will say about a call. Address and agent are kept as the tenant's policy says; metadata is not
-- kept. Not more than stable, or the INSERT that calls it could not have it inlined.
create or replace function gateway.fn_keep_features(
    p_features gateway.request_features, p_prompt_tokens bigint, p_address_policy text
) returns jsonb
language sql stable
return jsonb_build_object(
    'request_type', left(coalesce((p_features).request_type, 'completion'), 50),
    'capability', coalesce((p_features).capability, 'chat'),
    'surface', coalesce((p_features).surface, 'native'),
    'stream', coalesce((p_features).stream, false),
    'model', left((p_features).model, 255),
    'prompt_tokens', p_prompt_tokens,
    'prompt_bytes', (p_features).prompt_bytes,
    'client_ip', case
        when p_address_policy = 'NONE' or not pg_input_is_valid((p_features).client_ip, 'inet') then null
        when p_address_policy = 'FULL' then (p_features).client_ip
        else host(network(set_masklen(
            (p_features).client_ip::inet, case family((p_features).client_ip::inet) when 4 then 24 else 48 end
        )))
    end,
    'user_agent', case p_address_policy
        when 'NONE' then null
        when 'FULL' then left((p_features).user_agent, 500)
        else left(split_part((p_features).user_agent, ' ', 1), 60)
    end
);

comment on function gateway.fn_keep_features(gateway.request_features, bigint, text) is
'The part of a call''s features that is kept with its reservation, address and agent shortened by policy.';
