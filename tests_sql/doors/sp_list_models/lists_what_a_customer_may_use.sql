begin;
select plan(11);
select test.make_offer('maker', 'model-b', 2, 8), test.make_offer('other', 'model-b', 1, 4, '{"context_tokens": 200000}');
select test.make_offer('maker', 'model-a', 0.1, 0.4, '{"capabilities": ["chat", "embedding"]}');
select test.make_offer('maker', 'no-price', null, null);
select test.make_customer('user', '{"markup_percent": 25}');
select test.make_customer('narrow', '{"allowed_models": ["other/model-b"]}'), test.make_customer('clinic', '{"compliance_level": "HIPAA"}');
create temporary table listed as
select m.model, m.place from jsonb_array_elements(gateway.sp_list_models(sha256('user/token')) #> '{body,data}')
    with ordinality as m (model, place)
where m.model ->> 'id' in ('model-a', 'model-b', 'no-price');
select results_eq(
    'select l.model ->> ''id'' from listed as l order by l.place', array['model-a', 'model-b'], 'models that can be called, in order'
);
select is(l.model ->> 'object' || '/' || (l.model ->> 'owned_by'), 'model/other', 'in OpenAI''s shape') from listed as l
where l.model ->> 'id' = 'model-b';
select is(
    concat_ws('/', l.model ->> 'type', l.model ->> 'display_name', l.model ->> 'lifecycle', l.model ->> 'max_input_tokens'),
    'model/model-b/active/200000', 'and in Anthropic''s'
) from listed as l where l.model ->> 'id' = 'model-b';
select is(
    extract(epoch from (l.model ->> 'created_at')::timestamptz)::bigint, (l.model ->> 'created')::bigint, 'of the same date'
) from listed as l where l.model ->> 'id' = 'model-b';
select cmp_ok((l.model ->> 'created')::bigint, '>', 1700000000::bigint, 'with a date') from listed as l where l.model ->> 'id' = 'model-b';
select is(l.model #> '{onevault,providers}', '["other", "maker"]', 'its providers, cheapest first') from listed as l
where l.model ->> 'id' = 'model-b';
select is(
    l.model #> '{onevault,price_usd_per_million}', '{"input": 1.25, "cache_read": 1.25, "cache_write": 1.25, "output": 5}',
    'the price as the customer pays it'
) from listed as l where l.model ->> 'id' = 'model-b';
select is(
    (l.model #> '{onevault,context_tokens}', l.model #> '{onevault,capabilities}'), ('128000'::jsonb, '["chat", "embedding"]'::jsonb),
    'what it can do'
) from listed as l where l.model ->> 'id' = 'model-a';
select is(
    jsonb_path_query_array(gateway.sp_list_models(sha256('narrow/token')), '$.body.data[*] ? (@.id starts with "model").onevault.providers'),
    '[["other"]]', 'no more than the customer is allowed'
);
select is(
    gateway.sp_list_models(sha256('clinic/token')) #> '{body,data}', '[]', 'and that meets what is required of providers'
);
select is(
    (gateway.sp_list_models('\x00')) - 'message' - 'detail', '{"status": "invalid_token", "http_status": 401}', 'a token is needed'
);
select * from finish();
rollback;
