create or replace function gateway.fn_refuse_capability(p_asked text, p_is_named boolean, p_capability text)
returns gateway.route_decision
language sql immutable
return gateway.fn_refuse(
    'invalid_request', 400,
    format(
        '%s %s. GET /v1/models shows what each can do (capabilities).',
        case when p_is_named then quote_literal(p_asked) || ' cannot' else 'No model here can' end,
        case coalesce(p_capability, 'chat')
            when 'chat' then 'answer messages' when 'embedding' then 'make embeddings'
            when 'image' then 'make pictures' when 'rerank' then 'rank documents' else 'do this'
        end
    ), jsonb_build_object('param', 'model')
);

comment on function gateway.fn_refuse_capability(text, boolean, text) is
'The refusal of a call that no model which is meant is made for.';
