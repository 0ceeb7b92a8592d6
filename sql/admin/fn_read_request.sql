-- A call as people describe it to the features that the front would send of it.
create or replace function admin.fn_read_request(
    p_request jsonb, out features gateway.request_features, out prompt_tokens bigint, out seed bigint
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_unknown text;
begin
    if jsonb_typeof(p_request) <> 'object' or pg_column_size(p_request) > 65536 then
        perform admin.fn_refuse_change(
            400, 'request_is_an_object', 'This call is no JSON object, or longer than any',
            'Write it like {"model": "auto", "type": "summary", "prompt_tokens": 800}; {} is any call.'
        );
    end if;
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
            'tools, vision, structured, images, messages, choices, max_cost, metadata, surface, session, service_tier, '
            'images_out, image_variant, searches, audio_in, audio_out, cache_1h, betas, inputs, pictures, seed and token.'
        );
    end if;
    -- A number of tokens stands for itself; its bytes are what the context is checked by.
    features := jsonb_populate_record(null::gateway.request_features, jsonb_build_object(
        'surface', 'chat', 'capability', 'chat', 'request_type', coalesce(p_request ->> 'type', 'completion'),
        'stream', false, 'tools', false, 'vision', false, 'structured', false, 'images', 0, 'messages', 1, 'choices', 1,
        'prompt_bytes', coalesce((p_request ->> 'prompt_tokens')::bigint * 5, 0)
    ) || p_request);
    prompt_tokens := coalesce(
        (p_request ->> 'prompt_tokens')::bigint,
        gateway.fn_estimate_prompt_tokens(
            features.prompt_bytes, features.images, features.messages, features.pictures
        )
    );
    seed := coalesce((p_request ->> 'seed')::bigint, 0);
    if least(
        prompt_tokens, features.prompt_bytes, features.max_output_tokens, features.images, features.messages,
        features.choices, features.max_cost, features.images_out
    ) < 0 then
        perform admin.fn_refuse_change(
            400, 'numbers_are_not_negative', 'A number of this call is negative', 'Use numbers from 0 up.'
        );
    end if;
exception
    when invalid_text_representation or numeric_value_out_of_range or invalid_parameter_value then
        perform admin.fn_refuse_change(
            400, 'request_attributes_have_their_types', 'A value of this call is of another type: ' || sqlerrm,
            'Sizes and amounts are numbers, stream, tools, vision and structured true or false, metadata an object.'
        );
end
$$;

comment on function admin.fn_read_request(jsonb) is
'The features of a call described as JSON; refuses attributes that no call has.';
