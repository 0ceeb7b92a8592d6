begin;
select plan(9);
select test.make_offer('maker', 'model-a'), test.make_offer('maker', 'model-b');
select test.make_customer('user'), test.make_customer('neighbour');
select test.book_at('user', timestamptz '2026-03-01 10:10+00'), test.book_at('user', timestamptz '2026-03-01 11:10+00', p_model => 'model-b');
select test.book_at('user', timestamptz '2026-03-02 10:10+00', '{"response_status": "ERROR", "request_type": "summary", "customer_cost": 0,
    "provider_cost": 0, "gateway_markup": 0}');
select test.book_at('neighbour', timestamptz '2026-03-01 10:10+00');
select test.roll_up();
create function test.usage(p_params jsonb) returns jsonb language sql as $$
    select gateway.sp_get_usage(sha256('user/token'), '{"from": "2026-03-01", "to": "2026-03-03"}' || p_params) -> 'body';
$$;
select is(
    test.usage('{}') -> 'data' -> 0,
    '{"day": "2026-03-01", "requests": 2, "errors": 0, "input_tokens": 20, "cache_read_tokens": 0, "cache_write_tokens": 0,
    "output_tokens": 10, "reasoning_tokens": 0, "total_tokens": 30, "cost_usd": 5}', 'by day, if nothing else is said'
);
select is(
    test.usage('{}') -> 'totals',
    '{"requests": 3, "errors": 1, "input_tokens": 30, "cache_read_tokens": 0, "cache_write_tokens": 0, "output_tokens": 15,
    "reasoning_tokens": 0, "total_tokens": 45, "cost_usd": 5}', 'with totals, of the customer''s own'
);
select is(
    jsonb_path_query_array(test.usage('{"group_by": ["hour"]}'), '$.data[*].hour'),
    '["2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", "2026-03-02T10:00:00Z"]', 'by hour'
);
select is(
    jsonb_path_query_array(test.usage('{"group_by": "model,type"}'), '$.data[*].requests'), '[1, 1, 1]', 'by model and kind, as one text'
);
select is(
    jsonb_path_query_array(test.usage('{"group_by": ["model", "type"]}'), '$.data[*].type'), '["completion", "summary", "completion"]',
    'in the order of both'
);
select is(
    (test.usage('{"group_by": ["provider", "token"]}') #> '{data,0}')
    - '{requests,errors,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens,reasoning_tokens,total_tokens,cost_usd}'::text[],
    '{"provider": "maker", "token": "user/token", "token_name": "token"}', 'by provider and token'
);
select is(
    test.usage('{"from": "2026-03-01T11:00:00Z", "to": "2026-03-02T00:00:00+00:00"}') #> '{totals,requests}', '1', 'from is in, to is not'
);
select is(
    (gateway.sp_get_usage(sha256('user/token'), '{}')) #> '{body,totals,requests}', '0', 'the last 30 days, if nothing else is said'
);
select is(current_setting('onevault.tenant', true), '', 'no tenant stays set');
select * from finish();
rollback;
