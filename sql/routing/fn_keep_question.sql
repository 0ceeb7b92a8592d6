-- What a decision looked at, to make it again: never more than its features. Of metadata only what rules ask for is
-- kept, since it is the customer's own text.
create or replace function gateway.fn_keep_question(p_features gateway.request_features, p_prompt_tokens bigint)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_metadata jsonb;
    v_asked jsonb;
begin
    if p_features.metadata is not null then
        select jsonb_object_agg(a.name, left(p_features.metadata ->> a.name, 100)) into v_metadata
        from ops.asked_metadata as a where p_features.metadata ? a.name;
    end if;
    v_asked := jsonb_strip_nulls(jsonb_build_object(
        'request_type', p_features.request_type, 'capability', p_features.capability,
        'surface', p_features.surface, 'priority', p_features.priority, 'model', p_features.model,
        'stream', nullif(p_features.stream, false), 'tools', nullif(p_features.tools, false),
        'vision', nullif(p_features.vision, false), 'structured', nullif(p_features.structured, false),
        'prompt_bytes', p_features.prompt_bytes, 'prompt_tokens', p_prompt_tokens,
        'images', nullif(p_features.images, 0), 'max_output_tokens', p_features.max_output_tokens,
        'choices', nullif(p_features.choices, 1), 'max_cost', p_features.max_cost, 'room_usd', p_features.room_usd,
        'room_tokens', p_features.room_tokens, 'closed', p_features.closed, 'metadata', v_metadata
    ));
    if p_features.inputs is not null then
        v_asked := v_asked || jsonb_build_object('inputs', p_features.inputs);
    end if;
    if p_features.is_special then
        v_asked := v_asked || jsonb_strip_nulls(jsonb_build_object(
            'service_tier', p_features.service_tier, 'images_out', p_features.images_out,
            'image_variant', substring(p_features.image_variant from '^[0-9a-z]{1,20}(?:/[0-9a-z]{1,20})?$'),
            'searches', p_features.searches, 'audio_in', p_features.audio_in, 'audio_out', p_features.audio_out,
            'cache_1h', p_features.cache_1h, 'needs', p_features.needs,
            'betas', p_features.betas
        ));
    end if;
    return jsonb_build_object('asked', v_asked);
end
$$;

comment on function gateway.fn_keep_question(gateway.request_features, bigint) is
'The features of a call that its decision looked at, as they are kept with the request.';

create or replace function gateway.fn_ask_again(p_asked jsonb) returns gateway.request_features
language sql immutable
set search_path = ''
return jsonb_populate_record(
    null::gateway.request_features,
    '{"stream": false, "tools": false, "vision": false, "structured": false, "images": 0, "choices": 1}'::jsonb
    || p_asked
);

comment on function gateway.fn_ask_again(jsonb) is 'The features that fn_keep_question kept.';
